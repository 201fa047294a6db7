"""What the bottom panes show of a tab's run: states, log, and the selected step's data."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer
from shiboken6 import isValid

from flowstudio.engine.events import RunEvent
from flowstudio.engine.model import RunState, StepRun
from flowstudio.plan.model import StepId
from flowstudio.ui.editor.shown_run import ShownRun
from flowstudio.ui.live_run import LiveRun
from flowstudio.ui.panels.data_panel import DataPanel, at_hand, duration
from flowstudio.ui.panels.log_panel import LogPanel
from flowstudio.ui.panels.run_panel import RunPanel
from flowstudio.ui.tasks import Task
from flowstudio.workspace.services import Services
from flowstudio.workspace.step_input import StepInput

FETCH_AFTER_MS = 80  # a step in a loop finishes many times a second; its data is read once in a while

TONES = {
    RunState.QUEUED: ("Queued", "waiting"),
    RunState.RUNNING: ("Running", "running"),
    RunState.WAITING: ("Waiting", "waiting"),
    RunState.PAUSED: ("Paused", "waiting"),
    RunState.SUCCEEDED: ("Succeeded", "ok"),
    RunState.FAILED: ("Failed", "error"),
    RunState.CANCELLED: ("Stopped", "warning"),
    RunState.INTERRUPTED: ("Interrupted", "warning"),
}


class RunView(QObject):
    """Shows one run at a time; each keeps its own lines and rows."""

    def __init__(
        self,
        run_panel: RunPanel,
        log_panel: LogPanel,
        data_panel: DataPanel,
        services: Services,
        user_id: str,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._run_panel, self._log_panel, self._data_panel = run_panel, log_panel, data_panel
        self._services, self._user_id = services, user_id
        self._shown: ShownRun | None = None
        self._step: StepId | None = None
        self._fetch = QTimer(self, singleShot=True, interval=FETCH_AFTER_MS)
        self._fetch.timeout.connect(self._read_data)

    def show_run(self, shown: ShownRun | None) -> None:
        """Shows what that tab ran last, or the old run it looks at, and follows what it does next."""
        if self._shown is not None and isValid(self._shown):
            self._shown.live.began.disconnect(self._begin)
            self._shown.live.events.disconnect(self._take)
            self._shown.live.changed.disconnect(self._show_state)
        self._shown = shown
        if shown is not None:
            shown.live.began.connect(self._begin)
            shown.live.events.connect(self._take)
            shown.live.changed.connect(self._show_state)
            self._begin()
            self._show_state()
        self.show_step(None)

    def show_step(self, step_id: StepId | None) -> None:
        self._step = step_id
        self._read_data()

    def _begin(self) -> None:
        assert self._shown is not None
        self._run_panel.show_model(self._shown.run_model, self._shown.live.run_id is not None)
        self._log_panel.show_model(self._shown.log_model, self._shown.labels())
        self._read_data()

    def _take(self, events: Sequence[RunEvent]) -> None:
        is_ours = any(getattr(event, "step_id", None) == self._step for event in events)
        if is_ours and self._step is not None and not self._fetch.isActive():
            self._fetch.start()

    def _show_state(self) -> None:
        assert self._shown is not None
        run = self._shown.live
        if run.state is not None:
            title, tone = TONES[run.state]
            self._run_panel.show_state(title, tone, facts_of(run))

    def _read_data(self) -> None:
        shown, step_id = self._shown, self._step
        if shown is None or step_id is None or not shown.plan.has_step(step_id):
            self._data_panel.show_nothing("Select a step to see its data.")
            return
        label = shown.plan.step(step_id).label
        run_id, iteration = shown.live.run_id, shown.live.last_iteration.get(step_id)
        if run_id is None or iteration is None:
            self._data_panel.show_nothing(f"Run the plan to see the data of “{label}”.")
            return
        runs, user_id = self._services.runs, self._user_id

        def read() -> tuple[StepRun | None, StepInput]:
            result = runs.step(user_id, run_id, step_id, iteration)
            received = runs.received(user_id, run_id, step_id, iteration)
            shown_result = replace(result, output=at_hand(result.output)) if result is not None else None
            return shown_result, replace(received, value=at_hand(received.value))

        def show(found: tuple[StepRun | None, StepInput]) -> None:
            result, received = found
            if self._shown is shown and self._step == step_id and result is not None:
                self._data_panel.show_result(label, result, received)

        Task(read, self).success(show).start()


def facts_of(run: LiveRun) -> str:
    if run.end is not None:
        steps = "1 step" if run.end.steps_done == 1 else f"{run.end.steps_done} steps"
        text = f"{steps} in {duration(run.end.duration_ms)}"
        return f"{text}  ·  {run.end.failure.sentence}" if run.end.failure else text
    since = f"since {run.started_at.astimezone():%H:%M:%S}" if run.started_at else ""
    return "  ·  ".join(part for part in (since, run.why_it_stands) if part)
