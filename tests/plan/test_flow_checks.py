"""check_plan knows the language's own steps: where they make sense and which params they can use."""

import pytest

from flowstudio.plan.edits import RenameStep, SetParent
from flowstudio.plan.legacy import from_legacy, to_legacy
from flowstudio.plan.model import Edge, Json, Plan, Step, ports_of
from tests.plan.test_rules import check, codes

WHILE = Step("again", "flow", "while", params={"condition": "index < 3"})
INSIDE = Step("inside", "x", "y", parent="again")
BODY = Edge("again", "body", "inside")


@pytest.mark.parametrize("action", ["break", "skip_item"])
def test_ending_an_item_outside_of_a_loop_is_refused(action: str) -> None:
    (problem,) = check(Step("out", "flow", action, title="Enough"))
    assert (problem.code, problem.step, problem.is_error) == ("plan.outside_loop", "out", True)
    assert "“Enough” is not inside a loop" in problem.sentence


@pytest.mark.parametrize("action", ["break", "skip_item"])
def test_ending_an_item_inside_a_loop_is_fine_and_nothing_follows_it(action: str) -> None:
    leave = Step("leave", "flow", action, parent="again")
    assert check(WHILE, leave, edges=(Edge("again", "body", "leave"),)) == []
    assert ports_of(leave) == ()


def test_a_while_holds_steps_like_a_loop() -> None:
    assert check(WHILE, INSIDE, edges=(BODY,)) == []
    (problem,) = check(WHILE)
    assert problem.code == "plan.no_body"
    assert "connect “While true”" in problem.sentence
    moved = SetParent(("inside",), "again").apply(Plan("p", "", steps=(WHILE, Step("inside", "x", "y"))))
    assert moved.plan.step("inside").parent == "again"


def test_a_while_cannot_read_what_runs_inside_it() -> None:
    asking = Step("again", "flow", "while", params={"condition": "steps.inside.output.next"})
    (problem,) = check(asking, INSIDE, edges=(BODY,))
    assert (problem.code, problem.field) == ("plan.reference_inside_loop", "condition")
    assert "Read item instead" in problem.sentence


def test_a_condition_without_braces_follows_a_renamed_step() -> None:
    asking = Step("again", "flow", "while", params={"condition": "steps.a.output > 1"})
    renamed = RenameStep("a", "first").apply(Plan("p", "", steps=(Step("a", "x", "y"), asking))).plan
    assert renamed.step("again").params["condition"] == "steps.first.output > 1"


@pytest.mark.parametrize("value", [0.5, -1, 2_000_000, "many", True])
def test_a_limit_no_loop_could_keep_is_named(value: Json) -> None:
    loop = Step("again", "flow", "while", params={"condition": "true", "max_iterations": value})
    (problem,) = check(loop, INSIDE, edges=(BODY,))
    assert (problem.code, problem.step, problem.field) == ("plan.bad_param", "again", "max_iterations")


def test_a_limit_from_an_expression_waits_for_the_run() -> None:
    loop = Step("again", "flow", "while", params={"condition": "true", "max_iterations": "{{ vars.most }}"})
    assert check(loop, INSIDE, edges=(BODY,)) == []


def test_a_loop_over_a_number_is_told_before_it_runs() -> None:
    loop = Step("again", "flow", "loop", params={"items": 5})
    (problem,) = check(loop, INSIDE, edges=(BODY,))
    assert "“items” of “flow.loop” is 5; a loop needs a list" in problem.sentence


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"mode": "zip"}, "mode"),
        ({"mode": "combine_by_key"}, "key"),
        ({"mode": "combine_by_key", "key": "id", "keep": "longest"}, "keep"),
        ({"mode": "combine_by_position", "keep": "matched"}, "keep"),
    ],
)
def test_a_merge_that_could_not_merge_is_named(params: dict[str, Json], field: str) -> None:
    (problem,) = check(Step("m", "flow", "merge", params=params))
    assert (problem.step, problem.field) == ("m", field)


@pytest.mark.parametrize("mode", ["all", "any", "first", "append", "combine_by_position", "{{ vars.how }}"])
def test_every_way_to_merge_is_known(mode: str) -> None:
    assert codes(check(Step("m", "flow", "merge", params={"mode": mode}))) == []


def test_a_while_with_one_step_loses_nothing_in_the_old_array() -> None:
    written = to_legacy(Plan("p", "", steps=(WHILE, INSIDE), edges=(BODY,)))
    assert [(entry["provider"], entry["action_id"]) for entry in written] == [("flow", "while"), ("x", "y")]
    assert written[0]["params"] == {"condition": "index < 3"}
    assert to_legacy(from_legacy({"steps": written})) == written  # type: ignore[dict-item]


@pytest.mark.parametrize("action", ["while", "break", "skip_item", "subplan", "merge"])
def test_new_keywords_in_an_old_array_come_back_as_they_were(action: str) -> None:
    array: list[Json] = [
        {"provider": "flow", "action_id": action, "params": {"plan": "p", "mode": "first"}, "note": 1},
        {"provider": "x", "action_id": "y", "params": {}, "order": 2},
    ]
    assert to_legacy(from_legacy({"steps": array})) == array
