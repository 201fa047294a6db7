"""Edits of steps: add, remove, move, fill, nest, rename."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from flowstudio.plan.changes import StepChanged, StepMoved
from flowstudio.plan.checking.checks import ID_SHAPE
from flowstudio.plan.editing import codecs
from flowstudio.plan.editing.edit import Codec, Edit, Edited, replaced, step_index, with_field
from flowstudio.plan.editing.nesting import SetParent, check_parent, with_bodies
from flowstudio.plan.editing.patch import Patch
from flowstudio.plan.editing.pins import renamed_pins, without
from flowstudio.plan.editing.step_fields import FIELDS, FieldValue, read_field, write_field
from flowstudio.plan.errors import BadIdError, DuplicateIdError, NoSuchPartError
from flowstudio.plan.evaluation.references import renamed_params
from flowstudio.plan.model import Edge, Json, Plan, Step, StepId, StepKind, case_names, ports_of
from flowstudio.plan.reading.reader import MAX_VALUE_DEPTH, check_json


@dataclass(frozen=True, slots=True)
class AddStep(Edit):
    """index: place among the plan's steps, the end for None."""

    name: ClassVar[str] = "add_step"
    codecs: ClassVar[Mapping[str, Codec]] = {"step": codecs.STEP, "index": codecs.optional(codecs.INDEX)}
    step: Step
    index: int | None = None

    @property
    def text(self) -> str:
        return f"Add “{self.step.label}”"

    def apply(self, plan: Plan) -> Edited:
        if not ID_SHAPE.fullmatch(self.step.id):
            raise BadIdError(self.step.id)
        if self.step.parent is not None:
            check_parent(plan, self.step, self.step.parent)
        at = len(plan.steps) if self.index is None else self.index
        return Patch(self.text, steps_in=((at, self.step),)).apply(plan)


@dataclass(frozen=True, slots=True)
class RemoveSteps(Edit):
    """With their edges and pinned outputs, and a loop with everything in its body."""

    name: ClassVar[str] = "remove_steps"
    codecs: ClassVar[Mapping[str, Codec]] = {"steps": codecs.many(codecs.TEXT)}
    steps: tuple[StepId, ...]

    @property
    def text(self) -> str:
        return "Delete 1 step" if len(self.steps) == 1 else f"Delete {len(self.steps)} steps"

    def apply(self, plan: Plan) -> Edited:
        known = {step.id for step in plan.steps}
        for step_id in self.steps:
            if step_id not in known:
                raise NoSuchPartError("step", step_id)
        gone = with_bodies(plan, self.steps)
        edges = tuple(edge.key for edge in plan.edges if edge.source in gone or edge.target in gone)
        steps = tuple(step.id for step in plan.steps if step.id in gone)
        pins = without(plan.pins, gone) if gone & plan.pins.keys() else None
        return Patch(self.text, steps_out=steps, edges_out=edges, pins=pins).apply(plan)


@dataclass(frozen=True, slots=True)
class MoveSteps(Edit):
    """positions: top left corners in scene pixels. A loop's body moves only if it is named too."""

    name: ClassVar[str] = "move_steps"
    codecs: ClassVar[Mapping[str, Codec]] = {"positions": codecs.by_id(codecs.POINT)}
    positions: Mapping[StepId, tuple[float, float]]

    @property
    def text(self) -> str:
        return "Move 1 step" if len(self.positions) == 1 else f"Move {len(self.positions)} steps"

    def apply(self, plan: Plan) -> Edited:
        before: dict[StepId, tuple[float, float]] = {}
        steps = list(plan.steps)
        for index, step in enumerate(steps):
            if step.id in self.positions:
                before[step.id] = (step.x, step.y)
                x, y = self.positions[step.id]
                steps[index] = replace(step, x=float(x), y=float(y))
        for step_id in self.positions:
            if step_id not in before:
                raise NoSuchPartError("step", step_id)
        changes = tuple(StepMoved(step_id, *self.positions[step_id]) for step_id in before)
        return Edited(replace(plan, steps=tuple(steps)), MoveSteps(before), changes)

    def merge_with(self, following: Edit) -> Edit | None:
        if isinstance(following, MoveSteps) and following.positions.keys() == self.positions.keys():
            return following
        return None


