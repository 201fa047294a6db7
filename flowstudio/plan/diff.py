"""What changed between two revisions of a plan, part by part."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TypeVar

from flowstudio.plan.model import Edge, Plan, Step, StepId

T = TypeVar("T")
K = TypeVar("K")


class StepDifference(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class ChangedStep:
    """fields: names of the step's fields that differ; params: names of the params among them."""

    before: Step
    after: Step
    fields: tuple[str, ...]
    params: tuple[str, ...]

    @property
    def is_only_moved(self) -> bool:
        return set(self.fields) <= {"x", "y"}


@dataclass(frozen=True, slots=True)
class Difference:
    """parts: the plan's other fields that differ, e.g. "name", "triggers", "notes"."""

    added: tuple[Step, ...] = ()
    removed: tuple[Step, ...] = ()
    changed: tuple[ChangedStep, ...] = ()
    edges_added: tuple[Edge, ...] = ()
    edges_removed: tuple[Edge, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == Difference()

    def of_step(self, step_id: StepId) -> StepDifference | None:
        """How the canvas marks a step; None when it is the same."""
        if any(step.id == step_id for step in self.added):
            return StepDifference.ADDED
        if any(step.id == step_id for step in self.removed):
            return StepDifference.REMOVED
        change = next((change for change in self.changed if change.after.id == step_id), None)
        if change is None:
            return None
        return StepDifference.MOVED if change.is_only_moved else StepDifference.CHANGED


def difference(before: Plan, after: Plan) -> Difference:
    """Steps are compared by id, edges by source, port and target. Linear."""
    old_steps, new_steps = _by(before.steps, lambda step: step.id), _by(after.steps, lambda step: step.id)
    old_edges, new_edges = _by(before.edges, lambda edge: edge.key), _by(after.edges, lambda edge: edge.key)
    return Difference(
        added=_only_in(new_steps, old_steps),
        removed=_only_in(old_steps, new_steps),
        changed=tuple(
            _compared(old_steps[step_id], step)
            for step_id, step in new_steps.items()
            if step_id in old_steps and old_steps[step_id] != step
        ),
        edges_added=_only_in(new_edges, old_edges),
        edges_removed=_only_in(old_edges, new_edges),
        parts=tuple(name for name in _differing(before, after) if name not in ("steps", "edges")),
    )


def _by(parts: Iterable[T], key: Callable[[T], K]) -> dict[K, T]:
    return {key(part): part for part in parts}


def _only_in(these: Mapping[K, T], others: Mapping[K, T]) -> tuple[T, ...]:
    return tuple(part for key, part in these.items() if key not in others)


def _compared(before: Step, after: Step) -> ChangedStep:
    names = sorted(before.params.keys() | after.params.keys())
    absent = object()
    params = tuple(name for name in names if before.params.get(name, absent) != after.params.get(name, absent))
    return ChangedStep(before, after, _differing(before, after), params)


def _differing(before: Plan | Step, after: Plan | Step) -> tuple[str, ...]:
    return tuple(each.name for each in fields(before) if getattr(before, each.name) != getattr(after, each.name))
