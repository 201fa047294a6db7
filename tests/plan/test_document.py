"""The .flow document: same plan, same bytes; nothing lost; every fault has a place."""

import json

import pytest
from hypothesis import HealthCheck, given, settings

from flowstudio.plan.document import content_hash, dumps, from_document, loads, read_plan, to_document
from flowstudio.plan.model import Edge, Plan, Step
from flowstudio.plan.rules import DocumentError
from tests.plan.strategies import plans

SMALL = Plan("p", "Plan", steps=(Step("a", "http", "get", x=80.0),), edges=(Edge("a", "out", "b"),))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans())
def test_writing_and_reading_gives_the_same_plan_and_the_same_bytes(plan: Plan) -> None:
    data = dumps(plan)
    assert loads(data) == plan
    assert dumps(loads(data)) == data
    assert from_document(to_document(plan)) == plan


def test_the_document_is_sorted_indented_and_ends_in_a_newline() -> None:
    data = dumps(SMALL).decode()
    assert data.endswith("}\n")
    assert data == json.dumps(json.loads(data), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_only_what_differs_from_the_default_is_written() -> None:
    assert json.loads(dumps(SMALL))["steps"] == [{"id": "a", "provider": "http", "action": "get", "x": 80, "y": 0}]


def test_unknown_keys_stay_at_every_level() -> None:
    document = {
        "flowstudio": 1,
        "id": "p",
        "name": "n",
        "x-plan": 1,
        "steps": [{"id": "a", "provider": "p", "action": "q", "x-step": [1], "retry": {"tries": 2, "x-retry": True}}],
        "edges": [{"source": "a", "port": "out", "target": "b", "x-edge": {}}],
        "triggers": [{"id": "t", "kind": "manual", "x-trigger": None}],
        "notes": [{"id": "n", "text": "", "x": 0, "y": 0, "width": 1, "height": 1, "x-note": "é"}],
        "frames": [{"id": "f", "title": "", "x": 0, "y": 0, "width": 1, "height": 1, "x-frame": 2.5}],
    }
    assert json.loads(dumps(from_document(document))) == document


def test_a_newer_format_is_refused_with_what_to_do() -> None:
    with pytest.raises(DocumentError, match=r"newer FlowStudio .*Update"):
        loads('{"flowstudio": 2, "id": "p"}')


def test_broken_json_has_line_and_column() -> None:
    with pytest.raises(DocumentError, match="Line 2, column 9") as caught:
        loads('{\n  "id": }')
    assert (caught.value.line, caught.value.column) == (2, 9)


def test_a_repeated_key_has_line_and_column() -> None:
    with pytest.raises(DocumentError, match="“a” stands twice") as caught:
        loads('{"flowstudio": 1,\n "variables": {"a": 1, "a": 2}}')
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"flowstudio": 1, "id": "p", "variables": {"x": NaN}}', "NaN"),
        ('{"flowstudio": 1, "id": "p", "variables": {"x": 1e999}}', "too large a number"),
        ('{"flowstudio": 1, "id": "p", "variables": {"x": -Infinity}}', "-Infinity"),
        ("[" * 100_000, "nested too deeply"),
        ("", "Line 1, column 1"),
        ("[]", "must be an object"),
        ('"text"', "must be an object"),
        ('{"id": "p"}', "not a FlowStudio plan"),
        ('{"flowstudio": true, "id": "p"}', "not a FlowStudio plan"),
        ('{"flowstudio": 1}', "id is missing"),
    ],
)
def test_what_is_no_document_is_refused_with_a_sentence(text: str, fault: str) -> None:
    with pytest.raises(DocumentError, match=fault):
        loads(text)


@pytest.mark.parametrize(
    ("step", "where"),
    [
        ({"id": 1}, "steps[0].id"),
        ({"id": "a", "provider": "p", "action": "q", "params": []}, "steps[0].params"),
        ({"id": "a", "provider": "p", "action": "q", "x": "left"}, "steps[0].x"),
        ({"id": "a", "provider": "p", "action": "q", "x": True}, "steps[0].x"),
        ({"id": "a", "provider": "p", "action": "q", "x": 10**400}, "steps[0].x"),
        ({"id": "a", "provider": "p", "action": "q", "timeout_s": 10**400}, "steps[0].timeout_s"),
        ({"id": "a", "provider": "p", "action": "q", "disabled": 1}, "steps[0].disabled"),
        ({"id": "a", "provider": "p", "action": "q", "retry": {"tries": 1.5}}, "steps[0].retry.tries"),
        ({"id": "a", "provider": "p", "action": "q", "retry": {"backoff": "no"}}, "steps[0].retry.backoff"),
        ("a", "steps[0]"),
    ],
)
def test_a_wrong_type_names_its_place(step: object, where: str) -> None:
    with pytest.raises(DocumentError) as caught:
        loads(json.dumps({"flowstudio": 1, "id": "p", "steps": [step]}))
    assert caught.value.where == where
    assert where in caught.value.sentence


def test_a_value_that_is_no_json_is_refused_where_it_is() -> None:
    with pytest.raises(DocumentError) as caught:
        from_document({"flowstudio": 1, "id": "p", "variables": {"when": [object()]}})
    assert caught.value.where == "variables.when[0]"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(DocumentError, match="UTF-8: line 2 holds the byte 0xff"):
        loads(b'{\n"a": "\xff"}')


def test_a_byte_order_mark_is_ignored() -> None:
    assert loads(b"\xef\xbb\xbf" + dumps(SMALL)) == SMALL


def test_a_lone_surrogate_survives() -> None:
    plan = Plan("p", "half \ud800 a pair")
    assert loads(dumps(plan)) == plan


def test_the_hash_tells_plans_apart_and_keeps_for_equal_ones() -> None:
    assert content_hash(SMALL) == content_hash(loads(dumps(SMALL)))
    assert content_hash(SMALL) != content_hash(Plan("p", "Other"))


def test_read_plan_takes_flow_documents_old_plans_and_bare_arrays() -> None:
    entry = {"provider": "slack", "action_id": "post_message"}
    assert read_plan(dumps(SMALL)) == SMALL
    for text in (
        json.dumps([entry]),
        json.dumps({"plan_json": [entry]}),
        json.dumps({"plan_json": {"steps": [entry]}}),
    ):
        (step,) = read_plan(text).steps
        assert (step.provider, step.action) == ("slack", "post_message")


def nested(levels: int) -> object:
    value: object = "deep"
    for _ in range(levels):
        value = [value]
    return value


def test_a_document_may_be_as_deep_as_every_writer_of_json_allows() -> None:
    plan = from_document({"flowstudio": 1, "id": "p", "variables": {"x": nested(198)}})
    assert loads(dumps(plan)) == plan


def test_a_deeper_document_is_refused_before_it_is_stored_anywhere() -> None:
    with pytest.raises(DocumentError, match="nested too deeply: 200 levels"):
        from_document({"flowstudio": 1, "id": "p", "variables": {"x": nested(199)}})


@pytest.mark.parametrize(("name", "value"), [("keep_days", 1e308), ("keep_runs", 10**30), ("runs_at_once", 10**30)])
def test_a_setting_past_all_counting_is_named(name: str, value: float) -> None:
    with pytest.raises(DocumentError, match=f"settings.{name} must be from"):
        from_document({"flowstudio": 1, "id": "p", "name": "P", "settings": {name: value}})
