"""Problems of calls between plans and from outside."""

import pytest

from flowstudio.plan.checking.call_checks import call_problems
from flowstudio.plan.model import Json, Plan, Step

HEAR = Step("hear", "wait", "webhook")


def codes(*steps: Step) -> list[str]:
    return [problem.code for problem in call_problems(Plan("p", "Plan", steps=steps))]


def saying(value: Json) -> Step:
    return Step("say", "logic", "transform", params={"template": value})


@pytest.mark.parametrize(("plan_id", "found"), [("p", ["plan.calls_itself"]), ("q", []), (None, [])])
def test_a_plan_that_runs_itself_is_a_warning(plan_id: Json, found: list[str]) -> None:
    assert codes(Step("sub", "flow", "subplan", params={"plan": plan_id})) == found


def test_the_resume_address_needs_a_step_that_waits_for_a_call() -> None:
    reading = saying({"link": ["{{ run.resume_url }}"]})
    assert codes(reading) == ["plan.nothing_to_resume"]
    assert codes(reading, HEAR) == []


def test_an_unknown_name_of_the_run_suggests_the_right_one() -> None:
    (problem,) = call_problems(Plan("p", "Plan", steps=(saying("At {{ run.startedat }}"),)))
    assert (problem.step, problem.field, problem.code) == ("say", "template", "plan.unknown_run_field")
    assert "Did you mean started_at?" in problem.sentence


@pytest.mark.parametrize(
    "text", ["run.x", "{{ 'run.x' }}", "{{ steps.run.output }}", "{{ vars.run.x }}", "{{ run.id }}"]
)
def test_what_is_no_name_of_the_run_is_no_problem(text: str) -> None:
    assert codes(saying(text)) == []
