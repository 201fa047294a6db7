"""The engine: submit, wait, cancel, pause, resume, recover, close. It owns the threads and the limits."""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from flowstudio.engine import recovery
from flowstudio.engine.admission import Admission, Arrival, Entry, replaced_by
from flowstudio.engine.answers import Answers
from flowstudio.engine.calls import Calls
from flowstudio.engine.compile import ActionsOf, Compiler, Program
from flowstudio.engine.error_plans import ErrorPlans
from flowstudio.engine.errors import EngineClosedError, NotWaitingError, StalledError
from flowstudio.engine.events import LogWritten, RunEnded, RunEvent, RunHeld
from flowstudio.engine.gates import Gates
from flowstudio.engine.journal import Journal
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import Answer, Failure, IterationPath, Performed, Run, RunState, StepRun, StepState
from flowstudio.engine.payloads import InRows, PayloadStore
from flowstudio.engine.pool import Pool
from flowstudio.engine.ports import ActionInvoker, Clock, PlanSource, RunChange, RunStore
from flowstudio.engine.progress import Verdict
from flowstudio.engine.runner import Runner
from flowstudio.engine.step import StepPerformer
from flowstudio.engine.stops import NO_EDITS, Edits, compile_breakpoints
from flowstudio.engine.tickets import settled_ticket
from flowstudio.engine.timers import Timers
from flowstudio.engine.works import Works
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Json, Plan, StepId

DEFAULT_LIMITS = EngineLimits()
KEY_BYTES = 24
"""A resume key is as hard to guess as a token: 192 random bits."""


class NoPlans:
    """The PlanSource of an engine whose runs call no others."""

    def find(self, user_id: str, plan_id: str) -> Plan | None:
        return None


NO_PLANS = NoPlans()
IN_ROWS = InRows()


def _always(kind: type[RunEvent]) -> bool:
    """For whoever does not know who listens."""
    return True


