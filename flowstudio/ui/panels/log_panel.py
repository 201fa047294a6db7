"""The Log pane: what the run says, filtered by level and by step."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flowstudio.engine.events import RunEvent
from flowstudio.plan.model import StepId
from flowstudio.ui.controls import push_button
from flowstudio.ui.forms.editors.choice import QuietComboBox
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.log_model import LogModel
from flowstudio.ui.panels.tables import quiet_table
from flowstudio.ui.tokens import SPACE_2, SPACE_3

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
        self.table = quiet_table(self.model, "Log", (120, 168))
        self.table.activated.connect(self._open)
        self.level = QuietComboBox()
        self.level.setAccessibleName("Level")
        for level, title in LEVEL_TITLES.items():
            self.level.addItem(title, level)
        self.level.setCurrentIndex(1)
        self.step = QuietComboBox()
        self.step.setAccessibleName("Step")
        self.step.setMinimumContentsLength(14)
        self.step.addItem("All steps", None)
        self.level.activated.connect(self._filter)
        self.step.activated.connect(self._filter)
        clear = push_button("Clear", kind="quiet")
        clear.clicked.connect(self.model.clear)
        bar = QHBoxLayout()
        bar.setContentsMargins(SPACE_3, SPACE_2, SPACE_3, 0)
        bar.setSpacing(SPACE_2)
        bar.addWidget(self.level)
        bar.addWidget(self.step)
        bar.addStretch(1)
        bar.addWidget(clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_2)
        layout.addLayout(bar)
        layout.addWidget(self.table, 1)

    def begin(self, labels: Mapping[StepId, str]) -> None:
        """A run starts: an empty log, and the names its steps have."""
        self.model.clear()
        self._follows_end = True
        self.model.set_labels(labels)
        chosen = self.step.currentData()
        self.step.clear()
        self.step.addItem("All steps", None)
        for step_id, label in labels.items():
            self.step.addItem(label, step_id)
        self.step.setCurrentIndex(max(0, self.step.findData(chosen)))
        self._filter()

    def append(self, events: Sequence[RunEvent]) -> None:
        """Follows the end while the end is in view."""
        bar = self.table.verticalScrollBar()
        if self.isVisible():
            self._follows_end = bar.value() >= bar.maximum() - 1
        self.model.append(events)
        if self._follows_end:
            self.table.scrollToBottom()

    def showEvent(self, event: QShowEvent) -> None:
        """Lines that came while the pane was hidden could not be scrolled to."""
        super().showEvent(event)
        if self._follows_end:
            self.table.scrollToBottom()

    def _filter(self) -> None:
        self.model.set_filter(str(self.level.currentData()), self.step.currentData())
        self.table.scrollToBottom()

    def _open(self, index: QModelIndex) -> None:
        step_id = self.model.line(index.row()).step_id
        if step_id:
            self.step_wanted.emit(step_id)
