"""Runs that build on others: one step, from a step on, again with the same input, from where a run failed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from flowstudio.engine.model import PLAIN, IterationPath, Run, RunOptions, RunState, StepRun, TriggerEvent
from flowstudio.plan.checking.spelling import closest
from flowstudio.plan.dependencies import Dependencies
from flowstudio.plan.model import Plan, StepId
from flowstudio.workspace.errors import BadRequestError, OutputsNeededError, RunStateError
from flowstudio.workspace.ports import RunHistory
from flowstudio.workspace.reuse import Choices, Selection, Stored, part_of, seeded
from flowstudio.workspace.run_ids import new_run_id
from flowstudio.workspace.runs import Runs

RECENT: Final = 10
"""Runs of a plan that are looked through for stored outputs, newest first."""
ASK: Final = Choices()


class Mode(StrEnum):
    """run: the whole plan. step: one step. from: a step and all that depends on it."""

    RUN = "run"
    STEP = "step"
    FROM = "from"


class Revision(StrEnum):
    """Which plan a repeated run executes: the one the earlier run executed, or what it has become since."""

    ORIGINAL = "original"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Target:
    """iteration: of a step in loops, the one iteration to run it in; None for all."""

    step_id: StepId
    goes_on: bool = False
    iteration: IterationPath | None = None


class Reruns:
    """Thread-safe. current gives a user's plan by id, as it is stored now; it raises NoSuchPlanError."""

    def __init__(self, runs: Runs, history: RunHistory, current: Callable[[str, str], Plan]) -> None:
        self._runs = runs
        self._history = history
        self._current = current

    def part(
        self,
        user_id: str,
        plan: Plan,
        target: Target,
        *,
        based_on: str | None = None,
        trigger: TriggerEvent | None = None,
        choices: Choices = ASK,
        options: RunOptions = PLAIN,
        run_id: str | None = None,
    ) -> str:
        """Runs one step of this plan, or all from it on, with stored outputs of what leads to it; the run's id.

        based_on: the run whose outputs are used; else the newest that has all of them, or lacks the fewest. trigger:
        None for that of the base run. Raises OutputsNeededError listing what is missing or stale unless choices say
        what to do about it, NoSuchRunError, BadRequestError, and what Runs.start raises.
        """
        self._runs.require_runnable(user_id, plan)
        dependencies = Dependencies(plan)
        _check(plan, dependencies, target)
        part = part_of(dependencies, target.step_id, goes_on=target.goes_on, iteration=target.iteration)
        pinned = plan.pins.keys() if options.uses_pins else ()
        selection, base = Selection(None), None
        for index, run in enumerate(self._bases(user_id, plan, based_on)):
            data = trigger.data if trigger is not None else run.trigger.data if run is not None else None
            rows = self._history.step_runs(run.id) if run is not None else []
            found = Stored(plan, dependencies, data, run).part(rows, part, choices, pinned)
            if index == 0 or found.gaps < selection.gaps:
                selection, base = found, run
            if not selection.gaps:
                break
        _ask(plan, selection)
        if trigger is None and base is not None:
            trigger = _same(base)
        options = replace(options, only=selection.only, based_on=base.id if base is not None else None)
        return self._start(user_id, plan, trigger, selection.seeds, base, options, run_id)

    def again(
        self,
        user_id: str,
        base_id: str,
        revision: Revision = Revision.ORIGINAL,
        options: RunOptions | None = None,
        run_id: str | None = None,
    ) -> str:
        """Runs the whole plan with the input of an earlier run; the new run's id. options: None for the same again."""
        base = self._runs.get(user_id, base_id)
        options = options or _like(base)
        plan = self._revision(user_id, base, revision)
        return self._start(user_id, plan, _same(base), (), base, replace(options, based_on=base.id), run_id)

    def restart(
        self,
        user_id: str,
        base_id: str,
        revision: Revision = Revision.ORIGINAL,
        choices: Choices = ASK,
        options: RunOptions | None = None,
        run_id: str | None = None,
        draft: Plan | None = None,
    ) -> str:
        """Goes on, as a new run, where one failed or was cancelled: what it finished is kept, in loops item by item.

        options: None for the same again. draft: executed instead of either revision. Raises RunStateError when the run
        did not fail, OutputsNeededError when steps it finished have changed since and choices do not say whether to use
        their outputs.
        """
        base = self._runs.get(user_id, base_id)
        if base.state not in (RunState.FAILED, RunState.CANCELLED):
            sentence = f"The run {base.id} of “{base.plan.name}” cannot be restarted: it is {base.state.value}."
            fix = "Run it again instead." if base.state is RunState.SUCCEEDED else "Wait for its end."
            raise RunStateError(sentence, fix=fix, facts={"state": base.state.value})
        plan = draft or self._revision(user_id, base, revision)
        self._runs.require_runnable(user_id, plan)
        rows = self._history.step_runs(base.id)
        selection = Stored(plan, Dependencies(plan), base.trigger.data, base).rest(rows, choices)
        _ask(plan, selection)
        options = replace(options or _like(base), only=base.options.only, based_on=base.id)
        return self._start(user_id, plan, _same(base), selection.seeds, base, options, run_id)

    def revision(self, user_id: str, base_id: str, revision: Revision) -> Plan:
        """The plan an earlier run executed, or what is stored of it now. Raises NoSuchRunError, NoSuchPlanError."""
        return self._revision(user_id, self._runs.get(user_id, base_id), revision)

    def _revision(self, user_id: str, base: Run, revision: Revision) -> Plan:
        return base.plan if revision is Revision.ORIGINAL else self._current(user_id, base.plan.id)

    def _bases(self, user_id: str, plan: Plan, based_on: str | None) -> Sequence[Run | None]:
        if based_on is not None:
            return [self._runs.get(user_id, based_on)]
        runs = self._history.list_runs(user_id, plan_id=plan.id, limit=RECENT)
        return [run for run in runs if not run.options.is_dry] or [None]

    def _start(
        self,
        user_id: str,
        plan: Plan,
        trigger: TriggerEvent | None,
        rows: Sequence[StepRun],
        base: Run | None,
        options: RunOptions,
        run_id: str | None,
    ) -> str:
        run_id = run_id or new_run_id()
        seeds = seeded(rows, run_id, base) if base is not None else ()
        return self._runs.start(user_id, plan, trigger, run_id, options, seeds)


