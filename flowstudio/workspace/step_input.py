"""What went into a step of a run: found again from the plan it ran and the results that are kept."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flowstudio.engine.errors import failure_as_json
from flowstudio.engine.model import IterationPath, Run, StepRun
from flowstudio.errors import FlowStudioError
from flowstudio.plan.evaluation.deferred import opened
from flowstudio.plan.expression import Scope, StepView, compile_value
from flowstudio.plan.legacy import TRIGGER_OFFSET
from flowstudio.plan.model import Json, StepId

FindResult = Callable[[StepId, IterationPath], StepRun | None]


@dataclass(frozen=True, slots=True)
class StepInput:
    """value: its large parts may be deferred. path: the expression that reads it; empty when several steps lead here,
    whose outputs are then by step id."""

    value: Json
    path: str


def received_by(run: Run, step_id: StepId, iteration: IterationPath, find: FindResult) -> StepInput:
    """The outputs that reached the step over live edges.

    For the first step of a loop's body that is the item, for the first step of a plan what the trigger brought.
    """
    step = run.plan.step(step_id)
    inlets = [edge for edge in run.plan.edges if edge.target == step_id]
    if step.parent is not None and (not inlets or any(edge.source == step.parent for edge in inlets)):
        return StepInput(_item(run, step.parent, iteration, find), "item")
    if not inlets:
        return StepInput(run.trigger.data, "trigger")
    arrived: dict[str, Json] = {}
    for edge in inlets:
        result = find(edge.source, iteration)
        if result is not None and edge.port in result.ports:
            arrived[edge.source] = result.output
    if len(arrived) == 1:
        source, output = next(iter(arrived.items()))
        return StepInput(output, f"steps.{source}.output")
    return StepInput(arrived or None, "")


def _item(run: Run, loop_id: StepId, iteration: IterationPath, find: FindResult) -> Json:
    """The item of that iteration, None if it cannot be told. Items are not kept: the loop's list is read again."""
    loop = run.plan.step(loop_id)
    outer = iteration[:-1]
    try:
        items: Any = compile_value(
            loop.params.get("items"),
            run.plan.ordinals or tuple(step.id for step in run.plan.steps),
            bool(run.plan.extra.get(TRIGGER_OFFSET)),
        )
        items = opened(items.carrying().render(_scope(run, loop.parent, outer, find)))
    except FlowStudioError:
        return None
    if isinstance(items, dict):
        items = opened(items.get("items"))
    return items[iteration[-1]] if iteration and isinstance(items, list) and iteration[-1] < len(items) else None


def _scope(run: Run, around: StepId | None, iteration: IterationPath, find: FindResult) -> Scope:
    views = _Views(run, iteration, find)
    started_at = run.started_at or run.created_at
    about: dict[str, Json] = {"id": run.id, "plan": run.plan.name, "started_at": started_at.isoformat()}
    loops: dict[StepId, Mapping[str, Json]] = {}
    loop, path = around, iteration
    while loop is not None and path:
        loops[loop] = {"item": _item(run, loop, path, find), "index": path[-1]}
        loop, path = run.plan.step(loop).parent, path[:-1]
    inner = loops.get(around, {}) if around is not None else {}
    return Scope(
        views,
        trigger=run.trigger.data,
        vars=run.plan.variables,
        item=inner.get("item"),
        index=iteration[-1] if iteration else None,
        loops=loops,
        run=about,
    )


class _Views(Mapping[StepId, StepView]):
    """The results a step sees, read from the store only when an expression asks: its own iteration's, then outwards."""

    def __init__(self, run: Run, iteration: IterationPath, find: FindResult) -> None:
        self._ids = tuple(step.id for step in run.plan.steps)
        self._iteration = iteration
        self._find = find

    def __getitem__(self, step_id: StepId) -> StepView:
        for depth in range(len(self._iteration), -1, -1):
            result = self._find(step_id, self._iteration[:depth])
            if result is not None:
                error = failure_as_json(result.failure) if result.failure else None
                return StepView(result.output, result.message, error)
        raise KeyError(step_id)

    def __iter__(self) -> Iterator[StepId]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)