@dataclass(frozen=True, slots=True)
class SetParam(Edit):
    """Sets one param. On a switch's `cases` the wires follow: a case given another name keeps its wires, a case
    taken away takes them along."""

    name: ClassVar[str] = "set_param"
    codecs: ClassVar[Mapping[str, Codec]] = {"step": codecs.TEXT, "param": codecs.TEXT, "value": codecs.JSON}
    step: StepId
    param: str
    value: Json

    @property
    def text(self) -> str:
        return f"Change {self.param}"

    def apply(self, plan: Plan) -> Edited:
        check_json(self.value, self.param, MAX_VALUE_DEPTH)
        index = step_index(plan, self.step)
        step = plan.steps[index]
        after = replace(step, params={**step.params, self.param: self.value})
        if self.param == "cases" and step.kind is StepKind.SWITCH:
            return _with_cases(plan, index, after, self.text)
        inverse: Edit = UnsetParam(self.step, self.param)
        if self.param in step.params:
            inverse = SetParam(self.step, self.param, step.params[self.param])
        return Edited(replace(plan, steps=replaced(plan.steps, index, after)), inverse, (StepChanged(after),))

    def merge_with(self, following: Edit) -> Edit | None:
        """Typing in one field. Cases never merge: the first inverse would not bring their wires back."""
        if not isinstance(following, SetParam) or self.param == "cases":
            return None
        return following if (following.step, following.param) == (self.step, self.param) else None


@dataclass(frozen=True, slots=True)
class UnsetParam(Edit):
    """Removes one param, so that the action's default holds."""

    name: ClassVar[str] = "unset_param"
    codecs: ClassVar[Mapping[str, Codec]] = {"step": codecs.TEXT, "param": codecs.TEXT}
    step: StepId
    param: str

    @property
    def text(self) -> str:
        return f"Clear {self.param}"

    def apply(self, plan: Plan) -> Edited:
        index = step_index(plan, self.step)
        step = plan.steps[index]
        if self.param not in step.params:
            raise NoSuchPartError("parameter", self.param)
        after = replace(step, params={name: value for name, value in step.params.items() if name != self.param})
        return Patch(self.text, (step.id,), ((index, after),), edges_out=_edges_without_port(plan, step, after)).apply(
            plan
        )


@dataclass(frozen=True, slots=True)
class SetStepField(Edit):
    """Sets a field that is no param: title, on_error, retry, timeout_s, credential, disabled, notes or parent.

    value: as in the model, or its JSON form. Edges from a port that vanishes go along.
    """

    name: ClassVar[str] = "set_step_field"
    codecs: ClassVar[Mapping[str, Codec]] = {
        "step": codecs.TEXT,
        "field": codecs.TEXT,
        "value": Codec(write_field, lambda value, where: value),
    }
    step: StepId
    field: str
    value: FieldValue

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", read_field(self.field, self.value))

    @property
    def text(self) -> str:
        return FIELDS[self.field].text

    def apply(self, plan: Plan) -> Edited:
        if self.field == "parent":
            assert self.value is None or isinstance(self.value, str)
            return SetParent((self.step,), self.value).apply(plan)
        index = step_index(plan, self.step)
        step = plan.steps[index]
        after = with_field(step, self.field, self.value)
        lost = _edges_without_port(plan, step, after) if self.field == "on_error" else ()
        if lost:
            return Patch(self.text, (step.id,), ((index, after),), lost).apply(plan)
        inverse = SetStepField(self.step, self.field, getattr(step, self.field))
        return Edited(replace(plan, steps=replaced(plan.steps, index, after)), inverse, (StepChanged(after),))

    def merge_with(self, following: Edit) -> Edit | None:
        if not isinstance(following, SetStepField) or self.field not in ("title", "notes"):
            return None
        return following if (following.step, following.field) == (self.step, self.field) else None


