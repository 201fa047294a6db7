"""What changed between two plans."""

from dataclasses import replace

from flowstudio.plan.diff import Difference, StepDifference, difference
from flowstudio.plan.edits import AddStep, MoveSteps, RemoveSteps, SetParam, SetPlanField
from flowstudio.plan.model import Edge, Plan, Step

PLAN = Plan("p", "Plan", steps=(Step("a", "x", "y"), Step("b", "x", "y")), edges=(Edge("a", "out", "b"),))


def test_equal_plans_do_not_differ() -> None:
    assert difference(PLAN, replace(PLAN)) == Difference()
    assert difference(PLAN, PLAN).is_empty


def test_added_removed_changed_and_moved_steps_are_told_apart() -> None:
    after = SetParam("b", "text", "new").apply(PLAN).plan
    after = AddStep(Step("c", "x", "y")).apply(after).plan
    found = difference(PLAN, after)
    assert [step.id for step in found.added] == ["c"]
    assert found.changed[0].params == ("text",)
    assert found.of_step("b") is StepDifference.CHANGED
    assert found.of_step("c") is StepDifference.ADDED
    assert found.of_step("a") is None
    assert difference(PLAN, MoveSteps({"a": (5.0, 5.0)}).apply(PLAN).plan).of_step("a") is StepDifference.MOVED


def test_removed_steps_and_their_edges_are_listed() -> None:
    found = difference(PLAN, RemoveSteps(("b",)).apply(PLAN).plan)
    assert [step.id for step in found.removed] == ["b"]
    assert found.edges_removed == PLAN.edges
    assert found.of_step("b") is StepDifference.REMOVED


def test_other_parts_are_named() -> None:
    assert difference(PLAN, SetPlanField("name", "New").apply(PLAN).plan).parts == ("name",)
