"""A run's own row: its state, its moves by the table of legal ones, and its end."""

import logging
from collections.abc import Callable
from dataclasses import replace

from flowstudio.engine.errors import EngineClosedError, IllegalMoveError, StalledError, failure_of
from flowstudio.engine.events import LogWritten, RunEnded, RunEvent, RunStarted, RunStateChanged
from flowstudio.engine.journal import Journal
from flowstudio.engine.model import LEGAL_MOVES, Failure, Run, RunOptions, RunState
from flowstudio.engine.ports import Clock, RunChange
from flowstudio.engine.tickets import Owner, Ticket, settled_ticket
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Json

log = logging.getLogger(__name__)


class RunRecord:
    """Guarded by its run's lock, but for `end`, which one thread calls once, last."""

    def __init__(
        self, run: Run, journal: Journal, clock: Clock, publish: Callable[[RunEvent], None], owner: Owner
    ) -> None:
        self.run = run
        self._journal = journal
        self._clock = clock
        self._publish = publish
        self._owner = owner
        self._began = clock.monotonic()
        self.last_ticket = settled_ticket()
        self.creation = self.last_ticket
        self._ending: tuple[Run, Ticket] | None = None

    def create(self) -> Ticket:
        """Stores the run without waiting for it. Raises EngineClosedError, StalledError."""
        self.creation = self.last_ticket = self._journal.create_soon(self.run, self._owner)
        return self.creation

    @property
    def is_unborn(self) -> bool:
        """The store did not take the run: there is nothing of it but this object."""
        return self.creation.is_done and self.creation.error is not None

    @property
    def state(self) -> RunState:
        return self.run.state

    def begin(self) -> RunStarted | None:
        """From queued to running; what to tell of it before any step starts, None if the journal tells it."""
        now, run = self._clock.now(), self.run
        self._began = self._clock.monotonic()  # not before: it may have waited in line
        self.run = replace(run, state=RunState.RUNNING, started_at=now)
        start = RunStarted(run.id, now, run.user_id, run.plan.id, run.plan.name, str(run.trigger.kind))
        untold = start if self.creation.is_done else None
        later = None if self.creation.is_done else start
        self.last_ticket = self._journal.submit(RunChange(run.id, RunState.RUNNING, now), later, self._owner)
        return untold

    def move(self, state: RunState, failure: Failure | None = None) -> None:
        """To another state that is not the last; does nothing when it is in it. Raises IllegalMoveError.

        failure: why, for a run that is interrupted.
        """
        if state is self.run.state:
            return
        if state not in LEGAL_MOVES[self.run.state]:
            raise IllegalMoveError(f"Run {self.run.id} cannot go from {self.run.state} to {state}.")
        self.run = replace(self.run, state=state, failure=failure)
        now = self._clock.now()
        event = RunStateChanged(self.run.id, now, state, failure)
        self.last_ticket = self._journal.submit(RunChange(self.run.id, state, now, failure), event, self._owner)

    def tell_stalled(self, stall: StalledError) -> None:
        """Shows a run that is at work as paused: nothing more starts until its results can be stored."""
        if self.state is RunState.RUNNING:
            self._publish(RunStateChanged(self.run.id, self._clock.now(), RunState.PAUSED, failure_of(stall)))

    def tell_flowing(self) -> None:
        """Shows the run as it is again."""
        now = self._clock.now()
        self._publish(RunStateChanged(self.run.id, now, self.state))
        text = "The run goes on: its results can be stored again."
        self._journal.tell(LogWritten(self.run.id, now, "warning", text))

    def set_options(self, options: RunOptions) -> Ticket:
        """Changes how the run differs from a plain one."""
        run = self.run = replace(self.run, options=options)
        change = RunChange(run.id, run.state, self._clock.now(), run.failure, None, options)
        self.last_ticket = self._journal.submit(change, None, self._owner)
        return self.last_ticket

    def end(
        self, state: RunState, failure: Failure | None, response: Json, steps_done: int, *, is_patient: bool = True
    ) -> None:
        """Writes the end and waits until it is durable; only then the run is seen as ended.

        When the store refuses it, the failure of that is tried; when that is refused too, the run ends in memory alone:
        to the store it is unfinished, and the next start takes it up as after a crash. So it is with a run whose end
        could not be stored before the program closed.

        is_patient: waits even while the journal stalls; if not, raises StalledError then, and is to be called again.
        """
        try:
            self._write_end(state, failure, response, steps_done, is_patient=is_patient)
        except StalledError:
            raise
        except EngineClosedError:
            log.warning("The end of run %s could not be stored; it goes on at the next start", self.run.id)
        except FlowStudioError as refusal:
            failure = failure_of(refusal)
            if self.is_unborn:
                self.drop(failure, steps_done)
                return
            try:
                self._journal.readmit(self.run.id)
                self._ending = None
                self._write_end(RunState.FAILED, failure, response, steps_done, is_patient=True)
            except FlowStudioError as error:
                self._end_in_memory(failure, steps_done, error)

    def drop(self, failure: Failure | None, steps_done: int) -> None:
        """Ends a run that the store did not take: its submitter hears why, those who heard of it that it is over."""
        self.run = replace(self.run, state=RunState.FAILED, finished_at=self._clock.now(), failure=failure)
        self._journal.tell(self._ended(self.run, steps_done))

    def _write_end(
        self, state: RunState, failure: Failure | None, response: Json, steps_done: int, *, is_patient: bool
    ) -> None:
        if self._ending is None:
            if state not in LEGAL_MOVES[self.run.state]:
                self.move(RunState.RUNNING)
            now = self._clock.now()
            ended = replace(self.run, state=state, finished_at=now, failure=failure, response=response)
            change = RunChange(ended.id, state, now, failure, response)
            self._ending = ended, self._journal.submit(change, self._ended(ended, steps_done), self._owner)
        ended, ticket = self._ending
        if is_patient:
            self._journal.outlast(ticket)
        else:
            ticket.wait()
        self.run = ended

    def _end_in_memory(self, failure: Failure, steps_done: int, error: FlowStudioError) -> None:
        log.error("The end of run %s could not be stored: %s", self.run.id, error)
        now = self._clock.now()
        self.run = replace(self.run, state=RunState.FAILED, finished_at=now, failure=failure)
        text = f"The history does not hold this run's end. {failure.sentence} The run goes on at the next start."
        self._publish(LogWritten(self.run.id, now, "error", text))
        self._publish(self._ended(self.run, steps_done))

    def _ended(self, run: Run, steps_done: int) -> RunEnded:
        assert run.finished_at is not None
        duration_ms = round((self._clock.monotonic() - self._began) * 1000, 3)
        return RunEnded(run.id, run.finished_at, run.state, run.failure, duration_ms, steps_done)
