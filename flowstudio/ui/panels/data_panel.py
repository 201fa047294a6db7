"""The Data pane: what went into the selected step of the shown run, and what came out, as tables or as JSON."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from flowstudio.engine.dry import DRY, UNSENT
from flowstudio.engine.model import REUSED_FROM, StepRun
from flowstudio.engine.steering import PINNED
from flowstudio.engine.stops import EDITED
from flowstudio.plan.evaluation.deferred import abridged
from flowstudio.plan.model import Json
from flowstudio.ui.chrome.elided_label import ElidedLabel
from flowstudio.ui.controls import text_label
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.data_view import DataView
from flowstudio.ui.panels.empty import EmptyState
from flowstudio.ui.panels.segments import Segments
from flowstudio.ui.tokens import SPACE_2, SPACE_3
from flowstudio.workspace.reuse import STALE
from flowstudio.workspace.step_input import StepInput

INPUT, OUTPUT, BOTH = range(3)
MOST_SHOWN = 8 * 1024 * 1024
"""Bytes of JSON brought from files for one side of the pane."""


class DataPanel(QWidget):
    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.received, self.gave = DataView("Input"), DataView("Output")
        self.model, self.table, self.json = self.gave.model, self.gave.table, self.gave.json
        self.sides = Segments(("Input", "Output", "Both"), "Side")
        self.sides.chosen.connect(self._choose_side)
        self.views = Segments(("Table", "JSON"), "View")
        for view in (self.received, self.gave):
            self.views.chosen.connect(view.choose)
        self._title = ElidedLabel()
        self._title.setProperty("role", "title")
        self._facts = ElidedLabel(shortest=0)
        self._facts.setProperty("role", "hint")
        self._problem = text_label("", "problem", wraps=True)
        self._problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._empty = EmptyState(icons, "data", "Select a step and run the plan to see its data.")
        self._lay_out()
        self.sides.choose(OUTPUT)
        self.show_nothing("Select a step and run the plan to see its data.")

    def show_nothing(self, text: str) -> None:
        self._empty.text.setText(text)
        self._stack.setCurrentWidget(self._empty)
        self._head.setVisible(False)
        self._problem.setVisible(False)

    def show_result(self, title: str, result: StepRun, received: StepInput | None = None) -> None:
        """The durable result of a step; received: what went into it, None where that is not asked for."""
        self._head.setVisible(True)
        self._title.show_text(title)
        self.gave.show_value(result.output, f"steps.{result.step_id}.output")
        if received is not None:
            self.received.show_value(received.value, received.path)
        self.sides.setVisible(received is not None)
        self._choose_side(self.sides.current if received is not None else OUTPUT)
        self._facts.show_text(facts_of(result, self.model.rowCount()))
        failure = result.failure
        self._problem.setText(f"{failure.sentence} {failure.fix}".strip() if failure else "")
        self._problem.setVisible(failure is not None)
        self._stack.setCurrentWidget(self._split)

    def _choose_side(self, side: int) -> None:
        self.received.setVisible(side != OUTPUT)
        self.gave.setVisible(side != INPUT)
        for view in (self.received, self.gave):
            view.caption.setVisible(side == BOTH)

    def _lay_out(self) -> None:
        self._head = QWidget()
        head = QHBoxLayout(self._head)
        head.setContentsMargins(SPACE_3, SPACE_2, SPACE_3, 0)
        head.setSpacing(SPACE_2)
        head.addWidget(self._title, 1)
        head.addWidget(self._facts, 1)
        head.addStretch(1)
        head.addWidget(self.sides)
        head.addWidget(self.views)
        problem = QHBoxLayout()
        problem.setContentsMargins(SPACE_3, 0, SPACE_3, 0)
        problem.addWidget(self._problem)
        self._problem.setVisible(False)
        self._split = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False, handleWidth=SPACE_3)
        self._split.addWidget(self.received)
        self._split.addWidget(self.gave)
        self._stack = QStackedWidget()
        for widget in (self._empty, self._split):
            self._stack.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_2)
        layout.addWidget(self._head)
        layout.addLayout(problem)
        layout.addWidget(self._stack, 1)


def at_hand(value: Json) -> Json:
    """A value to be shown, with what lies in files brought as far as a person can look at it. For another thread."""
    return abridged(value, MOST_SHOWN)


def facts_of(result: StepRun, rows: int) -> str:
    """ "120 items · 34 ms · try 2"."""
    parts = [f"{rows:,} item{'' if rows == 1 else 's'}", duration(result.duration_ms)]
    if result.iteration:
        parts.insert(0, "item " + ".".join(str(each + 1) for each in result.iteration))
    if result.attempt > 1:
        parts.append(f"try {result.attempt}")
    if result.started_at is not None:
        parts.append(f"{result.started_at.astimezone():%H:%M:%S}")
    parts += origins_of(result)
    return "  ·  ".join(parts)


def origins_of(result: StepRun) -> list[str]:
    """Where the output is from, if not from the step itself as the plan has it."""
    facts = result.metadata
    told = {
        PINNED: "pinned",
        REUSED_FROM: "reused from an earlier run",
        STALE: "older than the step",
        EDITED: "input edited by hand",
    }
    found = [text for name, text in told.items() if name in facts]
    return [*found, "what would be sent"] if facts.get(DRY) == UNSENT and result.output is not None else found


def duration(milliseconds: float) -> str:
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
