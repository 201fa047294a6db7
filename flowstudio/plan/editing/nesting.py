"""Steps inside loops: what may live where, and the edit that moves steps in and out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from flowstudio.plan.editing import codecs
from flowstudio.plan.editing.edit import Codec, Edit, Edited
from flowstudio.plan.editing.patch import Patch
from flowstudio.plan.errors import NoSuchPartError, ParentError
from flowstudio.plan.graph import Graph
from flowstudio.plan.model import Edge, Plan, Step, StepId
from flowstudio.plan.rules import check_ends


@dataclass(frozen=True, slots=True)
class SetParent(Edit):
    """Moves steps into a loop's body, or out to the top level for None. Edges that would cross a border go."""

    name: ClassVar[str] = "set_parent"
    codecs: ClassVar[Mapping[str, Codec]] = {
        "steps": codecs.many(codecs.TEXT),
        "parent": codecs.optional(codecs.TEXT),
    }
    steps: tuple[StepId, ...]
    parent: StepId | None

    @property
    def text(self) -> str:
        return "Move out of the loop" if self.parent is None else "Move into the loop"

    def apply(self, plan: Plan) -> Edited:
        wanted = set(self.steps)
        moved = {
            step.id: (at, replace(step, parent=self.parent)) for at, step in enumerate(plan.steps) if step.id in wanted
        }
        for step_id in self.steps:
            if step_id not in moved:
                raise NoSuchPartError("step", step_id)
            if self.parent is not None:
                check_parent(plan, moved[step_id][1], self.parent)
        by_id = {step.id: step for step in plan.steps}
        by_id.update((step_id, step) for step_id, (_, step) in moved.items())
        lost = tuple(edge.key for edge in plan.edges if _crosses(edge, by_id, wanted))
        return Patch(self.text, tuple(moved), tuple(moved.values()), lost).apply(plan)


def _crosses(edge: Edge, by_id: Mapping[StepId, Step], moved: Collection[StepId]) -> bool:
    if edge.source not in moved and edge.target not in moved:
        return False
    source, target = by_id.get(edge.source), by_id.get(edge.target)
    return source is not None and target is not None and check_ends(source, edge.port, target) is not None


def check_parent(plan: Plan, step: Step, parent_id: StepId) -> None:
    """Raises ParentError unless step may live in the body of parent_id."""
    parent = next((each for each in plan.steps if each.id == parent_id), None)
    if parent is None:
        raise NoSuchPartError("step", parent_id)
    if not parent.kind.holds_steps:
        raise ParentError(step.label, parent.label, "only a loop holds other steps")
    if parent_id == step.id or step.id in Graph(plan).parents(parent_id):
        raise ParentError(step.label, parent.label, "a loop cannot hold itself")


def with_bodies(plan: Plan, step_ids: Collection[StepId]) -> set[StepId]:
    """The steps and everything inside them, however deep."""
    children: dict[StepId, list[StepId]] = {}
    for step in plan.steps:
        if step.parent is not None:
            children.setdefault(step.parent, []).append(step.id)
    found = set(step_ids)
    waiting = list(found)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found