@dataclass(frozen=True, slots=True)
class RenameStep(Edit):
    """Gives a step another id; edges, bodies, its pinned output and expressions that name it follow."""

    name: ClassVar[str] = "rename_step"
    codecs: ClassVar[Mapping[str, Codec]] = {"step": codecs.TEXT, "new_id": codecs.TEXT}
    step: StepId
    new_id: StepId

    @property
    def text(self) -> str:
        return f"Rename {self.step} to {self.new_id}"

    def apply(self, plan: Plan) -> Edited:
        if not ID_SHAPE.fullmatch(self.new_id):
            raise BadIdError(self.new_id)
        if plan.has_step(self.new_id):
            raise DuplicateIdError("step", self.new_id)
        step_index(plan, self.step)
        names = {self.step: self.new_id}
        steps = [(at, step, _renamed(step, names)) for at, step in enumerate(plan.steps)]
        touched = [(at, old, new) for at, old, new in steps if new is not old]
        edges = [(at, edge) for at, edge in enumerate(plan.edges) if self.step in (edge.source, edge.target)]
        ordinals = tuple(names.get(each, each) for each in plan.ordinals)
        return Patch(
            self.text,
            steps_out=tuple(old.id for _, old, _ in touched),
            steps_in=tuple((at, new) for at, _, new in touched),
            edges_out=tuple(edge.key for _, edge in edges),
            edges_in=tuple((at, _reattached(edge, names)) for at, edge in edges),
            ordinals=None if ordinals == plan.ordinals else ordinals,
            pins=renamed_pins(plan.pins, names) if self.step in plan.pins else None,
        ).apply(plan)


def _renamed(step: Step, names: Mapping[StepId, StepId]) -> Step:
    params = renamed_params(step, names) if step.params else step.params
    if step.id not in names and step.parent not in names and params is step.params:
        return step
    parent = step.parent if step.parent is None else names.get(step.parent, step.parent)
    return replace(step, id=names.get(step.id, step.id), parent=parent, params=params)


def _reattached(edge: Edge, names: Mapping[StepId, StepId]) -> Edge:
    return replace(edge, source=names.get(edge.source, edge.source), target=names.get(edge.target, edge.target))


def _edges_without_port(plan: Plan, before: Step, after: Step) -> tuple[tuple[StepId, str, StepId], ...]:
    """Edges from ports that vanish. One that had no port before is not this edit's business: undo could not tell it."""
    vanished = {port.name for port in ports_of(before)} - {port.name for port in ports_of(after)}
    return tuple(edge.key for edge in plan.edges if edge.source == after.id and edge.port in vanished)


def _with_cases(plan: Plan, index: int, after: Step, text: str) -> Edited:
    before = plan.steps[index]
    old, new = case_names(before), case_names(after)
    names = {a: b for a, b in zip(old, new, strict=False) if a != b} if len(old) == len(new) else {}
    leaving = [(at, edge) for at, edge in enumerate(plan.edges) if edge.source == after.id]
    used = {edge.port for _, edge in leaving}
    if len(names) == 1 and not used & set(names.values()):
        moved = [(at, edge) for at, edge in leaving if edge.port in names]
        edges_out = tuple(edge.key for _, edge in moved)
        edges_in = tuple((at, replace(edge, port=names[edge.port])) for at, edge in moved)
    else:
        is_shorter = _count(after) < _count(before)
        lost = set(old) - set(new) if is_shorter else set()
        edges_out, edges_in = tuple(edge.key for _, edge in leaving if edge.port in lost), ()
    return Patch(text, (after.id,), ((index, after),), edges_out, edges_in).apply(plan)


def _count(step: Step) -> int:
    cases = step.params.get("cases")
    return len(cases) if isinstance(cases, list) else 0
