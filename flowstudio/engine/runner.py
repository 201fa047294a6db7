"""The life of one run: which thread takes which step, and how the run waits, pauses, ends.

A runner is a state object, not a call stack. A thread brings the end of one step, takes the next attempt away and
goes on with it; what else became ready goes to the pool. So a chain of steps stays on one thread (a hop to another
costs 100 us), branches run side by side, and a run that waits or is paused is only an object in memory.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

from flowstudio.engine import recovery
from flowstudio.engine.attempt import Attempt, Delay, Ending, Hold, Outcome
from flowstudio.engine.attempts import Attempts
from flowstudio.engine.cancel import CancelToken
from flowstudio.engine.compile import Program
from flowstudio.engine.errors import StalledError, engine_bug, failure_of
from flowstudio.engine.events import StepStarted
from flowstudio.engine.flow import Iterate, Repeat
from flowstudio.engine.guest import Guest
from flowstudio.engine.model import Failure, IterationPath, Performed, Run, RunLink, RunState, StepState
from flowstudio.engine.progress import Known, Progress, Verdict
from flowstudio.engine.record import RunRecord
from flowstudio.engine.run_end import RunEnd
from flowstudio.engine.stops import NO_EDITS, Edits, Steered, Stops, decide, stops_of
from flowstudio.engine.tickets import Ticket
from flowstudio.engine.turns import Turns
from flowstudio.engine.works import Works
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Json, StepId

log = logging.getLogger(__name__)


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
        self._lock = threading.Lock()
        self._token = CancelToken()
        self._progress = Progress(run, program, known or {}, verdict, works, self)
        self._record = RunRecord(run, works.journal, works.clock, works.publish, self)
        self._end = RunEnd(self._record, self._progress, works, on_end)
        self._turns = Turns(run, works, self._progress, partial(self._submit, self._take_turn))
        wake, listen = partial(self._guard, self._wake), partial(self._submit, self._listen)
        self._attempts = Attempts(works.timers, works.clock, wake, listen, self._turns.has_come)
        self._stops = stops_of(run, known)
        self._verdict: Verdict | None = None
        self._has_begun = False
        self.is_paused = run.state is RunState.PAUSED  # starts no more steps until it is resumed
        self._is_halted = False
        self._is_finishing = False
        self._is_refused = False
        self._guest: Guest | None = None
        self._was_at_work = known is not None and run.state is RunState.RUNNING
        self._is_taken_up = known is not None and run.state is not RunState.QUEUED
        self._is_cut_off = False
        self.is_unwanted = False  # cancelled while it came to stand still: who lets go of it ends it
        self._standing_by: list[Attempt] = []

    @property
    def run(self) -> Run:
        return self._record.run

    def wait(self, timeout_s: float | None) -> Run | None:
        """The run in its final state, durable; None when it has not ended by then."""
        return self._end.wait(timeout_s)

    def wait_for_reply(self, timeout_s: float) -> Performed:
        """The run with its answer, once that is durable, or in its final state, if either comes by then."""
        return self._end.wait_for_reply(timeout_s)

    def create(self) -> Ticket:
        """Stores the run, whose id must be new, without waiting. Raises EngineClosedError, StalledError."""
        self._progress.kept = []
        self._progress.last_ticket = self._record.create()
        return self._progress.last_ticket

    def start(self, *, as_guest: bool = False) -> None:
        """as_guest: performs the pure beginning of the run on the calling thread."""
        if not as_guest:
            self._submit(self._begin)
            return
        self._guest = Guest(self._works.clock)
        self._guard(self._begin)
        self._guest = None

    def cancel(self, reason: Failure | None = None) -> bool:
        """False when the run is ending anyway. reason: why, when nobody asked for it."""
        return self._stop(Verdict(RunState.CANCELLED, reason))

    def pause(self) -> bool:
        """Starts no more steps; those at work come to their end."""
        with self._lock:
            if self._verdict is not None or self.is_paused:
                return False
            self.is_paused = True
            self._rest()
            return True

    def resume(self, edits: Edits = NO_EDITS) -> bool:
        """Goes on with all that is held; edits: params to replace, durable on return."""
        with self._lock:
            if self._verdict is not None or not self.is_paused:
                return False
            if self._stops is not None:
                self._stops.is_stepping = False
            ticket = self._go_on_with(self._attempts.release(), edits)
        if edits:
            ticket.wait()
        return True

    def step_over(self, step_id: StepId | None, path: IterationPath, edits: Edits = NO_EDITS) -> bool:
        """Performs one held step and pauses before what comes next. Durable on return; False when it is not held."""
        with self._lock:
            if self._verdict is not None or not self.is_paused:
                return False
            attempt = self._attempts.release_one(step_id, path)
            if attempt is None:
                return False
            self._stops = self._stops or Stops(self.run.plan, {})
            self._stops.is_stepping = True
            attempt.steered = attempt.steered or Steered()
            ticket = self._go_on_with([attempt], edits)
        ticket.wait()
        return True

    def set_breakpoints(self, breakpoints: Mapping[StepId, str]) -> bool:
        """Replaces them, durably. Raises BreakpointError, ExpressionError, the StorageError family."""
        stops = Stops(self.run.plan, breakpoints)
        with self._lock:
            if self._verdict is not None or self._is_finishing:
                return False
            stops.is_stepping = self._stops is not None and self._stops.is_stepping
            self._stops = stops
            ticket = self._record.set_options(replace(self.run.options, breakpoints=dict(breakpoints)))
        ticket.wait()
        return True

    def deliver(self, call: Json, step_id: StepId | None, path: IterationPath | None) -> StepId:
        """Gives a call to the step that waits for one, named or the only one; which step that was.

        Durable on return. The run goes on with it, or keeps it while paused. Raises NotWaitingError.
        """
        with self._lock:
            attempt = self._attempts.waiting_for_call(step_id, path)
            self._attempts.unpark(attempt)
            following, is_over = self._conclude(attempt, Outcome(StepState.SUCCEEDED, attempt.node.passes, call))
            ticket = self._progress.last_ticket
        self._submit(self._go_on, following, is_over)
        ticket.wait()
        return attempt.node.step.id

    def halt(self) -> None:
        """Stops without an end, as a crash would: the next start of the application takes the run up again."""
        with self._lock:
            self._is_halted = True
            self._attempts.drop_waiting()
            self._rest()

    def leave(self, timeout_s: float) -> bool:
        """Waits for the steps at work after halt(); False when some did not come back. Wakes all who wait."""
        is_idle = self._end.idle.wait(timeout_s)
        if not is_idle:
            self._token.cancel()
            is_idle = self._end.idle.wait(self._works.limits.grace_s)
        self._end.wake_all()
        return is_idle

    def stalled(self, stall: StalledError | None) -> None:
        """The journal cannot be written for now: nothing more starts until it can (stall is None then)."""
        if stall is not None:
            self._record.tell_stalled(stall)
        else:
            self._submit(self._flow_again)  # the journal's thread waits for no run's lock, and meets no run's fault

    def _flow_again(self) -> None:
        was_running = self._record.state is RunState.RUNNING
        with self._lock:
            standing_by, self._standing_by = self._standing_by, []
            self._dispatch(self._admit(standing_by))
            self._rest()
        if was_running:
            self._record.tell_flowing()

    def refused(self, error: FlowStudioError) -> None:
        """The journal could not keep a result: the run fails, whatever it was about to become."""
        if self._record.is_unborn:
            self._end.wake_all()  # its submitter hears of it from the ticket
        if self._stop(Verdict(RunState.FAILED, failure_of(error)), is_refusal=True):
            log.error("Run %s fails because its journal cannot be written: %s", self.run.id, error)

    # On pool threads

    def _submit(self, call: Callable[..., object], *arguments: Any) -> None:
        self._works.pool.submit(self._guard, call, *arguments, lane=(self.run.user_id, self.run.id))

    def _guard(self, call: Callable[..., object], *arguments: Any) -> None:
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
        self._end.let_go()

    def _begin(self) -> None:
        with self._lock:
            if self._is_stopped():
                return  # ended before it began
            start = self._record.begin() if self._record.state is RunState.QUEUED else None
            if not self._record.creation.is_done:
                self._progress.last_ticket = self._record.last_ticket  # no step is heard of before its run
        if start is not None:
            self._works.publish(start)
        with self._lock:
            if self._is_stopped():
                return
            ready = self._progress.begin()
        if self._is_taken_up:
            ready = recovery.unfold(ready, self._open)
        with self._lock:
            if self._is_stopped():
                return
            self._has_begun = True
            following = self._advance(self._resolve(ready) if self._is_taken_up else ready)
            is_over = self._rest()
        self._go_on(following, is_over)
        if self._record.state is RunState.INTERRUPTED:
            self._end.stand_still()

    def _open(self, loop: Attempt) -> list[Attempt]:
        """Opens a loop that was open at a crash, before anything starts; what it leads to."""
        ending = self._perform(loop)
        with self._lock:
            return self._take_in(loop, ending)

    def _work(self, attempt: Attempt, sent: float) -> None:
        """sent: when it was given to the pool."""
        self._turns.has_thread(attempt, sent)
        self._go_on(attempt, False)

    def _go_on(self, attempt: Attempt | None, is_over: bool) -> None:
        """Step after step on this thread, as long as there is one and others do not wait too long for it."""
        since = monotonic()
        while attempt is not None:
            if self._works.pool.wants_back(since) or (self._guest is not None and self._guest.leaves(attempt)):
                self._dispatch([attempt])
                return
            attempt, is_over = self._take_step(attempt)
        if is_over:
            self._finish()

    def _take_step(self, attempt: Attempt) -> tuple[Attempt | None, bool]:
        with self._lock:
            if not self._may_start(attempt):
                return None, self._rest()
            attempt.thread_id = threading.get_ident()
        if self._stops is not None and (reason := self._stops.reason(attempt, self._progress.scope(attempt.walk))):
            return None, self._stop_before(attempt, reason)
        try:
            ending = self._perform(attempt)
        except StalledError:
            return None, self._stand_by(attempt)
        return self._settle(attempt, ending)

    def _stop_before(self, attempt: Attempt, reason: str) -> bool:
        """Holds a step and pauses the run; whether it is over, because somebody ended it meanwhile."""
        scope = self._progress.scope(attempt.walk)
        shown, why_not = self._works.performer.shown(self.run, attempt, scope, self._token)
        with self._lock:
            if attempt in self._attempts.in_flight and self._is_stopped():
                self._attempts.land(attempt, is_used=False)
            elif attempt in self._attempts.in_flight:
                attempt.steered = attempt.steered or Steered()
                self._attempts.hold(attempt)
                self._progress.stop_before(attempt, shown, reason + why_not)
                self.is_paused = True
            return self._rest()

    def _may_start(self, attempt: Attempt) -> bool:
        if attempt not in self._attempts.in_flight:
            return False  # given up before it began
        if self._is_stopped():
            self._attempts.land(attempt, is_used=False)
        elif self.is_paused:
            self._attempts.hold(attempt)
        elif self._works.journal.stall is not None:
            self._attempts.land(attempt, is_used=False)
            self._standing_by.append(attempt)
        else:
            return True
        return False

    def _perform(self, attempt: Attempt) -> Ending:
        works = self._works
        try:
            is_durable = self._await_durable(attempt)
        except StalledError:
            raise
        except FlowStudioError as error:
            self.refused(error)
            return Outcome(StepState.CANCELLED)
        walk, node = attempt.walk, attempt.node
        # What the step tells must not be heard before the ends of the steps it follows.
        tell = works.publish if is_durable else works.journal.tell
        attempt.tell, attempt.note = works.journal.tell, works.journal.note
        if attempt.started_at is None:  # a wait step whose time has come started long ago
            attempt.started_at = works.clock.now()
            attempt.started = works.clock.monotonic()
            if works.journal.is_heard(StepStarted):
                tell(StepStarted(self.run.id, attempt.started_at, node.step.id, walk.path, attempt.number))
        return works.performer.perform(self.run, attempt, self._progress.scope(walk), self._token, self._give_up)

    def _await_durable(self, attempt: Attempt) -> bool:
        """The one place that decides what must be on disk before a step starts; whether all that was before it is.

        Before an effect leaves the process, everything the run did until then must be durable: a step that reads,
        writes, costs or waits first waits for the run's latest entry, and as the journal keeps the order, that brings
        all before it. A pure step does not wait: had a crash lost its inputs, they and it would be worked out again.
        """
        ticket = self._progress.last_ticket
        if not attempt.node.is_repeatable:
            if not attempt.node.may_repeat:
                ticket = self._show_at_work(attempt)
            ticket.wait()
        return ticket.is_done

    def _show_at_work(self, attempt: Attempt) -> Ticket:
        """What has to be durable so that a crash from now on finds this step in flight: see recovery."""
        self._record.last_ticket.wait()
        if attempt.row is None:
            return self._progress.last_ticket
        with self._lock:
            return self._progress.start_anew(attempt)

    def _stand_by(self, attempt: Attempt) -> bool:
        """Holds a step whose inputs cannot be made durable for now; whether the run is over meanwhile."""
        with self._lock:
            if attempt in self._attempts.in_flight:
                self._attempts.land(attempt, is_used=False)
                if self._works.journal.stall is None or self._is_stopped():
                    self._dispatch(self._admit([attempt]))  # it flows again already
                else:
                    self._standing_by.append(attempt)
            return self._rest()

    def _settle(self, attempt: Attempt, ending: Ending) -> tuple[Attempt | None, bool]:
        """Takes in how an attempt ended; what this thread does next, and whether the run is over."""
        with self._lock:
            if attempt not in self._attempts.in_flight:
                return None, False  # given up meanwhile: its end is written already
            self._attempts.land(attempt)
            following, is_over = self._conclude(attempt, ending)
        if self._verdict is not None:
            self._interrupt()
        if not self._works.journal.has_room:
            self._slow_down()
        return following, is_over

    def _take_result(self, attempt: Attempt, child: Run | None) -> None:
        """The run that a parked attempt awaits has ended."""
        with self._lock:
            if not self._attempts.take(attempt):
                return  # it waits no longer
        self._settle_for(attempt, self._works.performer.take_result(attempt, child))

    def _take_turn(self, attempt: Attempt) -> None:
        """The provider of a parked attempt takes its call now."""
        with self._lock:
            if attempt.permit is None or not attempt.permit.has_passed:
                return  # the turn was an earlier one: it was held meanwhile, and asked again
            if not self._attempts.take(attempt):
                return  # dropped meanwhile, and its turn given to the next
            if not self.is_paused:
                self._record.move(RunState.RUNNING)
        self._go_on(attempt, False)

    def _listen(self, attempt: Attempt) -> None:
        """Waits for the end of the run that a parked attempt called."""
        link = RunLink(self.run.id, attempt.node.step.id, attempt.walk.path)
        tell = partial(self._submit, self._take_result, attempt)
        self._works.calls.attach(link, attempt.number, tell)

    def _settle_for(self, attempt: Attempt, ending: Outcome | Delay) -> None:
        self._go_on(*self._settle(attempt, ending))

    def _take_in(self, attempt: Attempt, ending: Ending) -> list[Attempt]:
        is_success = isinstance(ending, Outcome) and ending.state is StepState.SUCCEEDED
        is_cut_off = self._token.is_set or (isinstance(ending, Outcome) and ending.state is StepState.CANCELLED)
        if self._is_halted and is_cut_off and self._verdict is None and not is_success:
            self._is_cut_off = self._is_cut_off or not attempt.node.may_repeat
            return []  # it may have failed because of the halt: the next start treats it as in flight at a crash
        if isinstance(ending, Outcome):
            return self._progress.settle(attempt, ending)
        if self._verdict is not None:
            return self._progress.settle(attempt, Outcome(StepState.CANCELLED))
        if isinstance(ending, Iterate | Repeat):
            return self._progress.iterate(attempt, ending)
        if isinstance(ending, Hold):
            self._progress.hold(attempt, ending)
            return [attempt.again(ending.due, is_retry=False, awaits=ending.awaits)]
        return [self._delayed(attempt, ending)]

    def _delayed(self, attempt: Attempt, delay: Delay) -> Attempt:
        self._progress.park(attempt, delay)
        return attempt.again(delay.due, is_retry=delay.failure is not None)

    def _slow_down(self) -> None:
        """More results await the disk than memory should hold: wait for the last one."""
        with suppress(FlowStudioError):  # the run was told of a refusal already
            self._progress.last_ticket.wait()

    # Under the lock

    def _conclude(self, attempt: Attempt, ending: Ending) -> tuple[Attempt | None, bool]:
        """What the thread that brings an attempt's end does next, and whether the run is over."""
        following = self._advance(self._take_in(attempt, ending))
        return following, self._rest()

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
            self._attempts.interrupted.extend(attempt for attempt in ready if attempt.row is not None)
            return []
        startable = self._attempts.admit(ready, is_paused=self.is_paused)
        if startable:
            self._record.move(RunState.RUNNING)
        return startable

    def _dispatch(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._submit(self._work, attempt, self._works.clock.monotonic())

    def _go_on_with(self, held: Sequence[Attempt], edits: Edits) -> Ticket:
        """Ends the pause for these; the way to the disk of what was decided about them."""
        self.is_paused = False
        if self._has_begun:  # not still in line
            self._record.move(RunState.RUNNING)
        for attempt in held:
            if decide(attempt, edits):
                self._progress.let_go(attempt)
        self._dispatch(self._admit(held))
        self._rest()
        return self._progress.last_ticket

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
        if self._verdict is not None or self._progress.is_done:
            self._is_finishing = True
            return True
        if self._is_halted:
            self._leave_off()
        elif not self._has_begun:
            return False
        elif self.is_paused or self._attempts.is_stepped_over:
            self.is_paused = True
            self._record.move(RunState.PAUSED)
        elif self._attempts.has_parked and not self._standing_by:
            self._record.move(RunState.WAITING)
        return False

    def _leave_off(self) -> None:
        """Halted, nothing at work any more. Of a run that waits the next start knows that nothing was in flight."""
        is_known = self._has_begun or not self._was_at_work  # else what was in flight at the crash is still in doubt
        is_certain = is_known and not self._is_cut_off
        if self._record.state is RunState.RUNNING and is_certain and not self._end.idle.is_set():
            self._record.move(RunState.WAITING)
        self._end.idle.set()

    def _resolve(self, ready: Sequence[Attempt]) -> list[Attempt]:
        """Decides, or asks, about what was in flight at a crash; the attempts that are left to start."""
        certain, question = recovery.resolve(self.run, self._progress, ready, was_at_work=self._was_at_work)
        if question is not None:
            self._record.move(RunState.INTERRUPTED, question)
            self._is_halted = True
        elif self._record.state is RunState.INTERRUPTED or (
            self._record.state is RunState.PAUSED and not self.is_paused
        ):
            self._record.move(RunState.RUNNING)  # its answers have come, or it was resumed before it was taken up
        return certain

    # Ends

    def _stop(self, verdict: Verdict, *, is_refusal: bool = False) -> bool:
        """Ends the run before its last step: nothing more starts, what blocks is interrupted."""
        with self._lock:
            if self._is_halted and self._record.state is RunState.INTERRUPTED and not self.is_unwanted:
                self.is_unwanted = True
                return True
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
        if self._record.is_unborn:
            self._record.drop(verdict.failure, self._progress.steps_done)
            self._end.let_go()
            return
        with self._lock:
            if self._is_refused:
                self._works.journal.readmit(self.run.id)
            self._progress.mark_rest(self._attempts.interrupted)
        is_guest = self._guest is not None and self._guest.is_here
        # Before a failure the run of an error plan is stored: a guest does not wait for that, nor for a stall to pass.
        is_theirs = is_guest and verdict.state is RunState.FAILED
        if is_theirs or not self._end.write(verdict, is_patient=not is_guest):
            self._submit(self._end.write, verdict)

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
            if attempt.thread_id:  # else it still stood in line for a thread, and has nothing to end
                log.warning("Step %s of run %s does not end and is given up", attempt.node.step.id, self.run.id)
                self._works.pool.write_off(attempt.thread_id)
        if is_over:
            self._submit(self._finish)
