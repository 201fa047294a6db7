"""Edits of edges: connect, disconnect, insert a step on a wire."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from flowstudio.plan.checking.checks import ID_SHAPE
from flowstudio.plan.editing import codecs
from flowstudio.plan.editing.edit import Codec, Edit, Edited, step_index
from flowstudio.plan.editing.patch import Patch
from flowstudio.plan.errors import BadIdError, NoSuchPartError
from flowstudio.plan.model import Edge, Plan, Step, ports_of
from flowstudio.plan.rules import check_edge, check_ends


@dataclass(frozen=True, slots=True)
class AddEdge(Edit):
    name: ClassVar[str] = "add_edge"
    codecs: ClassVar[Mapping[str, Codec]] = {"edge": codecs.EDGE}
    edge: Edge

    @property
    def text(self) -> str:
        return "Connect"

    def apply(self, plan: Plan) -> Edited:
        fault = check_edge(plan, self.edge)
        if fault is not None:
            raise fault
        return Patch(self.text, edges_in=((len(plan.edges), self.edge),)).apply(plan)


@dataclass(frozen=True, slots=True)
class RemoveEdge(Edit):
    """The edge is found by source, port and target."""

    name: ClassVar[str] = "remove_edge"
    codecs: ClassVar[Mapping[str, Codec]] = {"edge": codecs.EDGE}
    edge: Edge

    @property
    def text(self) -> str:
        return "Disconnect"

    def apply(self, plan: Plan) -> Edited:
        return Patch(self.text, edges_out=(self.edge.key,)).apply(plan)


@dataclass(frozen=True, slots=True)
class InsertOnEdge(Edit):
    """Puts a new step between the two ends of an edge; it joins the level the edge runs on.

    It leaves by its first port that stays on that level; a step without one (stop) becomes the end.
    """

    name: ClassVar[str] = "insert_on_edge"
    codecs: ClassVar[Mapping[str, Codec]] = {"edge": codecs.EDGE, "step": codecs.STEP}
    edge: Edge
    step: Step

    @property
    def text(self) -> str:
        return f"Insert “{self.step.label}”"

    def apply(self, plan: Plan) -> Edited:
        if not ID_SHAPE.fullmatch(self.step.id):
            raise BadIdError(self.step.id)
        at = next((at for at, edge in enumerate(plan.edges) if edge.key == self.edge.key), None)
        if at is None:
            raise NoSuchPartError("connection", f"{self.edge.source}.{self.edge.port} → {self.edge.target}")
        source, target = plan.steps[step_index(plan, self.edge.source)], plan.steps[step_index(plan, self.edge.target)]
        step = _at_level_of(self.step, target)
        fault = check_ends(source, self.edge.port, step)
        if fault is not None:
            raise fault
        edges = [Edge(self.edge.source, self.edge.port, step.id)]
        edges += [Edge(step.id, port.name, self.edge.target) for port in ports_of(step) if not port.container][:1]
        return Patch(
            self.text,
            steps_in=((len(plan.steps), step),),
            edges_out=(self.edge.key,),
            edges_in=tuple(enumerate(edges, at)),
        ).apply(plan)


def _at_level_of(step: Step, target: Step) -> Step:
    return step if step.parent == target.parent else replace(step, parent=target.parent)
