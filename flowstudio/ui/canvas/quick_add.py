"""Quick add: one field, the actions that fit what is typed, Enter adds the one that is highlighted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsDropShadowEffect,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from flowstudio.plan.model import StepId
from flowstudio.providers.manifest import Category, Manifest
from flowstudio.ui.canvas.faces import Catalogue
from flowstudio.ui.canvas.fuzzy import Found, find_actions
from flowstudio.ui.canvas.text import font
from flowstudio.ui.icons import Icons, draw_badge
from flowstudio.ui.tokens import (
    RADIUS_CONTROL,
    RADIUS_DIALOG,
    SIZE_BODY,
    SIZE_SMALL,
    SPACE_2,
    SPACE_3,
    Palette,
)

_WIDTH = 380
_ROW = 44
_ROWS_SHOWN = 8
_LIMIT = 60


class SearchedCatalogue(Catalogue, Protocol):
    """The registry as quick add reads it."""

    @property
    def manifests(self) -> Sequence[Manifest]: ...


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to add: at a place (scene pixels) or the next free one, wired after a step by one of its ports."""

    provider: str = ""
    action: str = ""
    place: tuple[float, float] | None = None
    source: StepId | None = None
    port: str | None = None


class FoundModel(QAbstractListModel):
    """The found actions; the role UserRole gives the Found itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.found: list[Found] = []

    def show(self, found: Iterable[Found]) -> None:
        self.beginResetModel()
        self.found = list(found)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.found)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        each = self.found[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{each.manifest.title}: {each.action.title}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return each.action.description
        return each if role == Qt.ItemDataRole.UserRole else None


class _Rows(QStyledItemDelegate):
    """A mark, the action's title and below it where it belongs and what it does."""

    def __init__(self, palette: Palette, parent: QWidget) -> None:
        super().__init__(parent)
        self.palette = palette

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, _ROW)

    def paint(self, p: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        found, palette = index.data(Qt.ItemDataRole.UserRole), self.palette
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        p.save()
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            p.setBrush(QColor(palette.selection))
            p.drawRoundedRect(rect.adjusted(6, 1, -6, -1), RADIUS_CONTROL, RADIUS_CONTROL)
        icon = found.action.icon or found.manifest.icon
        square = QRect(rect.left() + 14, rect.top() + (_ROW - 28) // 2, 28, 28)
        draw_badge(p, square.toRectF(), icon, found.manifest.title, palette.category(found.manifest.category))
        left, room = rect.left() + 54, rect.width() - 68
        self._line(p, left, rect.top() + 18, room, found.action.title, SIZE_BODY, 600, palette.text)
        below = " · ".join(filter(None, (found.manifest.title, found.action.description)))
        self._line(p, left, rect.top() + 35, room, below, SIZE_SMALL - 1, 400, palette.text_3)
        p.restore()

    def _line(self, p: QPainter, x: int, y: int, room: int, text: str, size: int, weight: int, colour: str) -> None:
        p.setFont(font(size, weight))
        p.setPen(QColor(colour))
        p.drawText(x, y, QFontMetrics(p.font()).elidedText(text, Qt.TextElideMode.ElideRight, room))


class QuickAdd(QFrame):
    """A small panel over the canvas. chosen carries a Chosen; closed says that it went away without one.

    Arrows move the highlight, Enter adds, Shift+Enter adds without a wire, Esc and a click elsewhere close.
    """

    chosen = Signal(object)
    closed = Signal()

    def __init__(self, registry: SearchedCatalogue, icons: Icons, palette: Palette, parent: QWidget) -> None:
        super().__init__(parent)
        self._registry = registry
        self._icons = icons
        self._template = Chosen()
        self.field = QLineEdit(self)
        self.field.setPlaceholderText("Search actions: slack message, csv, if …")
        self.field.setAccessibleName("Search actions")
        self.field.textEdited.connect(self._search)
        self.field.installEventFilter(self)
        self._search_icon = self.field.addAction(icons.icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.model = FoundModel(self)
        self.list = QListView(self)
        self.list.setModel(self.model)
        self._rows = _Rows(palette, self.list)
        self.list.setItemDelegate(self._rows)
        self.list.setAccessibleName("Matching actions")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self.list.entered.connect(self.list.setCurrentIndex)
        self.list.clicked.connect(self._choose)
        self.list.setUniformItemSizes(True)
        self._none = QLabel(self)
        self._none.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE_2, 0, SPACE_2)
        column.setSpacing(SPACE_2)
        column.addWidget(self.field)
        column.addWidget(self.list)
        column.addWidget(self._none)
        self.setObjectName("quickAdd")
        self.setAccessibleName("Quick add")
        self.setFixedWidth(_WIDTH)
        self._shadow = QGraphicsDropShadowEffect(self, blurRadius=28, offset=QPointF(0, 8))
        self.setGraphicsEffect(self._shadow)
        self.show_palette(palette)
        self.hide()

    def open(self, at: QPointF, template: Chosen) -> None:
        """Shows the panel beside a point of the parent. template says where the step goes and to what it is wired."""
        self._template = template
        self.field.clear()
        self._search("")
        self._place(at)
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_quietly(self) -> None:
        """Goes away and gives the focus back."""
        if self.isVisible():
            self.hide()
            parent = self.parentWidget()
            if parent is not None:
                parent.setFocus()
            self.closed.emit()

    def show_palette(self, palette: Palette) -> None:
        self._rows.palette = palette
        self._shadow.setColor(QColor(0, 0, 0, 150 if palette.is_dark else 60))
        self._search_icon.setIcon(self._icons.icon("search", "text_3"))
        self.setStyleSheet(
            f"#quickAdd {{ background: {palette.raised}; border: 1px solid {palette.border};"
            f" border-radius: {RADIUS_DIALOG}px; }}"
            f"QLineEdit {{ background: transparent; border: none; border-bottom: 1px solid {palette.border};"
            f" border-radius: 0; color: {palette.text}; font-size: {SIZE_BODY + 1}px; padding: 4px {SPACE_2}px 10px;"
            f" margin: 2px {SPACE_2}px 0; selection-background-color: {palette.accent};"
            f" selection-color: {palette.on_accent}; }}"
            f"QListView {{ background: transparent; border: none; outline: none; }}"
            f"QLabel {{ color: {palette.text_3}; font-size: {SIZE_BODY}px; padding: {SPACE_2}px {SPACE_3}px; }}"
        )

    def eventFilter(self, watched: object, event: object) -> bool:
        """Keys of the list while the field has the focus."""
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QKeyEvent.Type.KeyPress:
            return self._key(event)
        return False

    def _key(self, event: QKeyEvent) -> bool:
        moves = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: _ROWS_SHOWN,
            Qt.Key.Key_PageUp: -_ROWS_SHOWN,
        }
        if event.key() in moves:
            self._highlight(self.list.currentIndex().row() + moves[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.list.currentIndex(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif event.key() == Qt.Key.Key_Escape:
            self.close_quietly()
        else:
            return event.key() == Qt.Key.Key_Tab
        return True

    def _search(self, text: str) -> None:
        fits = [manifest for manifest in self._registry.manifests if manifest.category is not Category.TRIGGER]
        shown = fits if self._template.source is not None else self._registry.manifests
        self.model.show(find_actions(shown, text, _LIMIT))
        self._none.setText(f"No step matches “{text}”.")
        count = len(self.model.found)
        self._none.setVisible(not count)
        self.list.setVisible(bool(count))
        self.list.setFixedHeight(_ROW * min(max(count, 1), _ROWS_SHOWN))
        self._highlight(0)
        self.adjustSize()

    def _highlight(self, row: int) -> None:
        last = len(self.model.found) - 1
        if last >= 0:
            self.list.setCurrentIndex(self.model.index(max(0, min(row, last)), 0))

    def _choose(self, index: QModelIndex, without_wire: bool = False) -> None:
        if not index.isValid():
            return
        found = self.model.found[index.row()]
        chosen = replace(self._template, provider=found.manifest.id, action=found.action.id)
        if without_wire:
            chosen = replace(chosen, source=None, port=None)
        self.hide()
        self.chosen.emit(chosen)

    def _place(self, at: QPointF) -> None:
        """Below right of the point, moved so far that all of it, however many rows it may have, lies in the parent."""
        parent = self.parentWidget()
        assert parent is not None
        self.adjustSize()
        room = parent.rect().adjusted(8, 8, -8, -8)
        x = min(round(at.x()) + 12, room.right() - self.width())
        y = min(round(at.y()) + 12, room.bottom() - self.height())
        self.move(QPoint(max(room.left(), x), max(room.top(), y)))
