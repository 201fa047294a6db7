"""Edits of what belongs to the plan as a whole: name, description and variables."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from flowstudio.plan.changes import PlanChanged
from flowstudio.plan.editing import codecs
from flowstudio.plan.editing.edit import Codec, Edit, Edited, with_field
from flowstudio.plan.errors import BadEditError, NoSuchPartError
from flowstudio.plan.model import Json, Plan
from flowstudio.plan.reading.reader import MAX_VALUE_DEPTH, check_json


@dataclass(frozen=True, slots=True)
class SetPlanField(Edit):
    """Sets the plan's name or description."""

    name: ClassVar[str] = "set_plan_field"
    codecs: ClassVar[Mapping[str, Codec]] = {"field": codecs.TEXT, "value": codecs.TEXT}
    field: str
    value: str

    def __post_init__(self) -> None:
        if self.field not in ("name", "description"):
            raise BadEditError(f"A plan has no field “{self.field}” to set.")

    @property
    def text(self) -> str:
        return "Rename the plan" if self.field == "name" else "Change the description"

    def apply(self, plan: Plan) -> Edited:
        inverse = SetPlanField(self.field, getattr(plan, self.field))
        return Edited(with_field(plan, self.field, self.value), inverse, (PlanChanged(self.field),))

    def merge_with(self, following: Edit) -> Edit | None:
        return following if isinstance(following, SetPlanField) and following.field == self.field else None


@dataclass(frozen=True, slots=True)
class SetVariable(Edit):
    name: ClassVar[str] = "set_variable"
    codecs: ClassVar[Mapping[str, Codec]] = {"variable": codecs.TEXT, "value": codecs.JSON}
    variable: str
    value: Json

    @property
    def text(self) -> str:
        return f"Set variable {self.variable}"

    def apply(self, plan: Plan) -> Edited:
        check_json(self.value, self.variable, MAX_VALUE_DEPTH)
        inverse: Edit = UnsetVariable(self.variable)
        if self.variable in plan.variables:
            inverse = SetVariable(self.variable, plan.variables[self.variable])
        variables = {**plan.variables, self.variable: self.value}
        return Edited(replace(plan, variables=variables), inverse, (PlanChanged("variables"),))

    def merge_with(self, following: Edit) -> Edit | None:
        return following if isinstance(following, SetVariable) and following.variable == self.variable else None


@dataclass(frozen=True, slots=True)
class UnsetVariable(Edit):
    name: ClassVar[str] = "unset_variable"
    codecs: ClassVar[Mapping[str, Codec]] = {"variable": codecs.TEXT}
    variable: str

    @property
    def text(self) -> str:
        return f"Remove variable {self.variable}"

    def apply(self, plan: Plan) -> Edited:
        if self.variable not in plan.variables:
            raise NoSuchPartError("variable", self.variable)
        variables = {name: value for name, value in plan.variables.items() if name != self.variable}
        inverse = SetVariable(self.variable, plan.variables[self.variable])
        return Edited(replace(plan, variables=variables), inverse, (PlanChanged("variables"),))
