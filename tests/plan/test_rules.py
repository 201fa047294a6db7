"""check_plan finds each fault, names its place, and is quick."""

import time
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from flowstudio.plan.model import Edge, Plan, Step, Trigger, TriggerKind
from flowstudio.plan.rules import Problem, Severity, check_edge, check_plan, find_cycle


@dataclass(frozen=True)
class Info:
    name: str
    title: str
    required: bool


@dataclass(frozen=True)
class Known:
    provider: str
    id: str
    title: str = ""
    fields: tuple[Info, ...] = ()
    effect: str = "write"


class Actions:
    """A small table: slack.post_message needs `channel`."""

    def find(self, provider: str, action: str) -> Known | None:
        if (provider, action) == ("slack", "post_message"):
            return Known(provider, action, fields=(Info("channel", "Channel", True), Info("text", "Text", False)))
        return Known(provider, action) if provider in ("flow", "x") else None

    def suggest(self, provider: str, action: str) -> str:
        return "Did you mean slack.post_message?"


def check(*steps: Step, edges: tuple[Edge, ...] = (), **rest: object) -> list[Problem]:
    return check_plan(Plan("p", "Plan", steps=steps, edges=edges, **rest), Actions())  # type: ignore[arg-type]


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


A, B, C = Step("a", "x", "y"), Step("b", "x", "y"), Step("c", "x", "y")
LOOP = Step("each", "flow", "loop")
INNER = Step("inner", "x", "y", parent="each")
AB = Edge("a", "out", "b")


def test_a_sound_plan_has_no_problems() -> None:
    assert check(A, B, edges=(AB,)) == []


def test_an_empty_plan_says_so() -> None:
    assert codes(check()) == ["plan.empty"]


def test_an_unknown_action_suggests_another() -> None:
    (problem,) = check(Step("a", "slak", "post"))
    assert (problem.step, problem.code, problem.severity) == ("a", "plan.unknown_action", Severity.ERROR)
    assert "Did you mean slack.post_message?" in problem.sentence


@pytest.mark.parametrize("value", [None, "", "   "])
def test_a_required_param_must_be_filled(value: str | None) -> None:
    (problem,) = check(Step("a", "slack", "post_message", params={"channel": value}))
    assert (problem.field, problem.code) == ("channel", "plan.missing_param")
    assert "“Channel”" in problem.sentence


def test_a_disabled_step_only_warns_about_its_params() -> None:
    (problem,) = check(Step("a", "slack", "post_message", disabled=True))
    assert problem.severity is Severity.WARNING


def test_a_dangling_edge_names_the_missing_step() -> None:
    (problem,) = check(A, edges=(Edge("a", "out", "ghost"),))
    assert problem.code == "plan.dangling_edge"
    assert "“ghost”" in problem.sentence


def test_an_unknown_port_lists_the_real_ones() -> None:
    (problem, *_) = check(A, B, edges=(Edge("a", "true", "b"),))
    assert problem.code == "plan.unknown_port"
    assert "It leaves by out." in problem.sentence


def test_a_circle_is_told_with_its_way() -> None:
    problems = check(A, B, edges=(AB, Edge("b", "out", "a")))
    assert codes(problems) == ["plan.cycle"]
    assert "“x.y” → “x.y” → “x.y”." in problems[0].sentence


def test_a_step_that_leads_to_itself_is_a_circle() -> None:
    assert "plan.cycle" in codes(check(A, edges=(Edge("a", "out", "a"),)))


def test_an_edge_across_a_loops_border_is_refused() -> None:
    problems = check(LOOP, INNER, A, edges=(Edge("each", "body", "inner"), Edge("inner", "out", "a")))
    assert codes(problems) == ["plan.border"]


def test_a_body_edge_must_enter_its_own_body() -> None:
    assert "plan.body" in codes(check(LOOP, A, edges=(Edge("each", "body", "a"),)))


