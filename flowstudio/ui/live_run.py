"""LiveRun: the run a tab shows, from the press of the button to its end."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from PySide6.QtCore import QObject, Signal

from flowstudio.engine.events import (
    RunEnded,
    RunEvent,
    RunStarted,
    RunStateChanged,
    StepFailed,
    StepSkipped,
    StepSucceeded,
)
from flowstudio.engine.model import IterationPath, RunState, TriggerEvent
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Plan, StepId
from flowstudio.ui.tasks import Task
from flowstudio.workspace.services import Services


class LiveRun(QObject):
    """The id is chosen before the run starts, so no event of it can come too early to be known."""

    began = Signal()
    events = Signal(object)  # list of RunEvent
    changed = Signal()
    failed_to_start = Signal(object)  # FlowStudioError

    def __init__(self, services: Services, user_id: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._user_id = user_id
        self.run_id: str | None = None
        self.plan: Plan | None = None
        self.state: RunState | None = None
        self.end: RunEnded | None = None
        self.started_at: datetime | None = None
        self.last_iteration: dict[StepId, IterationPath] = {}
        """Where each step was heard of last: the iteration whose data is worth showing."""

    @property
    def is_active(self) -> bool:
        return self.state is not None and not self.state.is_final

    def start(self, plan: Plan, trigger: TriggerEvent) -> None:
        """Starts a run of the plan as it is now; whatever was shown before is cleared."""
        run_id = str(uuid4())
        self.run_id, self.plan, self.end = run_id, plan, None
        self.last_iteration = {}
        self.state, self.started_at = RunState.QUEUED, datetime.now(UTC)
        self.began.emit()
        self.changed.emit()
        runs, user_id = self._services.runs, self._user_id
        Task(lambda: runs.start(user_id, plan, trigger, run_id), self).failure(self._refuse).start()

    def stop(self) -> None:
        run_id = self.run_id
        if run_id is not None and self.is_active:
            Task(lambda: self._services.runs.cancel(self._user_id, run_id), self).start()

    def take(self, batch: Sequence[RunEvent]) -> None:
        """A batch of the bridge; only this run's events count."""
        own = [event for event in batch if event.run_id == self.run_id]
        if not own:
            return
        before = self.state
        for event in own:
            if isinstance(event, RunStarted):
                self.state, self.started_at = RunState.RUNNING, event.at
            elif isinstance(event, RunStateChanged):
                self.state = event.state
            elif isinstance(event, RunEnded):
                self.state, self.end = event.state, event
            elif isinstance(event, StepSucceeded | StepFailed | StepSkipped):
                self.last_iteration[event.step_id] = event.iteration
        self.events.emit(own)
        if self.state is not before:
            self.changed.emit()

    def _refuse(self, error: FlowStudioError) -> None:
        self.state, self.run_id = None, None
        self.changed.emit()
        self.failed_to_start.emit(error)
