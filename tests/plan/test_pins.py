"""Pinned outputs are part of the plan and follow their steps."""

import pytest

from flowstudio.plan.changes import PlanChanged
from flowstudio.plan.edits import (
    Edit,
    PasteSteps,
    RemoveSteps,
    RenameStep,
    SetPin,
    UnsetPin,
    edit_from_json,
    fragment_from_json,
    fragment_of,
)
from flowstudio.plan.errors import NoSuchPartError, PinError
from flowstudio.plan.model import Plan, Step

FETCH = Step("fetch", "http", "request")
TEST = Step("test", "flow", "condition", params={"condition": "true"})
SORT = Step("sort", "flow", "switch", params={"value": 1, "cases": [{"name": "red", "equals": 1}]})
PLAN = Plan("p", "Plan", steps=(FETCH, TEST, SORT), pins={"fetch": {"n": 1}})


def there_and_back(edit: Edit, plan: Plan = PLAN) -> Plan:
    """The plan after the edit as its journal would repeat it; the inverse must bring the plan back."""
    edited = edit_from_json(edit.as_json()).apply(plan)
    assert edited.inverse.apply(edited.plan).plan == plan
    assert PlanChanged("pins") in edited.changes
    return edited.plan


def test_a_pin_is_set_changed_and_taken_away() -> None:
    assert there_and_back(SetPin("sort", {"case": "red"})).pins == {"fetch": {"n": 1}, "sort": {"case": "red"}}
    assert there_and_back(SetPin("fetch", None)).pins == {"fetch": None}
    assert there_and_back(UnsetPin("fetch")).pins == {}


def test_a_pin_that_its_step_outgrew_comes_back_as_it_was() -> None:
    outgrown = Plan("p", "Plan", steps=PLAN.steps, pins={"test": None, "fetch": 1})
    assert there_and_back(UnsetPin("test"), outgrown).pins == {"fetch": 1}
    assert there_and_back(SetPin("test", {"result": True}), outgrown).pins["test"] == {"result": True}


def test_a_pin_follows_a_renamed_step_and_leaves_with_a_removed_one() -> None:
    assert there_and_back(RenameStep("fetch", "get")).pins == {"get": {"n": 1}}
    assert there_and_back(RemoveSteps(("fetch",))).pins == {}


def test_a_copy_of_a_step_has_its_pin_too() -> None:
    fragment = fragment_from_json(fragment_of(PLAN, ["fetch", "test"]).as_json())
    assert there_and_back(PasteSteps(fragment)).pins == {"fetch": {"n": 1}, "fetch_2": {"n": 1}}


@pytest.mark.parametrize(
    ("step", "output"),
    [("test", {"result": "yes"}), ("test", None), ("sort", {"case": "blue"}), ("sort", []), ("end", 1)],
)
def test_an_output_the_step_could_not_have_is_refused(step: str, output: object) -> None:
    plan = Plan("p", "Plan", steps=(*PLAN.steps, Step("end", "flow", "stop")))
    with pytest.raises(PinError):
        SetPin(step, output).apply(plan)


def test_a_pin_that_is_not_there_cannot_be_taken_away() -> None:
    with pytest.raises(NoSuchPartError):
        UnsetPin("test").apply(PLAN)
