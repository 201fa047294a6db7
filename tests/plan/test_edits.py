"""Every edit can be taken back, written down and read again."""

import time
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowstudio.plan.changes import EdgeAdded, EdgeRemoved, StepAdded, StepChanged, StepMoved, StepRemoved
from flowstudio.plan.document import dumps
from flowstudio.plan.edits import (
    AddEdge,
    AddNote,
    AddStep,
    Batch,
    Edit,
    InsertOnEdge,
    MoveSteps,
    PasteSteps,
    RemoveEdge,
    RemoveNote,
    RemoveSteps,
    RenameStep,
    SetNote,
    SetParam,
    SetParent,
    SetStepField,
    SetVariable,
    edit_from_json,
    fragment_from_json,
    fragment_of,
    fresh_id,
)
from flowstudio.plan.model import Edge, Note, OnError, Plan, Retry, Step
from flowstudio.plan.rules import (
    BadEditError,
    BadIdError,
    BorderError,
    CycleError,
    DocumentError,
    DuplicateIdError,
    NoSuchPartError,
    ParentError,
    PlanError,
)
from tests.plan.strategies import edits_of, plans


def chain(*names: str, **extra: object) -> Plan:
    steps = tuple(Step(name, "slack", "post_message", params={"text": "hi"}) for name in names)
    edges = tuple(Edge(a, "out", b) for a, b in pairwise(names))
    return replace(Plan("p", "Plan", steps=steps, edges=edges), **extra)


LOOP = Step("each", "flow", "loop")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans(), st.data())
def test_a_sequence_of_edits_and_its_inverses_give_back_the_same_plan(plan: Plan, data: st.DataObject) -> None:
    start, current, inverses = plan, plan, []
    for _ in range(data.draw(st.integers(1, 4))):
        edit = data.draw(edits_of(current))
        before = dumps(current)
        try:
            edited = edit.apply(current)
        except PlanError:
            assert dumps(current) == before
            continue
        assert edit_from_json(edit.as_json()) == edit
        inverses.append(edit_from_json(edited.inverse.as_json()))
        current = edited.plan
    for inverse in reversed(inverses):
        current = inverse.apply(current).plan
    assert current == start


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans(), st.data())
def test_the_inverse_of_an_inverse_redoes_the_edit(plan: Plan, data: st.DataObject) -> None:
    edit = data.draw(edits_of(plan))
    try:
        done = edit.apply(plan)
    except PlanError:
        return
    undone = done.inverse.apply(done.plan)
    assert undone.inverse.apply(undone.plan).plan == done.plan


def test_removing_a_loop_takes_its_body_and_all_edges_along() -> None:
    inner = Step("inner", "slack", "post_message", parent="each")
    plan = Plan(
        "p",
        "",
        steps=(Step("a", "x", "y"), LOOP, inner),
        edges=(Edge("a", "out", "each"), Edge("each", "body", "inner")),
    )
    edited = RemoveSteps(("each",)).apply(plan)
    assert [step.id for step in edited.plan.steps] == ["a"]
    assert edited.plan.edges == ()
    assert [type(change) for change in edited.changes] == [EdgeRemoved, EdgeRemoved, StepRemoved, StepRemoved]


def test_removing_an_unknown_step_is_refused() -> None:
    with pytest.raises(NoSuchPartError, match="no step “ghost”"):
        RemoveSteps(("ghost",)).apply(chain("a"))


def test_an_edge_that_closes_a_circle_is_refused_with_its_way() -> None:
    with pytest.raises(CycleError, match=r"→") as caught:
        AddEdge(Edge("c", "out", "a")).apply(chain("a", "b", "c"))
    assert len(caught.value.path) == 4


def test_a_second_step_of_the_same_id_is_refused() -> None:
    with pytest.raises(DuplicateIdError):
        AddStep(Step("a", "x", "y")).apply(chain("a"))


def test_an_id_with_capitals_is_refused() -> None:
    with pytest.raises(BadIdError):
        AddStep(Step("Bad Id", "x", "y")).apply(chain("a"))


def test_a_step_cannot_be_added_into_something_that_is_no_loop() -> None:
    with pytest.raises(ParentError, match="only a loop"):
        AddStep(Step("b", "x", "y", parent="a")).apply(chain("a"))


def test_a_loop_cannot_be_moved_into_itself() -> None:
    outer, inner = LOOP, Step("inner", "flow", "loop", parent="each")
    with pytest.raises(ParentError, match="cannot hold itself"):
        SetParent(("each",), "inner").apply(Plan("p", "", steps=(outer, inner)))


