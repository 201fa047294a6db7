"""The Data pane: the selected step's output of the shown run, as a table or as JSON."""

import json

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from flowstudio.engine.model import StepRun
from flowstudio.plan.model import Json
from flowstudio.ui.controls import text_label
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.data_model import DataModel
from flowstudio.ui.panels.empty import EmptyState
from flowstudio.ui.panels.segments import Segments
from flowstudio.ui.tasks import Task
from flowstudio.ui.tokens import ROW_HEIGHT, SPACE_2, SPACE_3

JSON_LIMIT = 2_000_000  # characters of JSON text that are laid out; more would stall the window


class DataPanel(QWidget):
    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.model = DataModel()
        self.table = _table(self.model)
        self.json = QPlainTextEdit(readOnly=True)
        self.json.setProperty("role", "code")
        self.json.setAccessibleName("Output as JSON")
        self.json.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.views = Segments(("Table", "JSON"), "View")
        self.views.chosen.connect(self._choose)
        self._title = text_label("", "title")
        self._facts = text_label("", "hint")
        self._problem = text_label("", "problem", wraps=True)
        self._problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._empty = EmptyState(icons, "data", "Select a step and run the plan to see its data.")
        self._value: Json = None
        self._is_json_stale = True
        self._lay_out()
        self.show_nothing("Select a step and run the plan to see its data.")

    def show_nothing(self, text: str) -> None:
        self._empty.text.setText(text)
        self._stack.setCurrentWidget(self._empty)
        self._head.setVisible(False)

    def show_result(self, title: str, result: StepRun) -> None:
        """The durable result of a step."""
        self._head.setVisible(True)
        self._title.setText(title)
        self._value = result.output
        self._is_json_stale = True
        self.model.show_value(result.output)
        _fit_columns(self.table, self.model)
        self._facts.setText(facts_of(result, self.model.rowCount()))
        failure = result.failure
        self._problem.setText(f"{failure.sentence} {failure.fix}".strip() if failure else "")
        self._problem.setVisible(failure is not None)
        self._choose(1 if self._stack.currentWidget() is self.json else 0)

    def _choose(self, view: int) -> None:
        if view == 0:
            self._stack.setCurrentWidget(self.table)
            return
        self._stack.setCurrentWidget(self.json)
        if self._is_json_stale:
            self._is_json_stale = False
            value = self._value
            Task(lambda: pretty(value), self).success(self.json.setPlainText).start()

    def _lay_out(self) -> None:
        self._head = QWidget()
        head = QHBoxLayout(self._head)
        head.setContentsMargins(SPACE_3, SPACE_2, SPACE_3, 0)
        head.setSpacing(SPACE_3)
        head.addWidget(self._title)
        head.addWidget(self._facts)
        head.addStretch(1)
        head.addWidget(self.views)
        problem = QHBoxLayout()
        problem.setContentsMargins(SPACE_3, 0, SPACE_3, 0)
        problem.addWidget(self._problem)
        self._problem.setVisible(False)
        self._stack = QStackedWidget()
        for widget in (self._empty, self.table, self.json):
            self._stack.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_2)
        layout.addWidget(self._head)
        layout.addLayout(problem)
        layout.addWidget(self._stack, 1)


def _table(model: DataModel) -> QTableView:
    table = QTableView(showGrid=False, wordWrap=False)
    table.setAlternatingRowColors(True)
    table.setModel(model)
    table.setAccessibleName("Output as a table")
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
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


def facts_of(result: StepRun, rows: int) -> str:
    """ "120 items · 34 ms · try 2"."""
    parts = [f"{rows:,} item{'' if rows == 1 else 's'}", duration(result.duration_ms)]
    if result.iteration:
        parts.insert(0, "item " + ".".join(str(each + 1) for each in result.iteration))
    if result.attempt > 1:
        parts.append(f"try {result.attempt}")
    if result.started_at is not None:
        parts.append(f"{result.started_at.astimezone():%H:%M:%S}")
    return "  ·  ".join(parts)


def duration(milliseconds: float) -> str:
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def pretty(value: Json) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    if len(text) > JSON_LIMIT:
        return f"{text[:JSON_LIMIT]}\n… {len(text) - JSON_LIMIT:,} more characters are not shown here."
    return text
