"""The old service's arrays become graphs and come back as they were."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowstudio.plan.document import dumps, loads
from flowstudio.plan.edits import AddEdge, AddStep, Batch, RemoveEdge, SetParam
from flowstudio.plan.legacy import from_legacy, to_legacy, trigger_from_legacy, trigger_to_legacy
from flowstudio.plan.model import Edge, Plan, Step, TriggerKind
from flowstudio.plan.rules import DocumentError
from tests.plan.strategies import json_objects, json_values, text

anything = json_values
entries = st.fixed_dictionaries(
    {},
    optional={
        "order": st.integers(0, 9) | anything,
        "provider": text | anything,
        "action": text | anything,
        "action_id": text | anything,
        "action_name": text | anything,
        "description": text | anything,
        "params": json_objects | anything,
        "type": st.sampled_from(["action", "condition", "loop"]) | anything,
        "condition": st.just("step_1.output == 'x'") | anything,
        "else_jump": st.integers(-1, 6) | anything,
        "loop_config": anything
        | st.fixed_dictionaries(
            {},
            optional={
                "items_source": st.sampled_from(["step_1.output", "{{step_1.output.items}}", "${steps.0.output}", "x"])
                | anything,
                "max_iterations": st.integers(-1, 200) | anything,
                "x-unknown": anything,
            },
        ),
        "retries": st.integers(-1, 5) | anything,
        "x-unknown": anything,
        "legacy": anything,
        "id": anything,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(entries, max_size=6))
def test_an_array_comes_back_as_it_was(array: list[dict[str, Any]]) -> None:
    plan = from_legacy({"id": "p", "name": "n", "plan_json": array})
    assert exact(to_legacy(plan)) == exact(array)
    assert exact(to_legacy(loads(dumps(plan)))) == exact(array)


def exact(value: Any) -> Any:
    """The value with its types: 1 is not true and not 1.0."""
    if isinstance(value, dict):
        return {key: exact(each) for key, each in value.items()}
    return [exact(each) for each in value] if isinstance(value, list) else (type(value).__name__, value)


triggers = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["manual", "webhook", "schedule", "event", "cron"]),
        "config": st.dictionaries(st.sampled_from(["webhook_path", "cron_expression", "x"]), json_values) | json_values,
        "cron_expression": json_values,
        "timezone": json_values,
        "webhook_path": json_values,
        "id": json_values,
        "x-unknown": json_values,
    },
)


@settings(max_examples=100, deadline=None)
@given(triggers)
def test_a_trigger_comes_back_as_it_was(document: dict[str, Any]) -> None:
    assert exact(trigger_to_legacy(trigger_from_legacy(document))) == exact(document)


ARRAY: list[dict[str, Any]] = [
    {"order": 1, "provider": "http", "action": "get", "action_name": "Fetch", "params": {"url": "x"}, "retries": 2},
    {"order": 2, "type": "condition", "condition": "step_1.output == 'x'", "else_jump": 3},
    {
        "order": 3,
        "type": "loop",
        "provider": "slack",
        "action_id": "post_message",
        "params": {"text": "{{item}}"},
        "loop_config": {"items_source": "step_1.output"},
    },
    {"order": 4, "provider": "slack", "action_id": "post_message", "description": "the end"},
]


@pytest.fixture
def plan() -> Plan:
    return from_legacy({"id": "p", "name": "n", "plan_json": ARRAY})


def test_steps_are_chained_and_a_condition_jumps(plan: Plan) -> None:
    assert [edge.key for edge in plan.edges] == [
        ("each_post_message", "body", "post_message"),
        ("get", "out", "condition"),
        ("condition", "true", "each_post_message"),
        ("condition", "false", "post_message_2"),
        ("each_post_message", "done", "post_message_2"),
    ]


def test_a_loop_becomes_a_container_with_one_step_and_an_expression_for_its_items(plan: Plan) -> None:
    loop, body = plan.step("each_post_message"), plan.step("post_message")
    assert dict(loop.params) == {"items": "{{step_1.output}}", "max_iterations": 100}
    assert body.parent == loop.id
    assert body.params == {"text": "{{item}}"}


def test_title_notes_and_retries_are_taken_over(plan: Plan) -> None:
    assert plan.step("get").title == "Fetch"
    assert plan.step("get").retry.tries == 3
    assert plan.step("post_message_2").notes == "the end"


def test_ordinals_count_entries_not_steps(plan: Plan) -> None:
    assert plan.ordinals == ("get", "condition", "each_post_message", "post_message_2")


def test_cards_lie_in_a_row(plan: Plan) -> None:
    top = [step for step in plan.steps if step.parent is None]
    assert [(step.x, step.y) for step in top] == [(80, 120), (360, 120), (640, 120), (1040, 120)]


def test_a_change_on_the_canvas_shows_in_the_array(plan: Plan) -> None:
    changed = SetParam("get", "url", "new").apply(plan).plan
    array = to_legacy(changed)
    assert array[0] == {**ARRAY[0], "params": {"url": "new"}}
    assert array[1:] == ARRAY[1:]


def test_a_removed_false_wire_removes_the_jump(plan: Plan) -> None:
    changed = RemoveEdge(Edge("condition", "false", "post_message_2")).apply(plan).plan
    assert "else_jump" not in to_legacy(changed)[1]


def test_a_step_inserted_on_the_canvas_renumbers_the_array(plan: Plan) -> None:
    changed = Batch((AddStep(Step("first", "wait", "duration")), AddEdge(Edge("first", "out", "get")))).apply(plan).plan
    array = to_legacy(changed)
    assert [entry["order"] for entry in array] == [1, 2, 3, 4, 5]
    assert [entry.get("action", entry.get("action_id")) for entry in array][:2] == ["duration", "get"]
    assert array[2]["else_jump"] == 4


def test_a_plan_drawn_on_the_canvas_comes_in_running_order() -> None:
    steps = (Step("z", "slack", "post_message"), Step("a", "http", "get", title="Fetch", params={"url": "x"}))
    array = to_legacy(Plan("p", "", steps=steps, edges=(Edge("a", "out", "z"),)))
    assert array[0] == {
        "order": 1,
        "provider": "http",
        "action_id": "get",
        "action_name": "Fetch",
        "params": {"url": "x"},
        "type": "action",
    }
    assert array[1]["provider"] == "slack"


def test_a_loop_drawn_on_the_canvas_with_one_step_is_one_loop_entry() -> None:
    steps = (
        Step("each", "flow", "loop", params={"items": "{{step_1.output}}"}),
        Step("send", "slack", "post_message", parent="each"),
    )
    (entry,) = to_legacy(Plan("p", "", steps=steps, edges=(Edge("each", "body", "send"),)))
    assert (entry["type"], entry["provider"]) == ("loop", "slack")
    assert entry["loop_config"] == {"items_source": "step_1.output"}


def test_a_backward_jump_is_kept_as_the_circle_it_is() -> None:
    array = [{"provider": "x", "action_id": "y"}, {"type": "condition", "condition": "a", "else_jump": 0}]
    plan = from_legacy({"plan_json": array})
    assert Edge("condition", "false", "y") in plan.edges
    assert to_legacy(plan) == array


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"type": "cron", "cron_expression": "* * * * *"}, TriggerKind.SCHEDULE),
        ({"type": "webhook", "config": {"webhook_path": "x"}}, TriggerKind.WEBHOOK),
        ({}, TriggerKind.MANUAL),
    ],
)
def test_both_trigger_dialects_are_read(document: dict[str, Any], kind: TriggerKind) -> None:
    trigger = trigger_from_legacy(document)
    assert trigger.kind is kind
    assert set(trigger.config) <= {"cron_expression", "webhook_path"}


def test_a_strange_trigger_type_is_refused_in_a_plan() -> None:
    with pytest.raises(DocumentError, match="it must be manual, webhook"):
        from_legacy({"plan_json": [], "trigger": {"type": "moon"}})


@pytest.mark.parametrize(
    ("array", "where"), [("x", "plan_json"), ([1], "plan_json[0]"), ({"steps": 1}, "plan_json.steps")]
)
def test_what_is_no_array_of_steps_names_its_place(array: Any, where: str) -> None:
    with pytest.raises(DocumentError) as caught:
        from_legacy({"plan_json": array})
    assert caught.value.where == where


def test_unknown_keys_of_the_plan_and_the_offset_mark_stay() -> None:
    plan = from_legacy({"plan_json": [], "colour": "red", "steps_note": 1, "legacy_trigger_offset": True})
    assert plan.extra["legacy_trigger_offset"] is True
    assert plan.extra["legacy"] == {"colour": "red", "steps_note": 1}


def test_a_plan_without_an_id_gets_the_same_one_each_time() -> None:
    assert from_legacy({"plan_json": ARRAY}).id == from_legacy({"plan_json": ARRAY}).id


def test_an_infinite_number_is_refused_like_in_a_document() -> None:
    entry = {"provider": "http", "action_id": "request", "order": float("inf")}
    with pytest.raises(DocumentError) as caught:
        from_legacy({"plan_json": [entry]})
    assert caught.value.where == "plan_json[0].order"


def test_the_deepest_array_that_is_read_fits_a_document() -> None:
    value: Any = "deep"
    for _ in range(186):
        value = [value]
    plan = from_legacy({"id": "p", "plan_json": [{"provider": "http", "action_id": "request", "colour": value}]})
    assert loads(dumps(plan)) == plan


@pytest.mark.parametrize(
    "source", ["step_1.output", "{{step_1.output.items}}", "${steps.0.output}", "{{ step_1.output }}"]
)
def test_a_loops_source_comes_back_in_the_braces_it_had(source: str) -> None:
    array = [{"type": "loop", "loop_config": {"items_source": source}}]
    assert to_legacy(from_legacy({"plan_json": array})) == array