def _like(base: Run) -> RunOptions:
    """A dry run is repeated dry: nobody shall send by pressing "again"."""
    return RunOptions(is_dry=base.options.is_dry, uses_pins=base.options.uses_pins)


def _same(base: Run) -> TriggerEvent:
    """The input of that run, brought by a person this time."""
    return TriggerEvent(data=base.trigger.data)


def _check(plan: Plan, dependencies: Dependencies, target: Target) -> None:
    """Raises BadRequestError when the plan has no such step, or the step no such iteration."""
    if target.step_id not in dependencies.around:
        raise BadRequestError(_no_step(plan, target.step_id), facts={"field": "step_id"})
    depth = len(dependencies.around[target.step_id])
    if target.iteration is not None and len(target.iteration) != depth:
        label = plan.step(target.step_id).label
        sentence = f"“{label}” lies in {depth} loops, so its iteration has {depth} numbers such as 3.0."
        if depth == 0:
            sentence = f"“{label}” lies in no loop and has no iterations."
        raise BadRequestError(sentence, facts={"field": "iteration"})


def _no_step(plan: Plan, step_id: StepId) -> str:
    like = closest(step_id, [step.id for step in plan.steps])
    return f"“{plan.name}” has no step “{step_id}”." + (f" {like}" if like else "")


def _ask(plan: Plan, selection: Selection) -> None:
    if selection.gaps:
        labels = {step.id: step.label for step in plan.steps}
        raise OutputsNeededError(
            [(each, labels[each]) for each in selection.missing], [(each, labels[each]) for each in selection.stale]
        )