def test_moving_steps_into_a_loop_keeps_edges_among_them_and_drops_those_across_the_border() -> None:
    plan = replace(chain("a", "b", "c"), steps=(*chain("a", "b", "c").steps, LOOP))
    edited = SetParent(("b", "c"), "each").apply(plan)
    assert edited.plan.edges == (Edge("b", "out", "c"),)
    assert edited.inverse.apply(edited.plan).plan == plan


def test_inserting_on_an_edge_joins_both_ends_through_the_new_step() -> None:
    edited = InsertOnEdge(Edge("a", "out", "b"), Step("mid", "x", "y")).apply(chain("a", "b"))
    assert edited.plan.edges == (Edge("a", "out", "mid"), Edge("mid", "out", "b"))
    assert [type(change) for change in edited.changes] == [EdgeRemoved, StepAdded, EdgeAdded, EdgeAdded]


def test_a_loop_inserted_on_an_edge_goes_on_by_done() -> None:
    edited = InsertOnEdge(Edge("a", "out", "b"), LOOP).apply(chain("a", "b"))
    assert Edge("each", "done", "b") in edited.plan.edges


def test_inserting_on_a_body_edge_puts_the_step_into_the_body() -> None:
    plan = Plan("p", "", steps=(LOOP, Step("in", "x", "y", parent="each")), edges=(Edge("each", "body", "in"),))
    edited = InsertOnEdge(Edge("each", "body", "in"), Step("mid", "x", "y")).apply(plan)
    assert edited.plan.step("mid").parent == "each"


def test_renaming_follows_into_edges_bodies_and_expressions() -> None:
    reader = Step("b", "x", "y", params={"t": ["{{ steps.a.output.steps.a }}", "steps.a stays", "{{ 'steps.a' }}"]})
    plan = Plan("p", "", steps=(Step("a", "x", "y"), reader), edges=(Edge("a", "out", "b"),), ordinals=("a", "b"))
    after = RenameStep("a", "fetch").apply(plan).plan
    assert after.edges == (Edge("fetch", "out", "b"),)
    assert after.ordinals == ("fetch", "b")
    assert after.step("b").params["t"] == ["{{ steps.fetch.output.steps.a }}", "steps.a stays", "{{ 'steps.a' }}"]


def test_giving_a_switch_case_another_name_keeps_its_wire() -> None:
    switch = Step("s", "flow", "switch", params={"cases": [{"name": "red"}, {"name": "blue"}]})
    plan = Plan("p", "", steps=(switch, Step("b", "x", "y")), edges=(Edge("s", "red", "b"),))
    edited = SetParam("s", "cases", [{"name": "green"}, {"name": "blue"}]).apply(plan)
    assert edited.plan.edges == (Edge("s", "green", "b"),)
    assert edited.inverse.apply(edited.plan).plan == plan


def test_removing_a_switch_case_removes_its_wire() -> None:
    switch = Step("s", "flow", "switch", params={"cases": [{"name": "red"}, {"name": "blue"}]})
    plan = Plan("p", "", steps=(switch, Step("b", "x", "y")), edges=(Edge("s", "red", "b"),))
    edited = SetParam("s", "cases", [{"name": "blue"}]).apply(plan)
    assert edited.plan.edges == ()
    assert edited.inverse.apply(edited.plan).plan == plan


def test_leaving_branch_on_error_takes_the_error_wire_along() -> None:
    failing = Step("a", "x", "y", on_error=OnError.BRANCH)
    plan = Plan("p", "", steps=(failing, Step("b", "x", "y")), edges=(Edge("a", "error", "b"),))
    edited = SetStepField("a", "on_error", "stop").apply(plan)
    assert edited.plan.edges == ()
    assert edited.inverse.apply(edited.plan).plan == plan


def test_a_field_takes_its_json_form() -> None:
    after = SetStepField("a", "retry", {"tries": 3}).apply(chain("a")).plan
    assert after.step("a").retry == Retry(tries=3)


@pytest.mark.parametrize(("field", "value"), [("retry", {"tries": 0}), ("timeout_s", -1), ("title", 3), ("id", "x")])
def test_a_wrong_field_or_value_is_refused(field: str, value: object) -> None:
    with pytest.raises(BadEditError):
        SetStepField("a", field, value)  # type: ignore[arg-type]


def test_typing_in_one_field_merges() -> None:
    assert SetParam("a", "text", "h").merge_with(SetParam("a", "text", "hi")) == SetParam("a", "text", "hi")
    assert SetParam("a", "text", "h").merge_with(SetParam("a", "url", "hi")) is None


def test_dragging_the_same_cards_merges() -> None:
    first, second = MoveSteps({"a": (1.0, 1.0)}), MoveSteps({"a": (2.0, 2.0)})
    assert first.merge_with(second) == second
    assert first.merge_with(MoveSteps({"b": (2.0, 2.0)})) is None