def test_a_loop_without_a_body_warns() -> None:
    (problem,) = check(LOOP)
    assert (problem.code, problem.severity) == ("plan.no_body", Severity.WARNING)


def test_a_body_step_nothing_leads_to_starts_with_every_item_and_warns() -> None:
    problems = check(LOOP, INNER, Step("lost", "x", "y", parent="each"), edges=(Edge("each", "body", "inner"),))
    assert [(each.code, each.step) for each in problems] == [("plan.unconnected", "lost")]


def test_two_equal_ids_are_reported_once() -> None:
    assert codes(check(A, A)) == ["plan.duplicate_id"]


@pytest.mark.parametrize("bad", ["", "A", "1a", "a-b", "a b", "é"])
def test_a_badly_shaped_id_is_an_error(bad: str) -> None:
    assert "plan.bad_id" in codes(check(Step(bad, "x", "y")))


def test_an_edge_drawn_twice_is_reported() -> None:
    assert codes(check(A, B, edges=(AB, AB))) == ["plan.duplicate_edge"]


def test_a_parent_must_be_an_existing_loop() -> None:
    assert "plan.parent" in codes(check(Step("a", "x", "y", parent="ghost")))
    assert "plan.parent" in codes(check(A, Step("b", "x", "y", parent="a")))


def test_loops_that_hold_each_other_are_reported() -> None:
    problems = check(Step("a", "flow", "loop", parent="b"), Step("b", "flow", "loop", parent="a"))
    assert codes(problems).count("plan.parent") == 2


def test_a_switch_needs_cases_with_names_of_their_own() -> None:
    def switch(cases: list[object]) -> list[str]:
        return codes(check(Step("s", "flow", "switch", params={"cases": cases})))  # type: ignore[dict-item]

    assert switch([]) == ["plan.no_cases"]
    assert switch([{"name": "a"}, {"name": "a"}]) == ["plan.duplicate_case"]
    assert switch([{"name": "a"}, {"name": ""}]) == ["plan.unnamed_case"]
    assert switch([{"name": "default"}]) == ["plan.duplicate_case"]


def test_a_webhook_needs_a_path() -> None:
    (problem,) = check(A, triggers=(Trigger("t", TriggerKind.WEBHOOK),))
    assert (problem.code, problem.field) == ("plan.bad_trigger", "triggers.t.webhook_path")


def test_an_expression_that_does_not_compile_names_step_and_field() -> None:
    (problem,) = check(Step("a", "x", "y", params={"url": "{{ vars. }}"}))
    assert (problem.step, problem.field, problem.code) == ("a", "url", "expression.syntax")


def test_a_condition_is_checked_as_a_condition() -> None:
    assert check(A, Step("c", "flow", "condition", params={"condition": "step_1.output == done"}), edges=()) != []
    problems = check(
        A, Step("c", "flow", "condition", params={"condition": "step_1.output == done"}), edges=(Edge("a", "out", "c"),)
    )
    assert problems == []


def reading(reference: str, step_id: str = "b", parent: str | None = None) -> Step:
    return Step(step_id, "x", "y", params={"t": f"{{{{ steps.{reference}.output }}}}"}, parent=parent)


def test_reading_an_unknown_step_suggests_the_near_one() -> None:
    (problem,) = check(Step("fetch", "x", "y"), reading("fetsch"), edges=(Edge("fetch", "out", "b"),))
    assert problem.code == "plan.unknown_reference"
    assert "Did you mean fetch?" in problem.sentence


def test_reading_an_earlier_step_is_fine() -> None:
    assert check(A, C, reading("a"), edges=(Edge("a", "out", "c"), Edge("c", "out", "b"))) == []


def test_reading_a_later_step_is_an_error() -> None:
    (problem,) = check(reading("a"), A, edges=(Edge("b", "out", "a"),))
    assert (problem.code, problem.severity) == ("plan.reference_later", Severity.ERROR)


