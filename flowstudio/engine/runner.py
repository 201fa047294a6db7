"""The life of one run: which thread takes which step, and how the run waits, pauses, ends.

A runner is a state object, not a call stack. A thread brings the end of one step, takes the next attempt away and
goes on with it; what else became ready goes to the pool. So a chain of steps stays on one thread (a hop to another
costs 100 us), branches run side by side, and a run that waits or is paused is only an object in memory.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flowstudio.engine.attempts import Attempts
from flowstudio.engine.cancel import CancelToken
from flowstudio.engine.compile import Program
from flowstudio.engine.errors import engine_bug, failure_of
from flowstudio.engine.events import RunEvent, StepStarted
from flowstudio.engine.flow import Iterate
from flowstudio.engine.journal import Journal
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import Run, RunState, StepState
from flowstudio.engine.pool import Pool
from flowstudio.engine.ports import Clock
from flowstudio.engine.progress import Known, Progress, Verdict
from flowstudio.engine.record import RunRecord
from flowstudio.engine.step import Attempt, Delay, Ending, Outcome, StepPerformer
from flowstudio.engine.timers import Timers
from flowstudio.errors import FlowStudioError

log = logging.getLogger(__name__)


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
        self._works = works
        self._on_end = on_end
        self._lock = threading.Lock()
        self._token = CancelToken()
        self._progress = Progress(run, program, known or {}, verdict, works.journal, works.clock, self)
        self._record = RunRecord(run, works.journal, works.clock, works.publish, self)
        self._attempts = Attempts(works.timers, works.clock, self._wake)
        self._verdict: Verdict | None = None
        self._has_begun = False
        self._is_paused = run.state is RunState.PAUSED
        self._is_halted = False
        self._is_finishing = False
        self._is_refused = False
        self._idle = threading.Event()
        self._ended = threading.Event()

    @property
    def run(self) -> Run:
        return self._record.run

    def wait(self, timeout_s: float | None) -> Run | None:
        """The run in its final state, durable; None when it has not ended by then."""
        self._ended.wait(timeout_s)
        return self._record.run if self._record.state.is_final else None

    def start(self) -> None:
        self._submit(self._begin)

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
            self._record.move(RunState.RUNNING)
            self._dispatch(self._admit(self._attempts.release()))
            self._rest()
            return True

    def halt(self) -> None:
        """Stops without an end, as a crash would: the next start of the application takes the run up again."""
        with self._lock:
            self._is_halted = True
            self._attempts.drop_waiting()
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
        if self._stop(Verdict(RunState.FAILED, failure_of(error)), is_refusal=True):
            log.error("Run %s fails because its journal cannot be written: %s", self.run.id, error)

    # On pool threads

    def _submit(self, call: Callable[..., None], *arguments: Attempt | Ending) -> None:
        self._works.pool.submit(self._guard, call, *arguments)

    def _guard(self, call: Callable[..., None], *arguments: Attempt | Ending) -> None:
        """The outermost frame of this run on a pool thread: a fault of the engine's ends the run, not its thread."""
        try:
            call(*arguments)
        except Exception as bug:
            log.exception("Run %s met a fault in the engine", self.run.id)
            self._collapse(bug)

    def _collapse(self, bug: Exception) -> None:
        with self._lock:
            is_lost, self._is_finishing = self._is_finishing, True
            self._attempts.give_up()
            self._decide(Verdict(RunState.FAILED, failure_of(engine_bug(bug))))
        self._token.cancel()
        if not is_lost:
            self._finish()
        self._let_go()

    def _begin(self) -> None:
        with self._lock:
            if self._is_stopped():
                return  # ended before it began
            start = self._record.begin() if self._record.state is RunState.QUEUED else None
        if start is not None:
            self._works.publish(start)
        with self._lock:
            if self._is_stopped():
                return
            self._has_begun = True
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
        if attempt not in self._attempts.in_flight:
            return False  # given up before it began
        if self._is_stopped():
            self._attempts.in_flight.discard(attempt)
        elif self._is_paused:
            self._attempts.hold(attempt)
        else:
            return True
        return False

    def _perform(self, attempt: Attempt) -> Ending:
        works = self._works
        try:
            is_durable = self._await_durable(attempt)
        except FlowStudioError as error:
            self.refused(error)
            return Outcome(StepState.CANCELLED)
        walk, node = attempt.walk, attempt.node
        # What the step tells must not be heard before the ends of the steps it follows.
        attempt.tell = works.publish if is_durable else works.journal.tell
        if attempt.started_at is None:  # a wait step whose time has come started long ago
            attempt.started_at = works.clock.now()
            attempt.started = works.clock.monotonic()
            attempt.tell(StepStarted(self.run.id, attempt.started_at, node.step.id, walk.path, attempt.number))
        return works.performer.perform(self.run, attempt, self._progress.scope(walk), self._token, self._give_up)

    def _await_durable(self, attempt: Attempt) -> bool:
        """The one place that decides what must be on disk before a step starts; whether all that was before it is.

        Before an effect leaves the process, everything the run did until then must be durable: a step that reads,
        writes, costs or waits first waits for the run's latest entry, and as the journal keeps the order, that brings
        all before it. A pure step does not wait: had a crash lost its inputs, they and it would be worked out again.
        """
        ticket = self._progress.last_ticket
        if not attempt.node.is_repeatable:
            ticket.wait()
        return ticket.is_done

    def _settle(self, attempt: Attempt, ending: Ending) -> tuple[Attempt | None, bool]:
        """Takes in how an attempt ended; what this thread does next, and whether the run is over."""
        with self._lock:
            if attempt not in self._attempts.in_flight:
                return None, False  # given up meanwhile: its end is written already
            self._attempts.in_flight.discard(attempt)
            following = self._advance(self._take_in(attempt, ending))
            is_over = self._rest()
        if self._verdict is not None:
            self._interrupt()
        if not self._works.journal.has_room:
            self._slow_down()
        return following, is_over

    def _settle_for(self, attempt: Attempt, ending: Outcome | Delay) -> None:
        self._go_on(*self._settle(attempt, ending))

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
            log.debug("Run %s was told of the refusal already", self.run.id)

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
        if self._is_stopped():
            return []
        startable = self._attempts.admit(ready, is_paused=self._is_paused)
        if startable:
            self._record.move(RunState.RUNNING)
        return startable

    def _dispatch(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._submit(self._work, attempt)

    def _is_stopped(self) -> bool:
        """Nothing more starts."""
        return self._verdict is not None or self._is_halted

    def _decide(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._attempts.drop_waiting()

    def _rest(self) -> bool:
        """With nothing in flight: is the run over? If not, it waits or is paused. True at most once."""
        if self._attempts.in_flight or self._is_finishing:
            return False
        if self._is_halted:
            self._idle.set()
        elif self._verdict is not None or self._progress.is_done:
            self._is_finishing = True
            return True
        elif not self._has_begun:
            return False
        elif self._is_paused:
            self._record.move(RunState.PAUSED)
        elif self._attempts.has_parked:
            self._record.move(RunState.WAITING)
        return False

    # Ends

    def _stop(self, verdict: Verdict, *, is_refusal: bool = False) -> bool:
        """Ends the run before its last step: nothing more starts, what blocks is interrupted."""
        with self._lock:
            if self._is_finishing or self._is_halted or self._is_refused or (self._verdict and not is_refusal):
                return False
            self._is_refused = is_refusal
            self._decide(verdict)
            is_over = self._rest()
        self._interrupt()
        if is_over:
            self._submit(self._finish)
        return True

    def _interrupt(self) -> None:
        """Ends what blocks in other threads of this run; who does not come back in time is given up."""
        if self._token.is_set:
            return
        self._works.timers.after(self._works.limits.grace_s, self._give_up_all)
        self._token.cancel()

    def _finish(self) -> None:
        verdict = self._verdict or Verdict(RunState.SUCCEEDED)
        with self._lock:
            if self._is_refused:
                self._works.journal.readmit(self.run.id)
            self._progress.mark_rest(self._attempts.interrupted)
        self._record.end(verdict.state, verdict.failure, self._progress.response, self._progress.steps_done)
        self._let_go()

    def _let_go(self) -> None:
        """Nothing is at work any more, whether the run came to its end or was lost: all who wait go on."""
        self._idle.set()
        self._ended.set()
        self._on_end(self.run.id)

    # On the timer thread

    def _wake(self, attempt: Attempt) -> None:
        """A parked attempt's nap is over."""
        with self._lock:
            if self._attempts.unpark(attempt):
                self._dispatch(self._admit([attempt]))
                self._rest()

    def _give_up(self, attempt: Attempt, ending: Outcome | Delay) -> None:
        """An attempt ignored its time limit. It is settled without it, its thread written off."""
        with self._lock:
            if attempt not in self._attempts.in_flight:
                return
        log.warning("Step %s of run %s ignores its time limit and is given up", attempt.node.step.id, self.run.id)
        self._works.pool.write_off(attempt.thread_id)
        self._submit(self._settle_for, attempt, ending)

    def _give_up_all(self) -> None:
        """The run was ended, and some steps still have not come back."""
        with self._lock:
            stuck = self._attempts.give_up()
            is_over = self._rest()
        for attempt in stuck:
            log.warning("Step %s of run %s does not end and is given up", attempt.node.step.id, self.run.id)
            self._works.pool.write_off(attempt.thread_id)
        if is_over:
            self._submit(self._finish)
