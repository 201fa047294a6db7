"""Pinned outputs: a result kept in the plan that stands in for its step in runs a person starts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from flowstudio.plan.changes import PlanChanged
from flowstudio.plan.editing import codecs
from flowstudio.plan.editing.edit import Codec, Edit, Edited, step_index
from flowstudio.plan.editing.patch import Patch
from flowstudio.plan.errors import NoSuchPartError, PinError
from flowstudio.plan.model import Json, Plan, Step, StepId, StepKind, case_names
from flowstudio.plan.reading.reader import MAX_VALUE_DEPTH, check_json

_UNPINNABLE = frozenset({StepKind.STOP, StepKind.BREAK, StepKind.SKIP_ITEM, StepKind.RESPOND})
"""What they do is their result."""


@dataclass(frozen=True, slots=True)
class SetPin(Edit):
    """Pins an output to a step. A condition's is {"result": true or false}, a switch's {"case": one of its names}."""

    name: ClassVar[str] = "set_pin"
    codecs: ClassVar[Mapping[str, Codec]] = {"step": codecs.TEXT, "output": codecs.JSON}
    step: StepId
    output: Json

    @property
    def text(self) -> str:
        return "Pin the output"

    def apply(self, plan: Plan) -> Edited:
        check_json(self.output, "output", MAX_VALUE_DEPTH)
        check_pin(plan.steps[step_index(plan, self.step)], self.output)
        inverse = _restored(plan, self.text) if self.step in plan.pins else UnsetPin(self.step)
        after = replace(plan, pins={**plan.pins, self.step: self.output})
        return Edited(after, inverse, (PlanChanged("pins"),))

    def merge_with(self, following: Edit) -> Edit | None:
        return following if isinstance(following, SetPin) and following.step == self.step else None


@dataclass(frozen=True, slots=True)
class UnsetPin(Edit):
    name: ClassVar[str] = "unset_pin"
    codecs: ClassVar[Mapping[str, Codec]] = {"step": codecs.TEXT}
    step: StepId

    @property
    def text(self) -> str:
        return "Unpin the output"

    def apply(self, plan: Plan) -> Edited:
        if self.step not in plan.pins:
            raise NoSuchPartError("pinned output", self.step)
        after = replace(plan, pins=without(plan.pins, {self.step}))
        return Edited(after, _restored(plan, self.text), (PlanChanged("pins"),))


def _restored(plan: Plan, label: str) -> Edit:
    """Gives the plan its pins back as they are; SetPin would refuse one from a document that its step outgrew."""
    return Patch(label, pins=plan.pins)


def check_pin(step: Step, output: Json) -> None:
    """Raises PinError unless the output could be the step's own."""
    if step.kind in _UNPINNABLE:
        raise PinError(f"“{step.label}” has no output that could be pinned.", fix="Disable the step instead.")
    given = output if isinstance(output, dict) else {}
    if step.kind is StepKind.CONDITION and not isinstance(given.get("result"), bool):
        sentence = f"The pinned output of “{step.label}” does not say which way to go."
        raise PinError(sentence, fix='A condition\'s is {"result": true} or {"result": false}.')
    if step.kind is StepKind.SWITCH and given.get("case") not in (*case_names(step), "default"):
        sentence = f"The pinned output of “{step.label}” names none of its cases."
        raise PinError(sentence, fix='A switch\'s is {"case": "<name>"}, or "default" for its name.')


def without(pins: Mapping[StepId, Json], gone: Collection[StepId]) -> dict[StepId, Json]:
    return {step_id: output for step_id, output in pins.items() if step_id not in gone}


def renamed_pins(pins: Mapping[StepId, Json], names: Mapping[StepId, StepId]) -> dict[StepId, Json]:
    return {names.get(step_id, step_id): output for step_id, output in pins.items()}