class Engine:
    """Runs plans durably. All methods are thread-safe; call start() first, close() last."""

    def __init__(
        self,
        store: RunStore,
        invoker: ActionInvoker,
        actions: ActionsOf,
        publish: Callable[[RunEvent], None],
        clock: Clock,
        limits: EngineLimits = DEFAULT_LIMITS,
        plans: PlanSource = NO_PLANS,
        resume_url: Callable[[str], str] = str,
        payloads: PayloadStore = IN_ROWS,
        is_heard: Callable[[type[RunEvent]], bool] = _always,
    ) -> None:
        """resume_url: from a run's resume key to the address whose call resumes it.

        is_heard: whether anybody listens to events of a type; those of steps that go well are not made for nobody.
        """
        self._store = store
        self._payloads = payloads
        self._clock = clock
        self._publish = publish
        self._limits = limits
        self._compiler = Compiler(actions, limits.programs)
        self._journal = Journal(store, publish, limits, self._pass_on, is_heard)
        self._pool = Pool(limits.threads)
        self._timers = Timers(clock)
        self._calls = Calls(self, store, plans, self._compiler.compile, clock)
        error_plans = ErrorPlans(self, store, plans, self._journal, clock)
        gates = Gates(invoker.limit, self._timers, clock)
        performer = StepPerformer(invoker, gates, self._calls, payloads, self._timers, clock, limits.grace_s)
        self._works = Works(
            self._journal,
            self._pool,
            self._timers,
            performer,
            clock,
            publish,
            limits,
            self._calls,
            error_plans,
            gates,
            resume_url,
        )
        self._lock = threading.Lock()
        self._steering = threading.RLock()
        """One order to pause or go on reaches all of a family of runs before the next: or half of it stood still."""
        self._runners: dict[str, Runner] = {}
        self._admission = Admission()
        self._is_closed = False
        self._answers = Answers(store, self._journal, self._compiler, clock, self._take_up)

    def start(self) -> None:
        """Starts the journal's and the timers' threads. Runs of an earlier process wait for recover()."""
        self._journal.start()
        self._timers.start()

    def recover(self) -> int:
        """Takes up all unfinished runs; how many go on. A run whose plan cannot be compiled any more fails.

        Those that had begun come first: they have their places, and the others wait behind them as they did before.
        """
        runs = sorted(recovery.runs_to_take_up(self._store), key=lambda run: run.state is RunState.QUEUED)
        return sum(self._take_up(run, None) for run in runs)

    def submit(self, run: Run, seeds: Sequence[StepRun] = ()) -> bool:
        """Stores a run and starts it, or has it wait in line as its plan says; False when its id exists.

        Durable on return. seeds: results of another run that this one begins with: it is walked as after a crash, so
        their steps are not performed. Raises NotRunnableError, BreakpointError or ExpressionError (nothing is stored),
        EngineClosedError, the StorageError family.
        """
        self._check_open()
        program = self._compiler.compile(run.plan, run.user_id)
        compile_breakpoints(run.plan, run.options.breakpoints)
        run = self._completed(run, program)
        if not self._journal.create(run, seeds):
            return False
        known = recovery.known_results(seeds) if seeds else None
        self._launch(Runner(run, program, self._works, self._forget, known))
        return True

    def perform(self, run: Run, timeout_s: float) -> Performed:
        """submit and wait_for_reply in one, for a run whose id is new for certain.

        The pure beginning of the run is performed on the calling thread, and its steps do not wait until the run is
        stored: it is before anything of it leaves the process, and on return. Raises like submit.
        """
        self._check_open()
        program = self._compiler.compile(run.plan, run.user_id)
        runner = Runner(self._completed(run, program), program, self._works, self._forget)
        creation = runner.create()
        self._launch(runner, as_guest=True)
        answered = runner.wait_for_reply(timeout_s)
        creation.wait()
        return answered

    def store_new(self, run: Run) -> Run | None:
        """Stores a run that start_stored or the next recovery will start; as it is stored, None when its id exists.

        Durable on return, however long the journal stalls, and even while the engine closes; raises like submit.
        """
        run = self._completed(run, self._compiler.compile(run.plan, run.user_id))
        while True:
            try:
                return run if self._journal.create(run) else None
            except StalledError:
                self._journal.await_flow()

    def start_stored(self, run: Run) -> None:
        """Starts a run that store_new has stored. Raises EngineClosedError."""
        self._launch(Runner(run, self._compiler.compile(run.plan, run.user_id), self._works, self._forget))

    def wait(self, run_id: str, timeout_s: float | None = None) -> Run | None:
        """The run in its final state, once that is durable; None when it is unknown or has not ended by then."""
        runner = self._runners.get(run_id)
        if runner is not None:
            return runner.wait(timeout_s)
        run = self._store.get(run_id)
        return run if run is not None and run.state.is_final else None

    def wait_for_reply(self, run_id: str, timeout_s: float) -> Run | None:
        """Like wait, but for a run with a respond step until its answer is durable: the run may still go on then."""
        runner = self._runners.get(run_id)
        return runner.wait_for_reply(timeout_s).run if runner is not None else self.wait(run_id)

    def cancel(self, run_id: str, reason: Failure | None = None) -> bool:
        """Ends what blocks and starts nothing more; False when the run is not active or interrupted. Does not wait.

        This and the two below reach the runs that the run called, too. reason: why, when nobody asked for it.
        """
        runner = self._runners.get(run_id)
        is_ending = self._answers.cancel(run_id) if runner is None else runner.cancel(reason)
        return is_ending and self._reach(self.cancel, run_id)

    def cancel_all(self) -> int:
        """Cancels every active run; how many there were."""
        return sum(self.cancel(run_id) for run_id in self.active())

    def pause(self, run_id: str) -> bool:
        """Lets steps at work end and starts no more of them; False when none of the runs was going on."""
        with self._steering:
            runner = self._runners.get(run_id)
            is_paused = runner is not None and runner.pause()
            return self._reach_down(self.pause, run_id) or is_paused

    def pause_with(self, caller_id: str, run_id: str) -> None:
        """Pauses a called run if its caller is paused."""
        with self._steering:
            caller = self._runners.get(caller_id)
            if caller is not None and caller.is_paused:
                self.pause(run_id)

    def resume(self, run_id: str, edits: Edits = NO_EDITS) -> bool:
        """edits: params that replace those of steps the run stands before. False when none of the runs was paused."""
        with self._steering:
            runner = self._runners.get(run_id)
            is_resumed = runner is not None and runner.resume(edits)
            return self._reach_down(self.resume, run_id) or is_resumed

    def step_over(
        self, run_id: str, step_id: StepId | None = None, iteration: IterationPath = (), edits: Edits = NO_EDITS
    ) -> bool:
        """Performs one step a paused run stands before, and pauses before what comes next; False when there is none.

        Without step_id the one it stopped before first. Durable on return.
        """
        runner = self._runners.get(run_id)
        return runner is not None and runner.step_over(step_id, iteration, edits)

    def set_breakpoints(self, run_id: str, breakpoints: Mapping[StepId, str]) -> bool:
        """Replaces the breakpoints of a run under way, durably; False when it is not.

        Raises BreakpointError, ExpressionError, the StorageError family.
        """
        runner = self._runners.get(run_id)
        return runner is not None and runner.set_breakpoints(breakpoints)

    def deliver(
        self, run_id: str, call: Json, step_id: StepId | None = None, iteration: IterationPath | None = None
    ) -> StepId:
        """Gives a call to the step of the run that waits for one; which one it was. Durable on return.

        Without step_id or iteration the only one that waits. Raises NotWaitingError, the StorageError family.
        """
        runner = self._runners.get(run_id)
        if runner is None:
            raise NotWaitingError("The run does not wait for a call: it has ended, or is not under way here.")
        return runner.deliver(self._payloads.keep(call), step_id, iteration)

    def answer(
        self, run_id: str, step_id: StepId, iteration: IterationPath, answer: Answer, output: Json = None
    ) -> None:
        """Says of a step that was in flight at a crash what became of it; output: its result, if it is done.

        Durable on return; with the last answer the run goes on. Raises NotInterruptedError, the StorageError family.
        """
        self._answers.give(run_id, step_id, iteration, answer, self._payloads.keep(output))

    def waits_for(self, run_id: str) -> str:
        """Why a queued run does not start yet, as a sentence; "" for any other run."""
        with self._lock:
            return self._admission.reason(run_id)

    @property
    def stall(self) -> StalledError | None:
        """Why nothing can be stored for now, so that runs pause and none begins; None when all is well."""
        return self._journal.stall

    def is_active(self, run_id: str) -> bool:
        return run_id in self._runners

    def active(self) -> list[str]:
        """Ids of runs that have not ended, oldest first."""
        with self._lock:
            return list(self._runners)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Ends all threads; False when a step did not come back in time.

        Steps at work may come to their end; runs stay unfinished in the store and go on at the next start.
        """
        with self._lock:
            if self._is_closed:
                return True
            self._is_closed = True
            runners = list(self._runners.values())
        for runner in runners:
            runner.halt()
        if self._journal.stall is not None:
            self._journal.close(timeout_s)  # at once: whoever waits for it would wait in vain
        deadline = self._clock.monotonic() + timeout_s
        came_back = [runner.leave(max(deadline - self._clock.monotonic(), 0.0)) for runner in runners]
        is_clean = all(came_back)
        self._timers.close(timeout_s)
        is_clean = self._pool.close(timeout_s if is_clean else self._limits.grace_s) and is_clean
        self._journal.close(timeout_s)
        return is_clean

    def _completed(self, run: Run, program: Program) -> Run:
        """The run as it is stored: with a key if a call can resume it, and without large values."""
        run = self._slim(run)
        return replace(run, resume_key=secrets.token_urlsafe(KEY_BYTES)) if program.awaits_calls else run

    def _slim(self, run: Run) -> Run:
        """The run with the large parts of its trigger's data in files."""
        data = self._payloads.keep(run.trigger.data)
        return run if data is run.trigger.data else replace(run, trigger=replace(run.trigger, data=data))

    def _take_up(self, run: Run, verdict: Verdict | None) -> bool:
        if run.id in self._runners:
            return False
        program = recovery.compile_again(run, self._compiler)
        if isinstance(program, Failure):
            self._fail(run, program)
            return False
        rows = self._store.step_runs(run.id)
        known, verdict = recovery.known_results(rows), verdict or recovery.verdict_of(run.plan, rows)
        if verdict is None and self._calls.is_orphan(run):
            verdict = Verdict(RunState.CANCELLED)
        kept = sum(row.state not in (StepState.RUNNING, StepState.WAITING) for row in rows)
        text = f"The run goes on after a restart; results kept: {kept}."
        self._journal.tell(LogWritten(run.id, self._clock.now(), "info", text))
        self._launch(Runner(run, program, self._works, self._forget, known, verdict))
        return True

    def _pass_on(self, stall: StalledError | None) -> None:
        """Tells the runs that the journal stalls, or flows again. On the journal's thread."""
        for runner in list(self._runners.values()):
            runner.stalled(stall)

    def _fail(self, run: Run, failure: Failure) -> None:
        error_run = self._works.error_plans.prepare(run, Verdict(RunState.FAILED, failure), settled_ticket())
        now = self._clock.now()
        event = RunEnded(run.id, now, RunState.FAILED, failure, 0.0, 0)
        ended = self._journal.submit(RunChange(run.id, RunState.FAILED, now, failure), event, recovery.Unowned())
        with suppress(FlowStudioError):
            ended.wait()  # who asks for this run's end from now on finds it in the store
        self._calls.ended(replace(run, state=RunState.FAILED, failure=failure))
        if error_run is not None:
            self._works.error_plans.start(error_run)

    def _launch(self, runner: Runner, *, as_guest: bool = False) -> None:
        with self._lock:
            self._check_open()
            self._runners[runner.run.id] = runner
            arrival = self._admission.arrive(runner.run)
        self._calls.began(runner.run)
        self._heed(runner, arrival, as_guest=as_guest)

    def _heed(self, runner: Runner, arrival: Arrival, *, as_guest: bool) -> None:
        for run_id in arrival.replaces:
            self.cancel(run_id, replaced_by(runner.run))
        if arrival.entry is Entry.STARTS:
            runner.start(as_guest=as_guest)
        elif arrival.entry is Entry.IS_SKIPPED:
            runner.cancel(arrival.failure)
        elif reason := self.waits_for(runner.run.id):
            now = self._clock.now()
            self._journal.tell(RunHeld(runner.run.id, now, reason))
            self._journal.tell(LogWritten(runner.run.id, now, "info", reason))

    def _forget(self, run_id: str) -> None:
        with self._lock:
            runner = self._runners.pop(run_id, None)
            turns = [] if self._is_closed else [self._runners[each] for each in self._admission.leave(run_id)]
        if runner is not None and runner.run.state is not RunState.INTERRUPTED:
            self._calls.ended(runner.run)
        elif runner is not None and runner.is_unwanted and not self._is_closed:
            self._answers.cancel(run_id)
        for each in turns:
            waited_s = (self._clock.now() - each.run.created_at).total_seconds()
            text = f"The run's turn has come, {waited_s:.1f} s after it was submitted."
            self._journal.tell(LogWritten(each.run.id, self._clock.now(), "info", text))
            each.start()

    def _reach(self, steer: Callable[[str], bool], run_id: str) -> bool:
        for child in self._calls.children(run_id):
            steer(child)
        return True

    def _reach_down(self, steer: Callable[[str], bool], run_id: str) -> bool:
        """Whether the order meant something to any of the runs that the run called."""
        heeded = [steer(child) for child in self._calls.children(run_id)]
        return any(heeded)

    def _check_open(self) -> None:
        if self._is_closed:
            raise EngineClosedError("FlowStudio is closing and starts no more runs.")
