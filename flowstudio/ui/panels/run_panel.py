"""The Run pane: how each step of the shown run stands."""

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from flowstudio.ui.controls import text_label
from flowstudio.ui.forms.editors.field_editor import set_look
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.empty import EmptyState
from flowstudio.ui.panels.run_model import RunModel
from flowstudio.ui.panels.tables import quiet_table, show_model
from flowstudio.ui.tokens import SPACE_2, SPACE_3

WIDTHS = (184, 120, 56, 72, 80)


class RunPanel(QWidget):
    step_chosen = Signal(str)
    run_wanted = Signal()

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.model = RunModel(icons)
        self.table = quiet_table(self.model, "Steps of the run", WIDTHS)
        self.table.clicked.connect(self._choose)
        self.table.activated.connect(self._choose)
        self.state = text_label("", "pill")
        self.facts = text_label("", "hint")
        head = QHBoxLayout()
        head.setContentsMargins(SPACE_3, SPACE_2, SPACE_3, 0)
        head.setSpacing(SPACE_2)
        head.addWidget(self.state)
        head.addWidget(self.facts, 1)
        shown = QWidget()
        layout = QVBoxLayout(shown)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_2)
        layout.addLayout(head)
        layout.addWidget(self.table, 1)
        empty = EmptyState(icons, "runs", "No run yet.", "Run this plan", self.run_wanted.emit)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(empty)
        self._stack.addWidget(shown)

    def show_model(self, model: RunModel, has_run: bool) -> None:
        """The run of the tab in front; has_run is False while it never ran."""
        self.model = model
        show_model(self.table, model, WIDTHS)
        self._stack.setCurrentIndex(1 if has_run else 0)

    def show_state(self, title: str, tone: str, facts: str) -> None:
        """tone: ok, running, warning, error, waiting."""
        self.state.setText(title)
        set_look(self.state, "tone", tone)
        self.facts.setText(facts)

    def _choose(self, index: QModelIndex) -> None:
        self.step_chosen.emit(self.model.step_id(index.row()))
