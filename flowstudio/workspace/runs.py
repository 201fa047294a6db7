"""Runs: start, wait, steer and read executions of plans."""

from collections.abc import Sequence
from typing import Protocol

from flowstudio.engine.errors import failure_of
from flowstudio.engine.model import (
    PLAIN,
    Answer,
    Failure,
    IterationPath,
    Performed,
    Run,
    RunOptions,
    RunState,
    StepRun,
    TriggerEvent,
)
from flowstudio.engine.ports import Clock
from flowstudio.engine.recovery import questions
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Json, Plan, StepId, TriggerKind
from flowstudio.plan.rules import Problem
from flowstudio.workspace.errors import BadRequestError, NoSuchRunError, RunStateError
from flowstudio.workspace.plan_check import PlanCheck
from flowstudio.workspace.ports import RunHistory
from flowstudio.workspace.run_ids import new_run_id
from flowstudio.workspace.step_input import StepInput, received_by


class RunEngine(Protocol):
    """The part of the engine that use cases need."""

    def submit(self, run: Run, seeds: Sequence[StepRun] = ()) -> bool:
        """False when a run of that id exists, which then goes on as it was."""
        ...

    def perform(self, run: Run, timeout_s: float) -> Performed: ...
    def wait(self, run_id: str, timeout_s: float | None = None) -> Run | None: ...
    def wait_for_reply(self, run_id: str, timeout_s: float) -> Run | None: ...
    def cancel(self, run_id: str) -> bool: ...
    def pause(self, run_id: str) -> bool: ...
    def waits_for(self, run_id: str) -> str: ...
    def answer(self, run_id: str, step_id: StepId, iteration: IterationPath, answer: Answer, output: Json) -> None: ...
    @property
    def stall(self) -> FlowStudioError | None:
        """Why nothing can be stored for now, so that runs pause and none begins."""
        ...


class Runs:
    """Thread-safe: the window, the server's threads and the scheduler start runs through it."""

    def __init__(self, engine: RunEngine, history: RunHistory, check: PlanCheck, clock: Clock) -> None:
        self._engine = engine
        self._history = history
        self._check = check
        self._clock = clock

    def start(
        self,
        user_id: str,
        plan: Plan,
        trigger: TriggerEvent | None = None,
        run_id: str | None = None,
        options: RunOptions = PLAIN,
        seeds: Sequence[StepRun] = (),
    ) -> str:
        """Starts a run of this exact plan and returns its id at once; a run_id that exists is met, not repeated.

        seeds: results it begins with. Raises PlanNotRunnableError listing every error problem, BreakpointError,
        BadRequestError for pins in a run nobody started by hand, StorageError when it cannot be made durable.
        """
        self.require_runnable(user_id, plan)
        if options.uses_pins and trigger is not None and trigger.kind is not TriggerKind.MANUAL:
            raise BadRequestError("Pinned outputs stand in for steps only in runs that a person starts.")
        run = Run(
            id=run_id or new_run_id(),
            user_id=user_id,
            plan=plan,
            state=RunState.QUEUED,
            trigger=trigger or TriggerEvent(),
            created_at=self._clock.now(),
            options=options,
        )
        self._engine.submit(run, seeds)
        return run.id

    def require_runnable(self, user_id: str, plan: Plan) -> None:
        """Raises PlanNotRunnableError listing every error problem."""
        self._check.require(user_id, plan)

    def check(self, user_id: str, plan: Plan) -> Sequence[Problem]:
        """All problems of the plan, warnings too."""
        return self._check(user_id, plan)

    def wait(self, run_id: str, timeout_s: float | None = None) -> Run | None:
        """The run once it ended; None when it still goes on after timeout_s seconds."""
        return self._engine.wait(run_id, timeout_s)

    def perform(self, user_id: str, plan: Plan, trigger: TriggerEvent, timeout_s: float) -> tuple[str, Performed]:
        """start and wait_for_reply in one, quicker for short runs; the run's id and its answer. Raises like start."""
        self.require_runnable(user_id, plan)
        run = Run(new_run_id(), user_id, plan, RunState.QUEUED, trigger, self._clock.now())
        return run.id, self._engine.perform(run, timeout_s)

    def wait_for_reply(self, run_id: str, timeout_s: float) -> Run | None:
        """The run once it answered, even if it goes on, or ended; None when it did neither within timeout_s seconds."""
        return self._engine.wait_for_reply(run_id, timeout_s)

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
            raise cannot("paused", run)

    def stalled_by(self, run: Run) -> Failure | None:
        """Why the run stands still although it is under way: its results cannot be stored for now."""
        stall = self._engine.stall
        is_at_work = run.state in (RunState.QUEUED, RunState.RUNNING)
        return failure_of(stall) if stall is not None and is_at_work else None

    def questions(self, user_id: str, run_id: str) -> Sequence[StepRun]:
        """The steps that were in flight at a crash and wait for an answer. Raises NoSuchRunError."""
        run = self.get(user_id, run_id)
        return questions(self._history.step_runs(run_id)) if run.state is RunState.INTERRUPTED else []

    def answer(
        self,
        user_id: str,
        run_id: str,
        answer: Answer,
        step_id: StepId | None = None,
        iteration: IterationPath = (),
        output: Json = None,
    ) -> None:
        """Says what became of a step that was in flight at a crash; the run goes on with the last answer.

        Without step_id the only step that asks. output: the result of one that is done. Raises NoSuchRunError,
        NotInterruptedError, BadRequestError when several steps ask and none is named.
        """
        asking = self.questions(user_id, run_id)
        if step_id is None and len(asking) > 1:
            names = ", ".join(sorted({row.step_id for row in asking}))
            raise BadRequestError(f"{len(asking)} steps of this run ask: say which one, of {names}.")
        if step_id is None and asking:
            step_id, iteration = asking[0].step_id, asking[0].iteration
        self._engine.answer(run_id, step_id or "", iteration, answer, output)

    def waits_for(self, run: Run) -> str | None:
        """Why a queued run does not start yet, as a sentence; None for any other run."""
        return self._engine.waits_for(run.id) or None if run.state is RunState.QUEUED else None

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


def cannot(be: str, run: Run) -> RunStateError:
    sentence = f"The run {run.id} of “{run.plan.name}” cannot be {be}: it is {run.state.value}."
    return RunStateError(sentence, facts={"state": run.state.value})