def test_moving_reports_the_new_places() -> None:
    edited = MoveSteps({"a": (10, 20)}).apply(chain("a", "b"))
    assert edited.changes == (StepMoved("a", 10, 20),)


def test_notes_are_added_changed_and_removed() -> None:
    plan = AddNote(Note("n", "one", 0.0, 0.0)).apply(chain("a")).plan
    plan = SetNote(Note("n", "two", 0.0, 0.0)).apply(plan).plan
    assert plan.notes[0].text == "two"
    assert RemoveNote("n").apply(plan).plan.notes == ()


def test_a_failing_batch_changes_nothing() -> None:
    plan = chain("a")
    with pytest.raises(NoSuchPartError):
        Batch((SetParam("a", "text", "new"), SetParam("ghost", "text", "x"))).apply(plan)
    assert plan == chain("a")


def test_pasting_gives_fresh_ids_and_keeps_references_among_the_copies() -> None:
    plan = chain("fetch", "send")
    plan = SetParam("send", "text", "{{ steps.fetch.output }}").apply(plan).plan
    edited = PasteSteps(fragment_of(plan, ["fetch", "send"]), 20, 20).apply(plan)
    assert [step.id for step in edited.plan.steps] == ["fetch", "send", "fetch_2", "send_2"]
    assert edited.plan.step("send_2").params["text"] == "{{ steps.fetch_2.output }}"
    assert edited.plan.edges[-1] == Edge("fetch_2", "out", "send_2")
    assert (edited.plan.step("fetch_2").x, edited.plan.step("fetch_2").y) == (20, 20)


def test_a_copied_loop_brings_its_body() -> None:
    inner = Step("inner", "x", "y", parent="each")
    plan = Plan("p", "", steps=(LOOP, inner), edges=(Edge("each", "body", "inner"),))
    fragment = fragment_from_json(fragment_of(plan, ["each"]).as_json())
    after = PasteSteps(fragment).apply(plan).plan
    assert after.step("inner_2").parent == "each_2"
    assert Edge("each_2", "body", "inner_2") in after.edges


def test_an_edge_across_a_border_is_refused() -> None:
    plan = Plan("p", "", steps=(Step("a", "x", "y"), LOOP, Step("in", "x", "y", parent="each")))
    with pytest.raises(BorderError):
        AddEdge(Edge("a", "out", "in")).apply(plan)


def test_fresh_ids_are_slugs_with_a_counter() -> None:
    assert fresh_id(chain("a"), "Send E-Mail!") == "send_e_mail"
    assert fresh_id(chain("send", "send_2"), "Send") == "send_3"
    assert fresh_id(chain("a"), "日本") == "step"
    assert fresh_id(chain("a"), "3 things") == "step_3_things"


@pytest.mark.parametrize(
    "document", [None, {}, {"edit": "explode"}, {"edit": "set_param", "step": 3}, {"edit": "add_step"}]
)
def test_an_unreadable_edit_is_refused_with_a_sentence(document: object) -> None:
    with pytest.raises(BadEditError):
        edit_from_json(document)


@pytest.mark.parametrize(
    "edit",
    [
        SetParam("s2500", "text", "new"),
        MoveSteps({"s2500": (1.0, 2.0)}),
        AddStep(Step("new", "x", "y")),
        RemoveSteps(("s2500",)),
        RemoveEdge(Edge("s10", "out", "s11")),
        AddEdge(Edge("s10", "out", "s4000")),
        SetStepField("s2500", "title", "New"),
    ],
    ids=lambda edit: edit.name,
)
def test_an_edit_of_five_thousand_steps_is_quick(edit: Edit) -> None:
    plan = chain(*(f"s{index}" for index in range(5000)))
    times = []
    for _ in range(5):
        start = time.process_time()
        edit.apply(plan)
        times.append(time.process_time() - start)
    assert min(times) < 0.015


def test_changing_a_param_reports_the_step_as_it_is_now() -> None:
    edited = SetParam("a", "text", "new").apply(chain("a"))
    assert edited.changes == (StepChanged(edited.plan.step("a")),)


def test_undo_in_a_form_leaves_a_wire_alone_that_never_had_a_port() -> None:
    plan = Plan(
        "p",
        "P",
        steps=(Step("end", "flow", "stop"), Step("next", "http", "request")),
        edges=(Edge("end", "out", "next"),),
    )
    edited = SetParam("end", "message", "done").apply(plan)
    assert edited.inverse.apply(edited.plan).plan == plan


@pytest.mark.parametrize("edit", [SetParam("a", "text", float("inf")), SetVariable("x", [float("nan")])])
def test_a_value_that_no_file_can_hold_is_refused(edit: Edit) -> None:
    with pytest.raises(DocumentError, match="finite"):
        edit.apply(chain("a"))
