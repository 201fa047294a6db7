"""The Log pane: what the run says, filtered by level and by step."""

from collections.abc import Mapping

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from flowstudio.plan.model import StepId
from flowstudio.ui.controls import push_button
from flowstudio.ui.forms.editors.choice import QuietComboBox
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.log_model import LogModel
from flowstudio.ui.panels.palette import SearchLine
from flowstudio.ui.panels.tables import quiet_table, show_model
from flowstudio.ui.tokens import SPACE_2, SPACE_3

WIDTHS = (120, 168)
LEVEL_TITLES: Mapping[str, str] = {
    "debug": "Everything",
    "info": "Information",
    "warning": "Warnings and errors",
    "error": "Errors",
}


class LogPanel(QWidget):
    step_wanted = Signal(str)

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.model = LogModel(icons)
        self._follows_end = True
        self._watch(self.model)
        self.table = quiet_table(self.model, "Log", WIDTHS)
        self.table.activated.connect(self._open)
        self.level = QuietComboBox()
        self.level.setAccessibleName("Level")
        for level, title in LEVEL_TITLES.items():
            self.level.addItem(title, level)
        self.level.setCurrentIndex(1)
        self.step = QuietComboBox()
        self.step.setAccessibleName("Step")
        self.step.setMinimumContentsLength(8)
        self.step.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.step.addItem("All steps", None)
        self.level.activated.connect(self._filter)
        self.step.activated.connect(self._filter)
        self.search = SearchLine(icons, "Search the log")
        self.search.setMinimumWidth(96)
        self.search.setMaximumWidth(240)
        self.search.textChanged.connect(lambda _: self._filter())
        clear = push_button("Clear", kind="quiet")
        clear.clicked.connect(lambda: self.model.clear())
        bar = QHBoxLayout()
        bar.setContentsMargins(SPACE_3, SPACE_2, SPACE_3, 0)
        bar.setSpacing(SPACE_2)
        bar.addWidget(self.level)
        bar.addWidget(self.step, 1)
        bar.addWidget(self.search, 1)
        bar.addStretch(1)
        bar.addWidget(clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_2)
        layout.addLayout(bar)
        layout.addWidget(self.table, 1)

    def show_model(self, model: LogModel, labels: Mapping[StepId, str]) -> None:
        """The log of the tab in front, and the names its steps have."""
        if model is not self.model:
            self.model.rowsAboutToBeInserted.disconnect(self._note_end)
            self.model.rowsInserted.disconnect(self._follow_end)
            self._watch(model)
        self.model = model
        show_model(self.table, model, WIDTHS)
        self._follows_end = True
        chosen = self.step.currentData()
        self.step.clear()
        self.step.addItem("All steps", None)
        for step_id, label in labels.items():
            self.step.addItem(label, step_id)
        self.step.setCurrentIndex(max(0, self.step.findData(chosen)))
        self._filter()

    def _watch(self, model: LogModel) -> None:
        model.rowsAboutToBeInserted.connect(self._note_end)
        model.rowsInserted.connect(self._follow_end)

    def _note_end(self) -> None:
        """The end is followed while it is in view."""
        bar = self.table.verticalScrollBar()
        if self.isVisible():
            self._follows_end = bar.value() >= bar.maximum() - 1

    def _follow_end(self) -> None:
        if self._follows_end:
            self.table.scrollToBottom()

    def showEvent(self, event: QShowEvent) -> None:
        """Lines that came while the pane was hidden could not be scrolled to."""
        super().showEvent(event)
        if self._follows_end:
            self.table.scrollToBottom()

    def _filter(self) -> None:
        self.model.set_filter(str(self.level.currentData()), self.step.currentData(), self.search.text())
        self.table.scrollToBottom()

    def _open(self, index: QModelIndex) -> None:
        step_id = self.model.line(index.row()).step_id
        if step_id:
            self.step_wanted.emit(step_id)
