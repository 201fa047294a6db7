"""The engine: submit, wait, cancel, pause, resume, recover, close. It owns the threads and the limits."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace

from flowstudio.engine import recovery
from flowstudio.engine.answers import Answers
from flowstudio.engine.calls import Calls
from flowstudio.engine.compile import Compiler
from flowstudio.engine.errors import EngineClosedError, NotWaitingError
from flowstudio.engine.events import LogWritten, RunEnded, RunEvent
from flowstudio.engine.journal import Journal
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import Answer, Failure, IterationPath, Run, RunState
from flowstudio.engine.pool import Pool
from flowstudio.engine.ports import ActionInvoker, Clock, PlanSource, RunChange, RunStore
from flowstudio.engine.progress import Verdict
from flowstudio.engine.runner import Runner, Works
from flowstudio.engine.step import StepPerformer
from flowstudio.engine.timers import Timers
from flowstudio.plan.model import Json, Plan, StepId
from flowstudio.plan.rules import ActionTable

DEFAULT_LIMITS = EngineLimits()
KEY_BYTES = 24
"""A resume key is as hard to guess as a token: 192 random bits."""


class NoPlans:
    """The PlanSource of an engine whose runs call no others."""

    def find(self, user_id: str, plan_id: str) -> Plan | None:
        return None


NO_PLANS = NoPlans()


class Engine:
    """Runs plans durably. All methods are thread-safe; call start() first, close() last."""

    def __init__(
        self,
        store: RunStore,
        invoker: ActionInvoker,
        actions: ActionTable,
        publish: Callable[[RunEvent], None],
        clock: Clock,
        limits: EngineLimits = DEFAULT_LIMITS,
        plans: PlanSource = NO_PLANS,
        resume_url: Callable[[str], str] = str,
    ) -> None:
        """resume_url: from a run's resume key to the address whose call resumes it."""
        self._store = store
        self._clock = clock
        self._publish = publish
        self._limits = limits
        self._compiler = Compiler(actions, limits.programs)
        self._journal = Journal(store, publish, limits)
        self._pool = Pool(limits.threads)
        self._timers = Timers(clock)
        self._calls = Calls(self, store, plans, self._compiler.compile, clock)
        performer = StepPerformer(invoker, self._calls, self._timers, clock, limits.grace_s)
        self._works = Works(
            self._journal, self._pool, self._timers, performer, clock, publish, limits, self._calls, resume_url
        )
        self._lock = threading.Lock()
        self._runners: dict[str, Runner] = {}
        self._is_closed = False
        self._answers = Answers(store, self._journal, self._compiler, clock, self._take_up)

    def start(self) -> None:
        """Starts the journal's and the timers' threads. Runs of an earlier process wait for recover()."""
        self._journal.start()
        self._timers.start()

    def recover(self) -> int:
        """Takes up all unfinished runs; how many go on. A run whose plan cannot be compiled any more fails."""
        return sum(self._take_up(run, None) for run in recovery.runs_to_take_up(self._store))

    def submit(self, run: Run) -> bool:
        """Stores a run and starts it; False when its id exists. Durable on return.

        Raises NotRunnableError or ExpressionError (nothing is stored), EngineClosedError, the StorageError family.
        """
        self._check_open()
        program = self._compiler.compile(run.plan)
        if program.awaits_calls:
            run = replace(run, resume_key=secrets.token_urlsafe(KEY_BYTES))
        if not self._journal.create(run):
            return False
        self._launch(Runner(run, program, self._works, self._forget))
        return True

    def wait(self, run_id: str, timeout_s: float | None = None) -> Run | None:
        """The run in its final state, once that is durable; None when it is unknown or has not ended by then."""
        runner = self._runners.get(run_id)
        if runner is not None:
            return runner.wait(timeout_s)
        run = self._store.get(run_id)
        return run if run is not None and run.state.is_final else None

    def cancel(self, run_id: str) -> bool:
        """Ends what blocks and starts nothing more; False when the run is not active or interrupted. Does not wait.

        This and the two below reach the runs that the run called, too.
        """
        runner = self._runners.get(run_id)
        is_ending = self._answers.cancel(run_id) if runner is None else runner.cancel()
        return is_ending and self._reach(self.cancel, run_id)

    def cancel_all(self) -> int:
        """Cancels every active run; how many there were."""
        return sum(self.cancel(run_id) for run_id in self.active())

    def pause(self, run_id: str) -> bool:
        """Lets steps at work end and starts no more of them."""
        runner = self._runners.get(run_id)
        return runner is not None and runner.pause() and self._reach(self.pause, run_id)

    def resume(self, run_id: str) -> bool:
        runner = self._runners.get(run_id)
        return runner is not None and runner.resume() and self._reach(self.resume, run_id)

    def deliver(
        self, run_id: str, call: Json, step_id: StepId | None = None, iteration: IterationPath | None = None
    ) -> StepId:
        """Gives a call to the step of the run that waits for one; which one it was. Durable on return.

        Without step_id or iteration the only one that waits. Raises NotWaitingError, the StorageError family.
        """
        runner = self._runners.get(run_id)
        if runner is None:
            raise NotWaitingError("The run does not wait for a call: it has ended, or is not under way here.")
        return runner.deliver(call, step_id, iteration)

    def answer(
        self, run_id: str, step_id: StepId, iteration: IterationPath, answer: Answer, output: Json = None
    ) -> None:
        """Says of a step that was in flight at a crash what became of it; output: its result, if it is done.

        Durable on return; with the last answer the run goes on. Raises NotInterruptedError, the StorageError family.
        """
        self._answers.give(run_id, step_id, iteration, answer, output)

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
        deadline = self._clock.monotonic() + timeout_s
        came_back = [runner.leave(max(deadline - self._clock.monotonic(), 0.0)) for runner in runners]
        is_clean = all(came_back)
        self._timers.close(timeout_s)
        is_clean = self._pool.close(timeout_s if is_clean else self._limits.grace_s) and is_clean
        self._journal.close(timeout_s)
        return is_clean

    def _take_up(self, run: Run, verdict: Verdict | None) -> bool:
        if run.id in self._runners:
            return False
        program = recovery.compile_again(run, self._compiler)
        if isinstance(program, Failure):
            self._fail(run, program)
            return False
        rows = self._store.step_runs(run.id)
        known, verdict = recovery.known_results(rows), verdict or recovery.verdict_of(rows)
        if verdict is None and self._calls.is_orphan(run):
            verdict = Verdict(RunState.CANCELLED)
        text = f"The run goes on after a restart; {len(known)} results were kept."
        self._publish(LogWritten(run.id, self._clock.now(), "info", text))
        self._launch(Runner(run, program, self._works, self._forget, known, verdict))
        return True

    def _fail(self, run: Run, failure: Failure) -> None:
        now = self._clock.now()
        event = RunEnded(run.id, now, RunState.FAILED, failure, 0.0, 0)
        self._journal.submit(RunChange(run.id, RunState.FAILED, now, failure), event, recovery.Unowned())

    def _launch(self, runner: Runner) -> None:
        with self._lock:
            self._check_open()
            self._runners[runner.run.id] = runner
        self._calls.began(runner.run)
        runner.start()

    def _forget(self, run_id: str) -> None:
        with self._lock:
            runner = self._runners.pop(run_id, None)
        if runner is not None and runner.run.state is not RunState.INTERRUPTED:
            self._calls.ended(runner.run)

    def _reach(self, steer: Callable[[str], bool], run_id: str) -> bool:
        for child in self._calls.children(run_id):
            steer(child)
        return True

    def _check_open(self) -> None:
        if self._is_closed:
            raise EngineClosedError("FlowStudio is closing and starts no more runs.")
