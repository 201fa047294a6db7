"""Runs: start, wait, steer and read executions of plans."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Protocol

from flowstudio.engine.model import IterationPath, Run, RunState, StepRun, TriggerEvent
from flowstudio.engine.ports import Clock
from flowstudio.plan.model import Plan
from flowstudio.plan.rules import Problem, Severity, check_plan
from flowstudio.providers.registry import Registry
from flowstudio.workspace.errors import NoSuchRunError, PlanNotRunnableError, RunStateError
from flowstudio.workspace.ports import RunHistory
from flowstudio.workspace.run_ids import new_run_id
from flowstudio.workspace.step_input import StepInput, received_by

CHECKED_PLANS = 256
"""How many check results are remembered; a webhook's plan is checked once, not at every request."""


class RunEngine(Protocol):
    """The part of the engine that use cases need."""

    def submit(self, run: Run) -> bool:
        """False when a run of that id exists, which then goes on as it was."""
        ...

    def wait(self, run_id: str, timeout_s: float | None = None) -> Run | None: ...
    def cancel(self, run_id: str) -> bool: ...
    def pause(self, run_id: str) -> bool: ...
    def resume(self, run_id: str) -> bool: ...


class Runs:
    """Thread-safe: the window, the server's threads and the scheduler start runs through it."""

    def __init__(
        self, engine: RunEngine, history: RunHistory, catalogue: Callable[[str], Registry], clock: Clock
    ) -> None:
        self._engine = engine
        self._history = history
        self._check = PlanCheck(catalogue)
        self._clock = clock

    def start(self, user_id: str, plan: Plan, trigger: TriggerEvent | None = None, run_id: str | None = None) -> str:
        """Starts a run of this exact plan and returns its id at once; a run_id that exists is met, not repeated.

        Raises PlanNotRunnableError listing every error problem, StorageError when it cannot be made durable.
        """
        errors = [each for each in self._check(user_id, plan) if each.severity is Severity.ERROR]
        if errors:
            raise PlanNotRunnableError(plan.name, errors)
        run = Run(
            id=run_id or new_run_id(),
            user_id=user_id,
            plan=plan,
            state=RunState.QUEUED,
            trigger=trigger or TriggerEvent(),
            created_at=self._clock.now(),
        )
        self._engine.submit(run)
        return run.id

    def check(self, user_id: str, plan: Plan) -> Sequence[Problem]:
        """All problems of the plan, warnings too."""
        return self._check(user_id, plan)

    def wait(self, run_id: str, timeout_s: float | None = None) -> Run | None:
        """The run once it ended; None when it still goes on after timeout_s seconds."""
        return self._engine.wait(run_id, timeout_s)

    def cancel(self, user_id: str, run_id: str) -> bool:
        """Ends the run; False when it had ended already. Raises NoSuchRunError."""
        self.get(user_id, run_id)
        return self._engine.cancel(run_id)

    def cancel_all(self, user_id: str) -> int:
        """Ends every run of the user that goes on; how many there were."""
        return sum(self._engine.cancel(run.id) for run in self._history.unfinished_of(user_id))

    def pause(self, user_id: str, run_id: str) -> None:
        """Starts no more steps; those at work come to their end. Raises NoSuchRunError, RunStateError."""
        run = self.get(user_id, run_id)
        if not self._engine.pause(run_id):
            raise _cannot("paused", run)

    def resume(self, user_id: str, run_id: str) -> None:
        """Raises NoSuchRunError, RunStateError when the run is not paused."""
        run = self.get(user_id, run_id)
        if not self._engine.resume(run_id):
            raise _cannot("resumed", run)

    def get(self, user_id: str, run_id: str) -> Run:
        run = self._history.find(user_id, run_id)
        if run is None:
            raise NoSuchRunError(f"There is no run {run_id}.")
        return run

    def steps(self, user_id: str, run_id: str) -> Sequence[StepRun]:
        """Results so far, in the order they became known. Raises NoSuchRunError."""
        self.get(user_id, run_id)
        return self._history.step_runs(run_id)

    def step(self, user_id: str, run_id: str, step_id: str, iteration: IterationPath = ()) -> StepRun | None:
        """The result of one step in one iteration; None while it has none. Raises NoSuchRunError."""
        self.get(user_id, run_id)
        return self._history.step_run(run_id, step_id, iteration)

    def received(self, user_id: str, run_id: str, step_id: str, iteration: IterationPath = ()) -> StepInput:
        """What went into that step, whether it has a result or not. Raises NoSuchRunError."""
        run = self.get(user_id, run_id)
        return received_by(run, step_id, iteration, lambda step, path: self._history.step_run(run_id, step, path))

    def list(
        self, user_id: str, plan_id: str | None = None, limit: int = 100, state: RunState | None = None
    ) -> Sequence[Run]:
        """Newest first."""
        return self._history.list_runs(user_id, plan_id=plan_id, limit=limit, state=state)


def _cannot(be: str, run: Run) -> RunStateError:
    sentence = f"The run {run.id} of “{run.plan.name}” cannot be {be}: it is {run.state.value}."
    return RunStateError(sentence, facts={"state": run.state.value})


class PlanCheck:
    """check_plan with a memory. Plans and registries are immutable, so the same two objects have the same problems."""

    def __init__(self, catalogue: Callable[[str], Registry]) -> None:
        self._catalogue = catalogue
        self._lock = Lock()
        self._known: OrderedDict[tuple[int, int], tuple[Plan, Registry, tuple[Problem, ...]]] = OrderedDict()

    def __call__(self, user_id: str, plan: Plan) -> tuple[Problem, ...]:
        registry = self._catalogue(user_id)
        key = (id(plan), id(registry))
        with self._lock:
            known = self._known.get(key)
            # The entry holds both objects, so their addresses cannot have been given to others meanwhile.
            if known is not None:
                self._known.move_to_end(key)
                return known[2]
        problems = tuple(check_plan(plan, registry))
        with self._lock:
            self._known[key] = (plan, registry, problems)
            while len(self._known) > CHECKED_PLANS:
                self._known.popitem(last=False)
        return problems
