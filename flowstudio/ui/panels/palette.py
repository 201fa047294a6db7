"""The palette: every action of the catalogue, by category, searched as one types, dragged onto the canvas."""

import json
from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QStackedLayout, QTreeView, QVBoxLayout, QWidget

from flowstudio.plan.model import KEYWORDS
from flowstudio.providers.manifest import Action, Manifest
from flowstudio.providers.registry import Registry
from flowstudio.ui.controls import text_label
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import CATEGORY_TITLES, ICON_MEDIUM, ROW_HEIGHT, SPACE_2, SPACE_3

MIME_TYPE = "application/x-flowstudio-action"
ENTRY = Qt.ItemDataRole.UserRole + 1  # (provider id, action id) of an action's row
RESULTS = 200
LANGUAGE = frozenset(provider for provider, _ in KEYWORDS)
"""Providers whose actions are steps of the language itself."""


class Palette(QWidget):
    """`chosen` says that a person wants a step of this action: double click or Enter."""

    chosen = Signal(str, str)  # provider id, action id

    def __init__(self, registry: Registry, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._icons = icons
        self._registry = registry
        self.search = SearchLine(icons)
        self.search.textChanged.connect(self._fill)
        self.model = ActionModel(self)
        self.tree = QTreeView(headerHidden=True, uniformRowHeights=False, indentation=12, animated=True)
        self.tree.setModel(self.model)
        self.tree.setAccessibleName("Steps")
        self.tree.setIconSize(QSize(ICON_MEDIUM, ICON_MEDIUM))
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.tree.setDragEnabled(True)
        self.tree.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.tree.setExpandsOnDoubleClick(False)
        self.tree.activated.connect(self._choose)
        self.tree.clicked.connect(self._toggle)
        self.search.going_down.connect(self._enter_list)
        self.search.returnPressed.connect(self._choose_first)
        self._nothing = text_label("", "muted", wraps=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._nothing.setContentsMargins(SPACE_3, SPACE_3, SPACE_3, 0)
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(self.tree)
        self._stack.addWidget(self._nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_2)
        top = QVBoxLayout()
        top.setContentsMargins(SPACE_3, 0, SPACE_3, 0)
        top.addWidget(self.search)
        layout.addLayout(top)
        layout.addWidget(holder, 1)
        self._fill("")

    def set_registry(self, registry: Registry) -> None:
        """Shows another catalogue: the user's own integrations changed."""
        self._registry = registry
        self._fill(self.search.text())

    def _fill(self, text: str) -> None:
        self.model.clear()
        if text.strip():
            self._fill_results(text)
        else:
            self._fill_categories()
        is_empty = self.model.rowCount() == 0
        self._nothing.setText(f"No step matches “{text.strip()}”.")
        self._stack.setCurrentIndex(1 if is_empty else 0)

    def _fill_results(self, text: str) -> None:
        for hit in self._registry.search(text, RESULTS):
            title = f"{hit.manifest.title} · {hit.action.title}"
            self.model.appendRow(self._action_item(hit.manifest, hit.action, title))
        if self.model.rowCount():
            self.tree.setCurrentIndex(self.model.index(0, 0))

    def _fill_categories(self) -> None:
        by_category: dict[str, list[Manifest]] = {}
        for manifest in sorted(self._registry.manifests, key=lambda each: each.title.lower()):
            by_category.setdefault(manifest.category, []).append(manifest)
        for category, title in CATEGORY_TITLES.items():
            manifests = by_category.get(category)
            if manifests:
                group = self._group_item(title)
                self.model.appendRow(group)
                group.appendRows(self._provider_items(manifests))
                self.tree.expand(group.index())

    def _provider_items(self, manifests: Sequence[Manifest]) -> list[QStandardItem]:
        """The language's own steps first, one by one; a provider of one action is that action; a bigger one opens."""
        items = [
            self._action_item(manifest, action, action.title)
            for manifest in manifests
            if manifest.id in LANGUAGE
            for action in manifest.actions
        ]
        for manifest in manifests:
            if manifest.id in LANGUAGE:
                continue
            if len(manifest.actions) == 1:
                items.append(self._action_item(manifest, manifest.actions[0], manifest.title))
                continue
            item = self._item(manifest.title)
            item.setIcon(self._icons.provider_icon(manifest))
            item.setToolTip(manifest.description)
            item.appendRows([self._action_item(manifest, action, action.title) for action in manifest.actions])
            items.append(item)
        return items

    def _group_item(self, title: str) -> QStandardItem:
        item = self._item(title)
        font = item.font()
        font.setPixelSize(12)
        font.setWeight(font.Weight.DemiBold)
        item.setFont(font)
        return item

    def _action_item(self, manifest: Manifest, action: Action, title: str) -> QStandardItem:
        item = self._item(title)
        item.setIcon(self._icons.provider_icon(manifest, action.icon))
        item.setToolTip(action.description or manifest.description)
        item.setData((manifest.id, action.id), ENTRY)
        item.setDragEnabled(True)
        return item

    def _item(self, title: str) -> QStandardItem:
        item = QStandardItem(title)
        item.setEditable(False)
        item.setDragEnabled(False)
        item.setSizeHint(QSize(0, ROW_HEIGHT))
        return item

    def _toggle(self, index: QModelIndex) -> None:
        if index.data(ENTRY) is None:
            self.tree.setExpanded(index, not self.tree.isExpanded(index))

    def _choose(self, index: QModelIndex) -> None:
        entry = index.data(ENTRY)
        if entry is not None:
            self.chosen.emit(*entry)

    def _choose_first(self) -> None:
        if self.search.text().strip() and self.model.rowCount():
            self._choose(self.tree.currentIndex())

    def _enter_list(self) -> None:
        self.tree.setFocus(Qt.FocusReason.TabFocusReason)
        if not self.tree.currentIndex().isValid():
            self.tree.setCurrentIndex(self.model.index(0, 0))


class ActionModel(QStandardItemModel):
    """Gives a dragged row as the canvas expects it: JSON {"provider", "action"}."""

    def mimeTypes(self) -> list[str]:
        return [MIME_TYPE]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        entry = next((index.data(ENTRY) for index in indexes if index.data(ENTRY)), None)
        if entry is not None:
            data.setData(MIME_TYPE, json.dumps({"provider": entry[0], "action": entry[1]}).encode())
        return data


class SearchLine(QLineEdit):
    """A search field; the arrow down leads into the list below it, Escape empties it."""

    going_down = Signal()

    def __init__(self, icons: Icons, hint: str = "Search steps") -> None:
        super().__init__(placeholderText=hint, clearButtonEnabled=True)
        self.setAccessibleName(hint)
        self.addAction(icons.icon("search", "text_3"), QLineEdit.ActionPosition.LeadingPosition)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.going_down.emit()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)