def test_reading_itself_is_an_error() -> None:
    assert codes(check(reading("b"))) == ["plan.reference_later"]


@pytest.mark.parametrize("order", [(A, reading("a")), (reading("a"), A)])
def test_reading_a_step_nothing_puts_first_warns(order: tuple[Step, Step]) -> None:
    (problem,) = check(*order)
    assert (problem.code, problem.severity) == ("plan.reference_unordered", Severity.WARNING)


def test_reading_into_a_loop_from_outside_points_at_its_results() -> None:
    edges = (Edge("each", "body", "inner"), Edge("each", "done", "b"))
    (problem,) = check(LOOP, INNER, reading("inner"), edges=edges)
    assert problem.code == "plan.reference_inside_loop"
    assert "steps.each.output.results" in problem.sentence


def test_a_body_step_reads_what_came_before_its_loop_but_not_the_loop() -> None:
    edges = (Edge("a", "out", "each"), Edge("each", "body", "b"))
    assert check(A, LOOP, reading("a", parent="each"), edges=edges) == []
    assert codes(check(A, LOOP, reading("each", parent="each"), edges=edges)) == ["plan.reference_later"]


def test_find_cycle_gives_the_steps_in_order() -> None:
    edges = (Edge("a", "out", "b"), Edge("b", "out", "c"), Edge("c", "out", "b"))
    assert find_cycle(Plan("p", "", steps=(A, B, C), edges=edges)) == ("b", "c")
    assert find_cycle(Plan("p", "", steps=(A, B, C), edges=edges[:2])) == ()


def test_check_edge_allows_what_add_edge_would() -> None:
    plan = Plan("p", "", steps=(A, B), edges=())
    assert check_edge(plan, AB) is None
    fault = check_edge(Plan("p", "", steps=(A, B), edges=(AB,)), AB)
    assert fault is not None
    assert fault.code == "plan.duplicate_edge"


@pytest.mark.parametrize("reference", ["previous", "first"])
def test_ten_thousand_steps_are_checked_within_a_second(reference: str) -> None:
    def text(index: int) -> str:
        return f"{{{{ steps.s{index - 1 if reference == 'previous' else 0}.output.x }}}}"

    steps = tuple(Step(f"s{index}", "x", "y", params={"t": text(index)} if index else {}) for index in range(10_000))
    edges = tuple(Edge(f"s{index}", "out", f"s{index + 1}") for index in range(9_999))
    start = time.process_time()
    assert check(*steps, edges=edges) == []
    assert time.process_time() - start < 2  # 0.5 s alone; the margin is for a busy machine


def offset_plan(*templates: str) -> Plan:
    steps = tuple(Step(f"s{place}", "x", "y", params={"text": text}) for place, text in enumerate(templates, 1))
    edges = tuple(Edge(a.id, "out", b.id) for a, b in pairwise(steps))
    return Plan("p", "Plan", steps=steps, edges=edges, extra={"legacy_trigger_offset": True})


def test_where_the_trigger_counts_as_step_one_the_second_number_is_the_step_before() -> None:
    problems = check_plan(
        offset_plan("hello", "{{step_1.output.email}} {{step_2.output}}", "{{step_3.output}}"), Actions()
    )
    assert problems == []


def test_what_is_wrong_with_trigger_data_and_without_is_told_once() -> None:
    problems = check_plan(offset_plan("{{step_3.output}}", "b", "c"), Actions())
    assert codes(problems) == ["plan.reference_later"]


@pytest.mark.parametrize("limit_s", [0, -1, 1e308])
def test_a_time_limit_that_is_none_is_an_error(limit_s: float) -> None:
    (problem,) = check(replace(A, timeout_s=limit_s))
    assert (problem.code, problem.field) == ("plan.bad_time_limit", "timeout_s")


def test_a_step_without_an_action_is_named_by_its_id() -> None:
    (problem,) = check(Step("first", "", ""))
    assert problem.sentence == "The step “first” names no action yet. Choose one."
