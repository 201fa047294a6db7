"""Patch: steps and edges taken out and put in at exact places. Most structural edits end in one, and so do inverses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, TypeAlias

from flowstudio.plan.changes import Change, EdgeAdded, EdgeRemoved, PlanChanged, StepAdded, StepChanged, StepRemoved
from flowstudio.plan.editing import codecs
from flowstudio.plan.editing.edit import Codec, Edit, Edited, put_back, take_out
from flowstudio.plan.errors import DuplicateEdgeError, DuplicateIdError
from flowstudio.plan.model import Edge, Json, Plan, Step, StepId

EdgeKey: TypeAlias = tuple[StepId, str, StepId]


@dataclass(frozen=True, slots=True)
class Patch(Edit):
    """Takes out `steps_out` and `edges_out`, then puts each part of `steps_in` and `edges_in` at its index.

    A step that goes out and comes in again has changed. ordinals, pins: the plan's new ones, None for those it has.
    Legality is the business of whoever makes the patch.
    """

    name: ClassVar[str] = "patch"
    codecs: ClassVar[Mapping[str, Codec]] = {
        "label": codecs.TEXT,
        "steps_out": codecs.many(codecs.TEXT),
        "steps_in": codecs.many(codecs.placed(codecs.STEP)),
        "edges_out": codecs.many(codecs.many(codecs.TEXT)),
        "edges_in": codecs.many(codecs.placed(codecs.EDGE)),
        "ordinals": codecs.optional(codecs.many(codecs.TEXT)),
        "pins": codecs.optional(codecs.by_id(codecs.JSON)),
    }
    label: str
    steps_out: tuple[StepId, ...] = ()
    steps_in: tuple[tuple[int, Step], ...] = ()
    edges_out: tuple[EdgeKey, ...] = ()
    edges_in: tuple[tuple[int, Edge], ...] = ()
    ordinals: tuple[StepId, ...] | None = None
    pins: Mapping[StepId, Json] | None = None

    @property
    def text(self) -> str:
        return self.label

    def apply(self, plan: Plan) -> Edited:
        steps, steps_gone = take_out(plan.steps, self.steps_out, "step", lambda step: step.id)
        edges, edges_gone = take_out(plan.edges, self.edges_out, "connection", lambda edge: edge.key)
        if self.steps_in:
            self._refuse_repeated_steps(steps)
            steps = put_back(steps, self.steps_in)
        if self.edges_in:
            self._refuse_repeated_edges(edges)
            edges = put_back(edges, self.edges_in)
        ordinals = plan.ordinals if self.ordinals is None else self.ordinals
        pins = plan.pins if self.pins is None else self.pins
        inverse = Patch(
            self.label,
            steps_out=tuple(step.id for _, step in self.steps_in),
            steps_in=steps_gone,
            edges_out=tuple(edge.key for _, edge in self.edges_in),
            edges_in=edges_gone,
            ordinals=None if self.ordinals is None else plan.ordinals,
            pins=None if self.pins is None else plan.pins,
        )
        after = replace(plan, steps=steps, edges=edges, ordinals=ordinals, pins=pins)
        return Edited(after, inverse, tuple(self._changes(edges_gone)))

    def _changes(self, edges_gone: tuple[tuple[int, Edge], ...]) -> Iterable[Change]:
        out = set(self.steps_out)
        back = {step.id for _, step in self.steps_in}
        yield from (EdgeRemoved(edge) for _, edge in edges_gone)
        yield from (StepRemoved(step_id) for step_id in self.steps_out if step_id not in back)
        yield from (StepChanged(step) if step.id in out else StepAdded(step) for _, step in self.steps_in)
        yield from (EdgeAdded(edge) for _, edge in self.edges_in)
        if self.ordinals is not None:
            yield PlanChanged("ordinals")
        if self.pins is not None:
            yield PlanChanged("pins")

    def _refuse_repeated_steps(self, steps: tuple[Step, ...]) -> None:
        known = {step.id for step in steps}
        for _, step in self.steps_in:
            if step.id in known:
                raise DuplicateIdError("step", step.id)
            known.add(step.id)

    def _refuse_repeated_edges(self, edges: tuple[Edge, ...]) -> None:
        known = {edge.key for edge in edges}
        for _, edge in self.edges_in:
            if edge.key in known:
                raise DuplicateEdgeError(edge.source, edge.target)
            known.add(edge.key)
