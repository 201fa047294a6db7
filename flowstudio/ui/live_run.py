"""LiveRun: the run a tab shows, from the press of the button to its end, or taken up from the store later."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from PySide6.QtCore import QObject, Signal

from flowstudio.engine.events import (
    LogWritten,
    RunEnded,
    RunEvent,
    RunHeld,
    RunStarted,
    RunStateChanged,
    StepCancelled,
    StepFailed,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from flowstudio.engine.model import PLAIN, Failure, IterationPath, Run, RunOptions, RunState, StepRun, TriggerEvent
from flowstudio.engine.retelling import retell
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Json, Plan, StepId
from flowstudio.ui.standstill import Standstill
from flowstudio.ui.tasks import Task
from flowstudio.workspace.reruns import ASK, Target
from flowstudio.workspace.reuse import Choices
from flowstudio.workspace.run_ids import new_run_id
from flowstudio.workspace.services import Services

_Key = tuple[str, StepId, IterationPath]
_Stored = tuple[Run, Sequence[StepRun], Sequence[LogWritten], str]


class LiveRun(QObject):
    """The id is chosen before the run starts, so no event of it can come too early to be known.

    items: how many its steps gave so far, all together. waits_for: why it does not start yet, "" when it does.
    standstill: the steps that stand still, and why. call_address: whose call resumes it, "" while it awaits none.
    """

    began = Signal()
    events = Signal(object)  # list of RunEvent
    changed = Signal()
    failed_to_start = Signal(object)  # FlowStudioError
    refused = Signal(object)  # FlowStudioError: it could not be steered so

    def __init__(self, services: Services, user_id: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._user_id = user_id
        self.run_id: str | None = None
        self.plan: Plan | None = None
        self.state: RunState | None = None
        self.end: RunEnded | None = None
        self.why: Failure | None = None
        """Why the run stands still: what it asks, or what keeps its results from being stored."""
        self.started_at: datetime | None = None
        self.items = 0
        self.waits_for = ""
        self.options = PLAIN
        self.input: Json = None
        self.standstill = Standstill()
        self.call_address = ""
        self.last_iteration: dict[StepId, IterationPath] = {}
        """Where each step was heard of last: the iteration whose data is worth showing."""
        self._preferred: dict[StepId, IterationPath] = {}
        self._is_starting = self._is_stop_due = False
        self._told: set[_Key | None] = set()
        self._early: list[RunEvent] | None = None
        """What came while the store was still being read; None when it is not."""

    @property
    def is_active(self) -> bool:
        return self.state is not None and not self.state.is_final

    def start(self, plan: Plan, trigger: TriggerEvent, options: RunOptions = PLAIN) -> None:
        """Starts a run of the plan as it is now; whatever was shown before is cleared."""
        runs, user_id = self._services.runs, self._user_id
        self._start(plan, options, lambda run_id: runs.start(user_id, plan, trigger, run_id, options))
        self.input = trigger.data

    def start_part(self, plan: Plan, target: Target, options: RunOptions, choices: Choices = ASK) -> None:
        """Starts a run of one step, or of all from it on, with stored outputs of what leads to it."""
        reruns, user_id = self._services.reruns, self._user_id

        def begin(run_id: str) -> None:
            reruns.part(user_id, plan, target, choices=choices, options=options, run_id=run_id)

        self._start(plan, options, begin, has_stored=True)

    def restart(self, plan: Plan, base_id: str, options: RunOptions, choices: Choices = ASK) -> None:
        """Goes on with this plan where that run failed or was stopped; what it finished is kept."""
        reruns, user_id = self._services.reruns, self._user_id

        def begin(run_id: str) -> None:
            reruns.restart(user_id, base_id, choices=choices, options=options, run_id=run_id, draft=plan)

        self._start(plan, options, begin, has_stored=True)

    def _start(
        self, plan: Plan, options: RunOptions, begin: Callable[[str], object], *, has_stored: bool = False
    ) -> None:
        """has_stored: the run begins with results of another, which no event tells: they are read from the store."""
        run_id = new_run_id()
        self._begin(run_id, plan, RunState.QUEUED, datetime.now(UTC), options)
        self._is_starting = True
        if has_stored:
            self._early = []

        def note(_: object) -> None:
            if self.run_id != run_id:
                return
            self._is_starting = False
            if has_stored:
                self._read_stored(run_id)
            if self._is_stop_due:
                self.stop()

        Task(lambda: begin(run_id), self).success(note).failure(self._refuse).start()

    def watch(self, run: Run) -> None:
        """Shows a run of the store: what it did so far, and what it goes on to do if it is under way."""
        self._begin(run.id, run.plan, run.state, run.started_at or run.created_at, run.options)
        self.input = run.trigger.data
        self._early = []
        self._read_stored(run.id)

    def _read_stored(self, run_id: str) -> None:
        runs, exports, user_id = self._services.runs, self._services.exports, self._user_id

        def read() -> _Stored:
            """The run first: had it ended by then, every result is there; if not, its end is still to be heard."""
            now = runs.get(user_id, run_id)
            lines = [line.as_event(run_id) for line in exports.whole_log(user_id, run_id)]
            return now, runs.steps(user_id, run_id), lines, runs.waits_for(now) or ""

        def show(found: _Stored) -> None:
            if self.run_id == run_id:
                self._show_stored(*found)

        Task(read, self).success(show).failure(self._refuse).start()

    def prefer(self, step_id: StepId, iteration: IterationPath) -> None:
        """Names the iteration whose data of that step is worth showing, whatever is heard of it later."""
        self._preferred[step_id] = iteration
        self.last_iteration[step_id] = iteration

    def stop(self) -> None:
        """Ends the run; one that is still being started as soon as it can be."""
        run_id = self.run_id
        self._is_stop_due = self._is_starting
        if run_id is not None and self.is_active and not self._is_starting:
            Task(lambda: self._services.runs.cancel(self._user_id, run_id), self).start()

    def pause(self) -> None:
        """Starts no more steps; those at work come to their end."""
        self._steer(lambda run_id: self._services.runs.pause(self._user_id, run_id))

    def resume(self) -> None:
        """Goes on until the next breakpoint."""
        self._steer(lambda run_id: self._services.breakpoints.resume(self._user_id, run_id))

    def step_over(self) -> None:
        """Performs the step the run stands before, and pauses again before what comes next."""
        self._steer(lambda run_id: self._services.breakpoints.step_over(self._user_id, run_id))

    def set_breakpoints(self, breakpoints: Mapping[StepId, str]) -> None:
        """Replaces those of the run under way; of steps its plan does not have nothing comes."""
        plan = self.plan
        if plan is not None and self.is_active:
            known = {step_id: condition for step_id, condition in breakpoints.items() if plan.has_step(step_id)}
            self._steer(lambda run_id: self._services.breakpoints.set(self._user_id, run_id, known))

    def _steer(self, act: Callable[[str], object]) -> None:
        run_id = self.run_id
        if run_id is not None and self.is_active and not self._is_starting:
            Task(lambda: act(run_id), self).failure(self.refused.emit).start()

    def take(self, batch: Sequence[RunEvent]) -> None:
        """A batch of the bridge; only this run's events count."""
        own = [event for event in batch if event.run_id == self.run_id and _key_of(event) not in self._told]
        if self._early is not None:
            self._early += own
        elif own:
            self._show(own)

    def _begin(self, run_id: str, plan: Plan, state: RunState, at: datetime, options: RunOptions) -> None:
        self.options, self.input, self.standstill, self.call_address = options, None, Standstill(plan), ""
        self.run_id, self.plan, self.state, self.started_at = run_id, plan, state, at
        self.end, self.why, self.items, self._early = None, None, 0, None
        self.waits_for = ""
        self.last_iteration, self._preferred, self._told = {}, {}, set()
        self._is_starting = self._is_stop_due = False
        self.began.emit()
        self.changed.emit()

    def _show_stored(
        self, run: Run, results: Sequence[StepRun], lines: Sequence[LogWritten], waits_for: str = ""
    ) -> None:
        """The stored part, then what came meanwhile. What was told from the store may still come as news: not twice."""
        told = retell(run, results, lines)
        if waits_for:
            told.append(RunHeld(run.id, run.created_at, waits_for))
        self._told = {_key_of(event) for event in told} - {None}
        early, self._early = self._early or [], None
        self._show([*told, *(event for event in early if _key_of(event) not in self._told)])

    def _show(self, own: Sequence[RunEvent]) -> None:
        before = self.state, self.why, self.waits_for, self.standstill.version
        for event in own:
            if isinstance(event, RunStarted):
                self.state, self.why, self.started_at, self.waits_for = RunState.RUNNING, None, event.at, ""
            elif isinstance(event, RunHeld):
                self.waits_for = event.reason if self.state is RunState.QUEUED else ""
            elif isinstance(event, RunStateChanged):
                self.state, self.why = event.state, event.failure
            elif isinstance(event, RunEnded):
                self.state, self.end, self.waits_for = event.state, event, ""
            elif isinstance(event, StepSucceeded | StepFailed | StepSkipped):
                self.last_iteration[event.step_id] = self._preferred.get(event.step_id, event.iteration)
                self.items += event.items if isinstance(event, StepSucceeded) else 0
            self.standstill.take(event)
        self.events.emit(own)
        if self.standstill.calls and not self.call_address:
            self._find_address()
        if (self.state, self.why, self.waits_for, self.standstill.version) != before or self.end is not None:
            self.changed.emit()

    @property
    def why_it_stands(self) -> str:
        """Why nothing moves now, in a few words or a sentence; "" while it does."""
        if not self.is_active:
            return ""
        if self.why is not None:
            return self.why.sentence
        if self.waits_for:
            return self.waits_for
        stands = self.state in (RunState.PAUSED, RunState.WAITING)
        return self.standstill.reason(is_paused=self.state is RunState.PAUSED) if stands else ""

    def address_of(self, step_id: StepId) -> str:
        """Whose call ends the wait of that step, "" unless it waits for one."""
        path = next((path for each, path in self.standstill.calls if each == step_id), None)
        if path is None or not self.call_address or not self.is_active:
            return ""
        if len(self.standstill.calls) == 1:
            return self.call_address
        iteration = f"?iteration={'.'.join(map(str, path))}" if path else ""
        return f"{self.call_address}/{step_id}{iteration}"

    def _find_address(self) -> None:
        run_id, runs, address, user_id = self.run_id, self._services.runs, self._services.address, self._user_id
        if run_id is None:
            return

        def find() -> str:
            return address.to_resume(runs.get(user_id, run_id).resume_key)

        def show(found: str) -> None:
            if self.run_id == run_id and not self.call_address:
                self.call_address = found
                self.changed.emit()

        Task(find, self).success(show).start()

    def _refuse(self, error: FlowStudioError) -> None:
        self.state, self.run_id = None, None
        self.changed.emit()
        self.failed_to_start.emit(error)


def _key_of(event: RunEvent) -> _Key | None:
    """Names what can happen once in a run; None for what can happen again and again, as tries."""
    match event:
        case LogWritten():
            return event.type, f"{event.at} {event.step_id} {event.text}", event.iteration
        case RunStarted() | RunEnded():
            return event.type, "", ()
        case StepStarted(attempt=1):
            return event.type, event.step_id, event.iteration
        case StepSucceeded() | StepFailed() | StepSkipped() | StepCancelled():
            return "result", event.step_id, event.iteration
    return None
