"""The life of one run: which thread takes which step, and how the run waits, pauses, ends.

A runner is a state object, not a call stack. A thread brings the end of one step, takes the next attempt away and
goes on with it; what else became ready goes to the pool. So a chain of steps stays on one thread (a hop to another
costs 100 us), branches run side by side, and a run that waits or is paused is only an object in memory.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from flowstudio.engine.cancel import CancelToken
from flowstudio.engine.compile import Program
from flowstudio.engine.errors import IllegalMoveError, failure_of
from flowstudio.engine.events import LogWritten, RunEnded, RunEvent, RunStarted, RunStateChanged, StepStarted
from flowstudio.engine.flow import Iterate
from flowstudio.engine.journal import Journal
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import LEGAL_MOVES, Failure, Run, RunState, StepState
from flowstudio.engine.pool import Pool
from flowstudio.engine.ports import Clock, RunChange
from flowstudio.engine.progress import Known, Progress, Verdict
from flowstudio.engine.step import Attempt, Delay, Ending, Outcome, StepPerformer
from flowstudio.engine.timers import Timer, Timers
from flowstudio.errors import FlowStudioError

log = logging.getLogger(__name__)

LONGEST_NAP_S = 30.0
"""A parked run looks at the wall clock at least this often: the monotonic clock stands still in a sleeping laptop."""


@dataclass(frozen=True, slots=True)
class Works:
    """The machinery all runs share."""

    journal: Journal
    pool: Pool
    timers: Timers
    performer: StepPerformer
    clock: Clock
    publish: Callable[[RunEvent], None]
    limits: EngineLimits


class Runner:
    """Runs one run. Steering methods are quick and may be called from any thread."""

    def __init__(
        self,
        run: Run,
        program: Program,
        works: Works,
        on_end: Callable[[str], None],
        known: Known | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        """known, verdict: what an earlier life of the run left behind. on_end is called with the run's id."""
        self._run = run
        self._works = works
        self._on_end = on_end
        self._lock = threading.Lock()
        self._token = CancelToken()
        self._progress = Progress(run, program, known or {}, verdict, works.journal, works.clock, self)
        self._in_flight: set[Attempt] = set()
        self._parked: dict[Attempt, Timer] = {}
        self._held: list[Attempt] = []
        self._interrupted: list[Attempt] = []
        self._verdict: Verdict | None = None
        self._is_paused = run.state is RunState.PAUSED
        self._is_halted = False
        self._is_finishing = False
        self._is_refused = False
        self._idle = threading.Event()
        self._ended = threading.Event()
        self._began = works.clock.monotonic()

    @property
    def run(self) -> Run:
        return self._run

    def wait(self, timeout_s: float | None) -> Run | None:
        """The run in its final state, durable; None when it has not ended by then."""
        self._ended.wait(timeout_s)
        return self._run if self._run.state.is_final else None

    def start(self) -> None:
        self._works.pool.submit(self._begin)

    def cancel(self) -> bool:
        """False when the run is ending anyway."""
        return self._stop(Verdict(RunState.CANCELLED))

    def pause(self) -> bool:
        """Starts no more steps; those at work come to their end."""
        with self._lock:
            if self._verdict is not None or self._is_paused:
                return False
            self._is_paused = True
            self._rest()
            return True

    def resume(self) -> bool:
        with self._lock:
            if self._verdict is not None or not self._is_paused:
                return False
            self._is_paused = False
            held, self._held = self._held, []
            self._move(RunState.RUNNING)
            self._dispatch(self._admit(held))
            self._rest()
            return True

    def halt(self) -> None:
        """Stops without an end, as a crash would: the next start of the application takes the run up again."""
        with self._lock:
            self._is_halted = True
            self._unpark()
            self._rest()

    def leave(self, timeout_s: float) -> bool:
        """Waits for the steps at work after halt(); False when some did not come back. Wakes all who wait."""
        is_idle = self._idle.wait(timeout_s)
        if not is_idle:
            self._token.cancel()
            is_idle = self._idle.wait(self._works.limits.grace_s)
        self._ended.set()
        return is_idle

    def refused(self, error: FlowStudioError) -> None:
        """The journal could not keep a result: the run fails, whatever it was about to become."""
        with self._lock:
            is_first, self._is_refused = not self._is_refused, True
        if is_first and self._stop(Verdict(RunState.FAILED, failure_of(error)), overrules=True):
            log.error("Run %s fails because its journal cannot be written: %s", self._run.id, error)

    # On pool threads

    def _begin(self) -> None:
        with self._lock:
            if self._verdict is not None or self._is_halted:
                return  # ended before it began
            if self._run.state is RunState.QUEUED:
                self._announce_start()
            following = self._advance(self._progress.begin())
            is_over = self._rest()
        self._go_on(following, is_over)

    def _work(self, attempt: Attempt) -> None:
        self._go_on(attempt, False)

    def _go_on(self, attempt: Attempt | None, is_over: bool) -> None:
        """Step after step on this thread, as long as there is one."""
        while attempt is not None:
            attempt, is_over = self._take_step(attempt)
        if is_over:
            self._finish()

    def _take_step(self, attempt: Attempt) -> tuple[Attempt | None, bool]:
        with self._lock:
            if not self._may_start(attempt):
                return None, self._rest()
            attempt.thread_id = threading.get_ident()
        return self._settle(attempt, self._perform(attempt))

    def _may_start(self, attempt: Attempt) -> bool:
        if attempt not in self._in_flight:
            return False
        if self._verdict is None and not self._is_paused and not self._is_halted:
            return True
        self._in_flight.discard(attempt)
        if self._verdict is None and not self._is_halted:
            self._held.append(attempt)
        return False

    def _perform(self, attempt: Attempt) -> Ending:
        works = self._works
        try:
            self._await_durable(attempt)
        except FlowStudioError as error:
            self.refused(error)
            return Outcome(StepState.CANCELLED)
        walk, node = attempt.walk, attempt.node
        if attempt.started_at is None:  # a wait step whose time has come started long ago
            attempt.started_at = works.clock.now()
            attempt.started = works.clock.monotonic()
            works.publish(StepStarted(self._run.id, attempt.started_at, node.step.id, walk.path, attempt.number))
        return works.performer.perform(self._run, attempt, self._progress.scope(walk), self._token, self._give_up)

    def _await_durable(self, attempt: Attempt) -> None:
        """The one place that decides what must be on disk before a step starts: every result that leads to it.

        The items of a loop lead to none of each other, so a loop of quick steps does not wait for the disk between
        them; and as the journal keeps the order, the loop's own result brings all of theirs.
        """
        results = attempt.walk.results
        for inlet in attempt.node.inlets:
            result = results.get(inlet.source)
            if result is not None:
                result.ticket.wait()

    def _settle(self, attempt: Attempt, ending: Ending) -> tuple[Attempt | None, bool]:
        """Takes in how an attempt ended; what this thread does next, and whether the run is over."""
        with self._lock:
            if attempt not in self._in_flight:
                return None, False  # given up meanwhile: its end is written already
            self._in_flight.discard(attempt)
            following = self._advance(self._take_in(attempt, ending))
            is_over = self._rest()
        if self._verdict is not None:
            self._interrupt()
        if not self._works.journal.has_room:
            self._slow_down()
        return following, is_over

    def _take_in(self, attempt: Attempt, ending: Ending) -> list[Attempt]:
        if self._is_halted and not (isinstance(ending, Outcome) and ending.state is StepState.SUCCEEDED):
            return []  # it may have failed because of the halt: let the next start do it again
        if isinstance(ending, Outcome):
            return self._progress.settle(attempt, ending)
        if self._verdict is not None:
            return self._progress.settle(attempt, Outcome(StepState.CANCELLED))
        if isinstance(ending, Iterate):
            return self._progress.iterate(attempt, ending)
        return [self._delayed(attempt, ending)]

    def _delayed(self, attempt: Attempt, delay: Delay) -> Attempt:
        self._progress.park(attempt, delay)
        return attempt.again(delay.due, is_retry=delay.failure is not None)

    def _slow_down(self) -> None:
        """More results await the disk than memory should hold: wait for the last one."""
        try:
            self._progress.last_ticket.wait()
        except FlowStudioError:
            log.debug("Run %s was told of the refusal already", self._run.id)

    # Under the lock

    def _advance(self, ready: Sequence[Attempt]) -> Attempt | None:
        """Sends what is ready on its way; the attempt this thread shall take itself."""
        if self._progress.verdict is not None and self._verdict is None:
            self._decide(self._progress.verdict)
        startable = self._admit(ready)
        self._dispatch(startable[1:])
        return startable[0] if startable else None

    def _admit(self, ready: Sequence[Attempt]) -> list[Attempt]:
        """Parks what is not due, holds all while paused; the attempts that may start, now in flight."""
        if self._verdict is not None or self._is_halted:
            return []
        startable: list[Attempt] = []
        for attempt in ready:
            if attempt.due is not None and not self._is_due(attempt):
                self._park(attempt)
            elif self._is_paused:
                self._held.append(attempt)
            else:
                startable.append(attempt)
        if startable:
            self._in_flight.update(startable)
            self._move(RunState.RUNNING)
        return startable

    def _dispatch(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._works.pool.submit(self._work, attempt)

    def _is_due(self, attempt: Attempt) -> bool:
        return attempt.due is None or attempt.due <= self._works.clock.now()

    def _wake(self, attempt: Attempt) -> None:
        """On the timer thread: a parked attempt's nap is over."""
        with self._lock:
            if self._parked.pop(attempt, None) is not None:
                self._dispatch(self._admit([attempt]))
                self._rest()

    def _park(self, attempt: Attempt) -> None:
        assert attempt.due is not None
        remaining_s = (attempt.due - self._works.clock.now()).total_seconds()
        call = partial(self._wake, attempt)
        self._parked[attempt] = self._works.timers.after(min(remaining_s, LONGEST_NAP_S), call)

    def _unpark(self) -> None:
        for timer in self._parked.values():
            timer.cancel()
        self._interrupted.extend(self._parked)
        self._parked.clear()
        self._held.clear()

    def _decide(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._unpark()

    def _rest(self) -> bool:
        """With nothing in flight: is the run over? If not, it waits or is paused. True at most once."""
        if self._in_flight or self._is_finishing:
            return False
        if self._is_halted:
            self._idle.set()
        elif self._verdict is not None or self._progress.is_done:
            self._is_finishing = True
            return True
        elif self._is_paused:
            self._move(RunState.PAUSED)
        elif self._parked:
            self._move(RunState.WAITING)
        return False

    def _move(self, state: RunState) -> None:
        """Takes the run to another state that is not its last, and writes that down."""
        if state is self._run.state:
            return
        if state not in LEGAL_MOVES[self._run.state]:
            raise IllegalMoveError(f"Run {self._run.id} cannot go from {self._run.state} to {state}.")
        self._run = replace(self._run, state=state)
        now = self._works.clock.now()
        event = RunStateChanged(self._run.id, now, state)
        self._works.journal.submit(RunChange(self._run.id, state, now), event, self)

    def _announce_start(self) -> None:
        now, run = self._works.clock.now(), self._run
        self._run = replace(run, state=RunState.RUNNING, started_at=now)
        self._works.publish(RunStarted(run.id, now, run.user_id, run.plan.id, run.plan.name, str(run.trigger.kind)))
        self._works.journal.submit(RunChange(run.id, RunState.RUNNING, now), None, self)

    # Ends

    def _stop(self, verdict: Verdict, *, overrules: bool = False) -> bool:
        """Ends the run before its last step: nothing more starts, what blocks is interrupted."""
        with self._lock:
            if self._is_finishing or self._is_halted or (self._verdict is not None and not overrules):
                return False
            self._decide(verdict)
            is_over = self._rest()
        self._interrupt()
        if is_over:
            self._works.pool.submit(self._finish)
        return True

    def _interrupt(self) -> None:
        """Ends what blocks in other threads of this run; who does not come back in time is given up."""
        if self._token.is_set:
            return
        self._token.cancel()
        self._works.timers.after(self._works.limits.grace_s, self._give_up_all)

    def _give_up(self, attempt: Attempt, ending: Outcome | Delay) -> None:
        """On the timer thread: an attempt ignored its time limit. It is settled without it, its thread written off."""
        with self._lock:
            if attempt not in self._in_flight:
                return
        log.warning("Step %s of run %s ignores its time limit and is given up", attempt.node.step.id, self._run.id)
        self._works.pool.write_off(attempt.thread_id)
        self._works.pool.submit(self._settle_for, attempt, ending)

    def _settle_for(self, attempt: Attempt, ending: Outcome | Delay) -> None:
        self._go_on(*self._settle(attempt, ending))

    def _give_up_all(self) -> None:
        """On the timer thread: the run was ended, and some steps still have not come back."""
        with self._lock:
            stuck = list(self._in_flight)
            self._in_flight.clear()
            self._interrupted.extend(stuck)
            is_over = self._rest()
        for attempt in stuck:
            log.warning("Step %s of run %s does not end and is given up", attempt.node.step.id, self._run.id)
            self._works.pool.write_off(attempt.thread_id)
        if is_over:
            self._works.pool.submit(self._finish)

    def _finish(self) -> None:
        """Writes the run's end; only when that is durable the run is seen as ended."""
        verdict = self._verdict or Verdict(RunState.SUCCEEDED)
        with self._lock:
            self._works.journal.readmit(self._run.id)
            self._progress.mark_rest(self._interrupted)
        try:
            self._write_end(verdict.state, verdict.failure)
        except FlowStudioError as error:
            self._end_undurably(failure_of(error))
        self._ended.set()
        self._on_end(self._run.id)

    def _write_end(self, state: RunState, failure: Failure | None) -> None:
        if state not in LEGAL_MOVES[self._run.state]:
            self._move(RunState.RUNNING)
        now, response = self._works.clock.now(), self._progress.response
        ended = replace(self._run, state=state, finished_at=now, failure=failure, response=response)
        change = RunChange(self._run.id, state, now, failure, response)
        self._works.journal.submit(change, self._end_event(ended), self).wait()
        self._run = ended

    def _end_undurably(self, failure: Failure) -> None:
        """The journal refuses the run's end. Tries once more to keep the failure, else ends the run in memory alone."""
        self._works.journal.readmit(self._run.id)
        try:
            self._write_end(RunState.FAILED, failure)
        except FlowStudioError as error:
            log.error("The end of run %s could not be stored: %s", self._run.id, error)
            now = self._works.clock.now()
            self._run = replace(self._run, state=RunState.FAILED, finished_at=now, failure=failure)
            text = f"This run's end is not in the history: {failure.sentence} It starts again with the application."
            self._works.publish(LogWritten(self._run.id, now, "error", text))
            self._works.publish(self._end_event(self._run))

    def _end_event(self, run: Run) -> RunEnded:
        assert run.finished_at is not None
        duration_ms = round((self._works.clock.monotonic() - self._began) * 1000, 3)
        return RunEnded(run.id, run.finished_at, run.state, run.failure, duration_ms, self._progress.steps_done)
