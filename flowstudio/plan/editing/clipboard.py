"""Copy and paste: a fragment of a plan as a value and as JSON, and the edit that puts it in with fresh ids."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from flowstudio.plan.editing import codecs
from flowstudio.plan.editing.edit import Codec, Edit, Edited
from flowstudio.plan.editing.ids import unused
from flowstudio.plan.editing.nesting import check_parent, with_bodies
from flowstudio.plan.editing.patch import Patch
from flowstudio.plan.editing.pins import renamed_pins
from flowstudio.plan.evaluation.references import renamed_params
from flowstudio.plan.model import Edge, Json, Plan, Step, StepId
from flowstudio.plan.reading.parts import edge_from_json, edge_to_json, step_from_json, step_to_json
from flowstudio.plan.reading.reader import Reader

FRAGMENT_KEY = "flowstudio_steps"


@dataclass(frozen=True, slots=True)
class Fragment:
    """Steps, with the edges between them and their pinned outputs. A step whose loop was not copied has no parent."""

    steps: tuple[Step, ...]
    edges: tuple[Edge, ...]
    pins: Mapping[StepId, Json] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        document: dict[str, Json] = {
            FRAGMENT_KEY: [step_to_json(step) for step in self.steps],
            "edges": [edge_to_json(edge) for edge in self.edges],
        }
        return {**document, "pins": dict(self.pins)} if self.pins else document


def fragment_of(plan: Plan, step_ids: Collection[StepId]) -> Fragment:
    """The steps of these ids with the bodies of loops among them; unknown ids are ignored."""
    wanted = with_bodies(plan, step_ids)
    steps = tuple(
        step if step.parent in wanted else replace(step, parent=None) for step in plan.steps if step.id in wanted
    )
    edges = tuple(edge for edge in plan.edges if edge.source in wanted and edge.target in wanted)
    return Fragment(steps, edges, {step_id: output for step_id, output in plan.pins.items() if step_id in wanted})


def fragment_from_json(document: object, where: str = "") -> Fragment:
    """Raises DocumentError when the document is no fragment."""
    reader = Reader(document, where)
    steps, edges = reader.items(FRAGMENT_KEY, step_from_json), reader.items("edges", edge_from_json)
    return Fragment(steps, edges, reader.mapping("pins"))


@dataclass(frozen=True, slots=True)
class PasteSteps(Edit):
    """Adds copies of a fragment's steps, moved by dx, dy scene pixels.

    A copy whose id is taken gets a fresh one, and references among the copies follow; references to steps outside
    stay. parent: the loop to paste into, None for the top level.
    """

    name: ClassVar[str] = "paste_steps"
    codecs: ClassVar[Mapping[str, Codec]] = {
        "fragment": Codec(Fragment.as_json, fragment_from_json),
        "dx": codecs.NUMBER,
        "dy": codecs.NUMBER,
        "parent": codecs.optional(codecs.TEXT),
    }
    fragment: Fragment
    dx: float = 0.0
    dy: float = 0.0
    parent: StepId | None = None

    @property
    def text(self) -> str:
        count = len(self.fragment.steps)
        return "Paste 1 step" if count == 1 else f"Paste {count} steps"

    def new_ids(self, plan: Plan) -> dict[StepId, StepId]:
        """Fragment id -> id its copy gets in this plan."""
        taken = {step.id for step in plan.steps} | set(plan.ordinals)
        names: dict[StepId, StepId] = {}
        for step in self.fragment.steps:
            names[step.id] = unused(taken, step.id)
            taken.add(names[step.id])
        return names

    def apply(self, plan: Plan) -> Edited:
        names = self.new_ids(plan)
        steps = [self._copy(step, names) for step in self.fragment.steps]
        if self.parent is not None and steps:
            check_parent(plan, steps[0], self.parent)
        edges = [replace(edge, source=names[edge.source], target=names[edge.target]) for edge in self._edges(names)]
        return Patch(
            self.text,
            steps_in=tuple(enumerate(steps, len(plan.steps))),
            edges_in=tuple(enumerate(edges, len(plan.edges))),
            pins={**plan.pins, **self._pins(names)} if self.fragment.pins else None,
        ).apply(plan)

    def _pins(self, names: Mapping[StepId, StepId]) -> dict[StepId, Json]:
        """Only of steps that are in the fragment: a clipboard may hold anything."""
        return renamed_pins({step: pin for step, pin in self.fragment.pins.items() if step in names}, names)

    def _edges(self, names: Mapping[StepId, StepId]) -> list[Edge]:
        return [edge for edge in self.fragment.edges if edge.source in names and edge.target in names]

    def _copy(self, step: Step, names: Mapping[StepId, StepId]) -> Step:
        parent = self.parent if step.parent is None else names.get(step.parent, self.parent)
        params = renamed_params(step, {old: new for old, new in names.items() if old != new})
        return replace(step, id=names[step.id], parent=parent, params=params, x=step.x + self.dx, y=step.y + self.dy)
