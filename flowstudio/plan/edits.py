"""Edits: every way to change a plan, as frozen values.

`apply(plan)` gives Edited(plan, inverse, changes) or raises PlanError with nothing touched; applying the inverse
gives back the same plan. `as_json` and `edit_from_json` are the journal's form; `text` names the edit in menus.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from flowstudio.plan.changes import Change
from flowstudio.plan.editing import codecs
from flowstudio.plan.editing.clipboard import Fragment, PasteSteps, fragment_from_json, fragment_of
from flowstudio.plan.editing.edge_edits import AddEdge, InsertOnEdge, RemoveEdge
from flowstudio.plan.editing.edit import Codec, Edit, Edited, read_edit
from flowstudio.plan.editing.ids import fresh_id
from flowstudio.plan.editing.nesting import SetParent
from flowstudio.plan.editing.part_edits import (
    AddFrame,
    AddNote,
    AddTrigger,
    RemoveFrame,
    RemoveNote,
    RemoveTrigger,
    SetFrame,
    SetNote,
    SetTrigger,
)
from flowstudio.plan.editing.patch import Patch
from flowstudio.plan.editing.pins import SetPin, UnsetPin
from flowstudio.plan.editing.plan_edits import SetPlanField, SetVariable, UnsetVariable
from flowstudio.plan.editing.settings_edits import SetPlanSetting
from flowstudio.plan.editing.step_edits import (
    AddStep,
    MoveSteps,
    RemoveSteps,
    RenameStep,
    SetParam,
    SetStepField,
    UnsetParam,
)
from flowstudio.plan.model import Plan

__all__ = [
    "AddEdge",
    "AddFrame",
    "AddNote",
    "AddStep",
    "AddTrigger",
    "Batch",
    "Edit",
    "Edited",
    "Fragment",
    "InsertOnEdge",
    "MoveSteps",
    "PasteSteps",
    "Patch",
    "RemoveEdge",
    "RemoveFrame",
    "RemoveNote",
    "RemoveSteps",
    "RemoveTrigger",
    "RenameStep",
    "SetFrame",
    "SetNote",
    "SetParam",
    "SetParent",
    "SetPin",
    "SetPlanField",
    "SetPlanSetting",
    "SetStepField",
    "SetTrigger",
    "SetVariable",
    "UnsetParam",
    "UnsetPin",
    "UnsetVariable",
    "edit_from_json",
    "fragment_from_json",
    "fragment_of",
    "fresh_id",
]


@dataclass(frozen=True, slots=True)
class Batch(Edit):
    """Several edits as one: all of them or none."""

    name: ClassVar[str] = "batch"
    codecs: ClassVar[Mapping[str, Codec]] = {
        "edits": codecs.many(Codec(lambda edit: edit.as_json(), lambda value, where: edit_from_json(value))),
        "label": codecs.TEXT,
    }
    edits: tuple[Edit, ...]
    label: str = ""

    @property
    def text(self) -> str:
        return self.label or (self.edits[0].text if self.edits else "Change nothing")

    def apply(self, plan: Plan) -> Edited:
        inverses: list[Edit] = []
        changes: list[Change] = []
        for edit in self.edits:
            edited = edit.apply(plan)
            plan = edited.plan
            inverses.append(edited.inverse)
            changes.extend(edited.changes)
        return Edited(plan, Batch(tuple(reversed(inverses)), self.text), tuple(changes))


def edit_from_json(document: object) -> Edit:
    """The edit that `as_json` wrote. Raises BadEditError naming what is wrong."""
    return read_edit(_KINDS, document)


_KINDS: Mapping[str, type[Edit]] = {
    kind.name: kind
    for kind in (
        AddEdge,
        AddFrame,
        AddNote,
        AddStep,
        AddTrigger,
        Batch,
        InsertOnEdge,
        MoveSteps,
        PasteSteps,
        Patch,
        RemoveEdge,
        RemoveFrame,
        RemoveNote,
        RemoveSteps,
        RemoveTrigger,
        RenameStep,
        SetFrame,
        SetNote,
        SetParam,
        SetParent,
        SetPin,
        SetPlanField,
        SetPlanSetting,
        SetStepField,
        SetTrigger,
        SetVariable,
        UnsetParam,
        UnsetPin,
        UnsetVariable,
    )
}
