"""A step's hash changes with what its output depends on, and with nothing else."""

from dataclasses import replace
from time import perf_counter

from flowstudio.plan.dependencies import Dependencies
from flowstudio.plan.edits import MoveSteps, RenameStep, SetParam, SetStepField
from flowstudio.plan.fingerprint import fingerprints
from flowstudio.plan.model import Edge, Plan, Retry, Step

PLAN = Plan(
    "p",
    "Plan",
    steps=(
        Step("fetch", "http", "get", params={"url": "{{ trigger.url }}"}),
        Step("each", "flow", "loop", params={"items": "{{ steps.fetch.output }}"}),
        Step("tidy", "logic", "transform", params={"value": "{{ item }} {{ vars.a }}"}, parent="each"),
        Step("send", "http", "post", params={"body": "{{ steps.tidy.output }}"}, parent="each"),
        Step("done", "logic", "transform", params={"value": "{{ steps.each.output.count }}"}),
        Step("beside", "logic", "transform", params={"value": 1}),
    ),
    edges=(
        Edge("fetch", "out", "each"),
        Edge("each", "body", "tidy"),
        Edge("tidy", "out", "send"),
        Edge("each", "done", "done"),
    ),
    variables={"a": 1, "b": 2},
)


def changed(after: Plan, trigger: object = None, before: Plan = PLAN) -> set[str]:
    old, new = fingerprints(before, None), fingerprints(after, trigger)  # type: ignore[arg-type]
    return {step_id for step_id in new if old.get(step_id) != new[step_id]}


def test_places_titles_notes_retries_and_time_limits_do_not_matter() -> None:
    after = MoveSteps({"fetch": (9, 9)}).apply(PLAN).plan
    for field, value in (("title", "New"), ("notes", "n"), ("retry", Retry(3)), ("timeout_s", 3.0)):
        after = SetStepField("fetch", field, value).apply(after).plan
    assert changed(after) == set()


def test_a_param_changes_its_step_and_all_behind_it() -> None:
    assert changed(SetParam("fetch", "url", "x").apply(PLAN).plan) == {"fetch", "each", "tidy", "send", "done"}
    assert changed(SetParam("done", "value", "x").apply(PLAN).plan) == {"done"}


def test_a_step_in_a_loop_changes_the_loop_and_what_follows_but_not_what_comes_before_it_inside() -> None:
    assert changed(SetParam("send", "body", "x").apply(PLAN).plan) == {"send", "each", "done"}


def test_the_trigger_and_a_variable_change_only_what_reads_them() -> None:
    assert changed(PLAN, {"url": "b"}) == {"fetch", "each", "tidy", "send", "done"}
    assert changed(replace(PLAN, variables={"a": 2, "b": 2})) == {"tidy", "send", "each", "done"}
    assert changed(replace(PLAN, variables={"a": 1, "b": 3})) == set()


def test_a_wire_taken_away_changes_what_it_led_to() -> None:
    assert changed(replace(PLAN, edges=PLAN.edges[:-1])) == {"done"}


def test_a_renamed_step_keeps_its_hash_and_so_do_those_that_read_it() -> None:
    after = RenameStep("tidy", "clean").apply(PLAN).plan
    old, new = fingerprints(PLAN, None), fingerprints(after, None)
    assert new.pop("clean") == old.pop("tidy")
    assert new == old


def test_expressions_bind_steps_without_a_wire() -> None:
    after = SetParam("beside", "value", "{{ steps.done.output }}").apply(PLAN).plan
    needs = Dependencies(after)
    assert needs.before({"beside"}) == {"fetch", "each", "done"}
    assert needs.after({"tidy"}) == {"send", "each", "done", "beside"}
    assert needs.with_bodies({"each"}) == {"each", "tidy", "send"}


def test_steps_that_read_each_other_have_hashes_too() -> None:
    one = Step("a", "x", "y", params={"value": "{{ steps.b.output }}"})
    two = Step("b", "x", "y", params={"value": "{{ steps.a.output }}"})
    assert fingerprints(Plan("p", "P", steps=(one, two)), None).keys() == {"a", "b"}


def test_ten_thousand_steps_in_a_chain_take_less_than_seconds() -> None:
    steps = tuple(Step(f"s{n}", "logic", "transform", params={"value": n}) for n in range(10_000))
    edges = tuple(Edge(f"s{n}", "out", f"s{n + 1}") for n in range(9_999))
    start = perf_counter()
    assert len(set(fingerprints(Plan("p", "P", steps=steps, edges=edges), None).values())) == 10_000
    assert perf_counter() - start < 5
