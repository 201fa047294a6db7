"""The banner over the canvas: the run that goes on, or the old one that is looked at, and the way out of it."""

from collections.abc import Mapping
from datetime import UTC, datetime

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QWidget

from flowstudio.engine.model import Failure, RunState
from flowstudio.ui.canvas.faces import count_text
from flowstudio.ui.chrome.elided_label import ElidedLabel
from flowstudio.ui.controls import push_button, tool_button
from flowstudio.ui.forms.editors.field_editor import set_look
from flowstudio.ui.icons import IconLabel, Icons
from flowstudio.ui.live_run import LiveRun
from flowstudio.ui.panels.data_panel import duration
from flowstudio.ui.tokens import SPACE_1, SPACE_2, SPACE_3

REFRESH_MS = 100  # counts change at most ten times a second
DOT = "  \N{MIDDLE DOT}  "


class RunBanner(QFrame):
    """Continue, step over and pause are the window's commands: shown while they can be given."""

    stop_wanted = Signal()
    back_wanted = Signal()

    def __init__(self, icons: Icons, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setProperty("role", "banner")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icons = icons
        self._run: LiveRun | None = None
        self._about = ""
        self._is_past = False
        self._mark = IconLabel(icons.icon("state-running", "running"), 18)
        self.text = ElidedLabel()
        self.follow = tool_button(None, "Follow run")
        self.follow.setDefaultAction(actions["follow-run"])
        self.follow.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.stop = push_button(
            "Stop", icons.icon("stop", "error"), name="Stop this run", clicked=self.stop_wanted.emit
        )
        self.resume = push_button("Continue", icons.icon("run", "ok"), clicked=actions["continue"].trigger)
        self.step = push_button("Step over", icons.icon("step-over"), clicked=actions["step-over"].trigger)
        self.pause = push_button("Pause", icons.icon("pause"), name="Pause this run", clicked=actions["pause"].trigger)
        for button, name in ((self.resume, "continue"), (self.step, "step-over"), (self.pause, "pause")):
            button.setToolTip(actions[name].toolTip())
        self.copy = push_button("Copy address", icons.icon("copy"), clicked=self._copy_address)
        self.back = push_button("Back to editing", icons.icon("back"), clicked=self.back_wanted.emit)
        self.answer = push_button("Answer", icons.icon("state-waiting", "warning"), name="Answer for the step")
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_3, SPACE_1, SPACE_1, SPACE_1)
        row.setSpacing(SPACE_2)
        steering = (self.copy, self.answer, self.resume, self.step, self.pause, self.stop)
        for part in (self._mark, self.text, self.follow, *steering, self.back):
            row.addWidget(part)
        self._refresh = QTimer(self, interval=REFRESH_MS)
        self._refresh.timeout.connect(self._show_figures)
        self.hide()

    def offer_answers(self, menu: QMenu) -> None:
        self.answer.setMenu(menu)

    def question(self) -> tuple[str, Failure] | None:
        """The run on show and what it asks."""
        run = self._run
        is_asking = run is not None and run.state is RunState.INTERRUPTED
        return (run.run_id, run.why) if run is not None and is_asking and run.run_id and run.why else None

    def show_running(self, about: str, run: LiveRun) -> None:
        """about: "Running draft". Goes by itself when the run has ended."""
        self._is_past = False
        self._show(about, run)

    def show_viewing(self, about: str, run: LiveRun) -> None:
        """about: "Viewing run today 14:00". Stays until the person goes back to editing."""
        self._is_past = True
        self._show(about, run)

    def put_away(self) -> None:
        self._run = None
        self._refresh.stop()
        self.hide()

    def _show(self, about: str, run: LiveRun) -> None:
        self._about, self._run = about, run
        tone = tone_of(run)
        self._mark.show_icon(self._icons.icon(*MARKS[tone]))
        set_look(self, "tone", "past" if self._is_past else tone)
        self.stop.setVisible(run.is_active)
        self.follow.setVisible(run.state in (RunState.QUEUED, RunState.RUNNING))
        self.answer.setVisible(run.state is RunState.INTERRUPTED)
        self.pause.setVisible(run.state in GOING)
        self.resume.setVisible(can_continue(run))
        self.step.setVisible(can_step(run))
        self.copy.setVisible(bool(run.call_address and run.standstill.calls))
        self.copy.setToolTip(f"Whoever calls this address lets the run go on:\n{run.call_address}")
        self.back.setVisible(self._is_past)
        if run.is_active:
            self._refresh.start()
        else:
            self._refresh.stop()
        self._show_figures()
        self.adjust()
        self.show()
        self.raise_()

    def _copy_address(self) -> None:
        run = self._run
        if run is not None and run.standstill.calls:
            QGuiApplication.clipboard().setText(run.address_of(run.standstill.calls[0][0]))

    def _show_figures(self) -> None:
        run = self._run
        figures = figures_of(run) if run is not None else []
        # Why it stands still comes first: where there is little room, it is what has to be read.
        parts = [*figures, self._about] if run is not None and run.why_it_stands else [self._about, *figures]
        text = DOT.join(parts) if run is not None else ""
        if text != self.text.full_text:
            self.text.show_text(text)
            self.adjust()

    def adjust(self) -> None:
        """Takes the room its words need, in the middle of the top edge of what it lies over."""
        self._row.activate()
        width = min(self.sizeHint().width(), self._over.width() - 2 * SPACE_3)
        self.setGeometry((self._over.width() - width) // 2, SPACE_3, width, self.sizeHint().height())


MARKS = {
    "running": ("state-running", "running"),
    "ok": ("state-ok", "ok"),
    "error": ("state-failed", "error"),
    "waiting": ("state-waiting", "waiting"),
    "warning": ("state-cancelled", "warning"),
}


GOING = (RunState.RUNNING, RunState.WAITING)


def can_continue(run: LiveRun) -> bool:
    """Whether a person holds it; one that cannot be stored goes on by itself as soon as it can."""
    return run.state is RunState.PAUSED and run.why is None


def can_step(run: LiveRun) -> bool:
    return can_continue(run) and bool(run.standstill.paused)


def tone_of(run: LiveRun) -> str:
    match run.state:
        case RunState.SUCCEEDED:
            return "ok"
        case RunState.FAILED:
            return "error"
        case RunState.CANCELLED | RunState.INTERRUPTED:
            return "warning"
        case RunState.WAITING | RunState.PAUSED | RunState.QUEUED:
            return "waiting"
        case _:
            return "running"


def figures_of(run: LiveRun) -> list[str]:
    """["34 s", "118 items"]: how long it goes on or went on, and what came out; why it stands still, if it does."""
    if run.why_it_stands:
        return [run.why_it_stands]
    figures = []
    if run.end is not None:
        figures.append(duration(run.end.duration_ms))
    elif run.started_at is not None and run.is_active:
        figures.append(clock_text((datetime.now(UTC) - run.started_at).total_seconds()))
    if run.items:
        figures.append(f"{count_text(run.items)} item{'' if run.items == 1 else 's'}")
    return figures


def clock_text(seconds: float) -> str:
    """Whole seconds, so that the banner does not flicker: 34 s, 2 min 5 s."""
    whole = max(0, int(seconds))
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
