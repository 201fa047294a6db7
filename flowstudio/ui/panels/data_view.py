"""DataView: one value as a table or as JSON, and ways to copy from it."""

import json

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QPlainTextEdit,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from flowstudio.plan.model import Json
from flowstudio.ui.controls import text_label
from flowstudio.ui.panels.data_model import DataModel
from flowstudio.ui.tasks import Task
from flowstudio.ui.tokens import ROW_HEIGHT, SPACE_1, SPACE_3

JSON_LIMIT = 2_000_000  # characters of JSON text that are laid out; more would stall the window
TABLE, JSON = range(2)


class DataView(QWidget):
    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = DataModel()
        self.table = _table(self.model, f"{title} as a table")
        self.json = QPlainTextEdit(readOnly=True)
        self.json.setProperty("role", "code")
        self.json.setAccessibleName(f"{title} as JSON")
        self.json.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.caption = text_label(title, "label")
        self.caption.setContentsMargins(SPACE_3, 0, SPACE_3, 0)
        self._value: Json = None
        self._is_json_stale = True
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.json)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_1)
        layout.addWidget(self.caption)
        layout.addWidget(self._stack, 1)
        self._offer_copies()

    def show_value(self, value: Json, path: str) -> None:
        """path: the expression that reads it, as DataModel takes it."""
        self._value = value
        self._is_json_stale = True
        self.model.show_value(value, path)
        _fit_columns(self.table, self.model)
        self.choose(self._stack.currentIndex())

    def choose(self, view: int) -> None:
        """TABLE or JSON; the text is made only when it is asked for, in the background."""
        self._stack.setCurrentIndex(view)
        if view == JSON and self._is_json_stale:
            self._is_json_stale = False
            value = self._value
            Task(lambda: pretty(value), self).success(self.json.setPlainText).start()

    def copy_cells(self) -> None:
        """The selected cells, tabs between columns and a line a row."""
        rows: dict[int, list[str]] = {}
        for index in sorted(self.table.selectedIndexes()):
            rows.setdefault(index.row(), []).append(cell_text(self.model.cell(index.row(), index.column())))
        _to_clipboard("\n".join("\t".join(cells) for cells in rows.values()))

    def copy_json(self) -> None:
        """The current cell's value."""
        index = self.table.currentIndex()
        if index.isValid():
            _to_clipboard(json.dumps(self.model.cell(index.row(), index.column()), ensure_ascii=False, default=str))

    def copy_path(self) -> None:
        index = self.table.currentIndex()
        if index.isValid():
            _to_clipboard(self.model.path(index.row(), index.column()))

    def copy_expression(self) -> None:
        index = self.table.currentIndex()
        if index.isValid():
            _to_clipboard(f"{{{{ {self.model.path(index.row(), index.column())} }}}}")

    def _offer_copies(self) -> None:
        for text, keys, call in (
            ("Copy", "Ctrl+C", self.copy_cells),
            ("Copy as JSON", "", self.copy_json),
            ("Copy path", "Ctrl+Shift+C", self.copy_path),
            ("Copy as expression", "", self.copy_expression),
        ):
            action = QAction(text, self.table)
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _=False, act=call: act())
            self.table.addAction(action)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._show_menu)

    def _show_menu(self, at: QPoint) -> None:
        if self.table.currentIndex().isValid():
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.addActions(self.table.actions())
            menu.popup(self.table.viewport().mapToGlobal(at))


def cell_text(value: Json) -> str:
    """A whole value on one line of a spreadsheet."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.replace("\t", " ").replace("\n", " ")


def pretty(value: Json) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    if len(text) > JSON_LIMIT:
        return f"{text[:JSON_LIMIT]}\n… {len(text) - JSON_LIMIT:,} more characters are not shown here."
    return text


def _to_clipboard(text: str) -> None:
    if text:
        QGuiApplication.clipboard().setText(text)


def _table(model: DataModel, name: str) -> QTableView:
    table = QTableView(showGrid=False, wordWrap=False)
    table.setAlternatingRowColors(True)
    table.setModel(model)
    table.setAccessibleName(name)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setTabKeyNavigation(False)
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    # Measuring rows or columns by their contents would look at every cell; fixed sizes keep 100,000 rows instant.
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.horizontalHeader().setStretchLastSection(True)
    return table


def _fit_columns(table: QTableView, model: DataModel) -> None:
    """Columns share the room, none narrower than a word; judged by the first rows only."""
    metrics = table.fontMetrics()
    for column in range(model.columnCount()):
        texts = [str(model.index(row, column).data() or "") for row in range(min(20, model.rowCount()))]
        widest = max((metrics.horizontalAdvance(text[:60]) for text in [*texts, model.columns[column]]), default=0)
        table.setColumnWidth(column, min(320, max(72, widest + 28)))
