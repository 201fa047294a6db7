"""Which stored outputs a new run can begin with."""

from dataclasses import replace
from datetime import UTC, datetime

from flowstudio.engine.model import Run, RunState, StepRun, StepState, TriggerEvent
from flowstudio.plan.dependencies import Dependencies
from flowstudio.plan.edits import RenameStep, SetParam
from flowstudio.plan.model import Edge, Json, Plan, Step
from flowstudio.workspace.reuse import Choices, Missing, Selection, Stale, Stored, part_of, seeded

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHAIN = Plan(
    "p",
    "P",
    steps=(
        Step("a", "logic", "transform", params={"value": "{{ trigger }}"}),
        Step("b", "logic", "transform", params={"value": "{{ steps.a.output }}"}),
        Step("c", "logic", "transform", params={"value": "{{ steps.b.output }}"}),
    ),
    edges=(Edge("a", "out", "b"), Edge("b", "out", "c")),
)
LOOPS = Plan(
    "p",
    "P",
    steps=(
        Step("before", "logic", "transform"),
        Step("outer", "flow", "loop", params={"items": "{{ steps.before.output }}"}),
        Step("inner", "flow", "loop", params={"items": "{{ item }}"}, parent="outer"),
        Step("x", "logic", "transform", params={"value": "{{ item }}"}, parent="inner"),
        Step("y", "logic", "transform", params={"value": "{{ steps.x.output }}"}, parent="inner"),
        Step("after", "logic", "transform"),
    ),
    edges=(
        Edge("before", "out", "outer"),
        Edge("outer", "body", "inner"),
        Edge("inner", "body", "x"),
        Edge("x", "out", "y"),
        Edge("outer", "done", "after"),
    ),
)


def row(step_id: str, path: tuple[int, ...] = (), state: StepState = StepState.SUCCEEDED, **more: object) -> StepRun:
    ports = ("out",) if state is StepState.SUCCEEDED else ()
    return StepRun("old", step_id, path, state, 1, 1, ports, **more)  # type: ignore[arg-type]


def run_of(plan: Plan, data: Json = None) -> Run:
    return Run("old", "local", plan, RunState.SUCCEEDED, TriggerEvent(data=data), NOW)


def select(
    plan: Plan,
    step_id: str,
    rows: list[StepRun],
    base: Plan | None = None,
    choices: Choices = Choices(),  # noqa: B008
    data: Json = None,
    **part: object,
) -> Selection:
    dependencies = Dependencies(plan)
    stored = Stored(plan, dependencies, data, run_of(base or plan))
    chosen = part_of(dependencies, step_id, **{"goes_on": False, **part})  # type: ignore[arg-type]
    return stored.part(rows, chosen, choices)


def seeds(selection: Selection) -> set[tuple[str, tuple[int, ...]]]:
    return {(each.step_id, each.iteration) for each in selection.seeds}


def test_what_is_fresh_is_used_and_only_the_step_runs() -> None:
    selection = select(CHAIN, "c", [row("a"), row("b"), row("c")])
    assert (selection.only, selection.gaps) == ({"c"}, 0)
    assert seeds(selection) == {("a", ()), ("b", ())}


def test_a_renamed_step_keeps_its_output_under_its_new_name() -> None:
    renamed = RenameStep("a", "first").apply(CHAIN).plan
    assert seeds(select(renamed, "c", [row("a"), row("b")], CHAIN)) == {("first", ()), ("b", ())}


def test_another_input_makes_stale_what_reads_it_and_all_behind() -> None:
    assert select(CHAIN, "c", [row("a"), row("b")], data=5).stale == ("a", "b")


def test_a_failed_step_and_one_cut_off_are_missing_and_one_behind_a_dead_branch_is_not() -> None:
    failed = row("a", state=StepState.FAILED)
    assert select(
        CHAIN, "c", [failed, row("b", state=StepState.SKIPPED, message="the run ended before it")]
    ).missing == (
        "a",
        "b",
    )
    dead = row("b", state=StepState.SKIPPED, message="its branch was not taken")
    assert select(CHAIN, "c", [row("a"), dead]).gaps == 0


def test_choices_close_the_gaps() -> None:
    changed = SetParam("a", "value", 2).apply(CHAIN).plan
    used = select(changed, "c", [row("a"), row("b")], CHAIN, Choices(stale=Stale.USE))
    assert (used.gaps, {each.metadata["stale"] for each in used.seeds}) == (0, {True})
    again = select(changed, "c", [row("a"), row("b")], CHAIN, Choices(stale=Stale.RUN))
    assert (again.only, again.seeds) == ({"a", "b", "c"}, ())
    both = select(CHAIN, "c", [row("b")], choices=Choices(missing=Missing.RUN))
    assert both.only == {"a", "c"}


def test_an_edited_a_pinned_and_a_stale_output_stay_stale_with_all_that_came_of_them() -> None:
    for mark in ("edited", "pinned", "stale"):
        assert select(CHAIN, "c", [row("a", metadata={mark: True}), row("b")]).stale == ("a", "b")


def test_from_a_step_on_everything_runs_that_depends_on_it() -> None:
    selection = select(CHAIN, "b", [row("a")], goes_on=True)
    assert (selection.only, seeds(selection)) == ({"b", "c"}, {("a", ())})


def test_a_loop_stands_for_its_body() -> None:
    assert seeds(select(LOOPS, "after", [row("before"), row("outer"), row("x", (0, 0))])) == {
        ("before", ()),
        ("outer", ()),
    }
    assert select(LOOPS, "outer", [row("before")]).only == {"outer", "inner", "x", "y"}


def test_one_iteration_runs_and_all_others_keep_their_results() -> None:
    paths = [(0, 0), (0, 1), (1, 0)]
    rows = [row("before"), row("inner", (0,)), row("inner", (1,)), row("outer")]
    rows += [row(each, path) for each in ("x", "y") for path in paths]
    selection = select(LOOPS, "y", rows, iteration=(0, 1))
    assert selection.only == {"y", "inner", "outer"}
    assert seeds(selection) == {
        ("before", ()),
        ("inner", (1,)),
        *(("x", path) for path in paths),
        ("y", (0, 0)),
        ("y", (1, 0)),
    }


def test_a_restart_keeps_what_was_finished_and_asks_about_what_changed() -> None:
    rows = [row("a"), row("b"), row("c", state=StepState.FAILED)]
    kept = Stored(CHAIN, Dependencies(CHAIN), None, run_of(CHAIN)).rest(rows, Choices())
    assert (kept.only, seeds(kept)) == (None, {("a", ()), ("b", ())})
    changed = SetParam("b", "value", 2).apply(CHAIN).plan
    stored = Stored(changed, Dependencies(changed), None, run_of(CHAIN))
    assert stored.rest(rows, Choices()).stale == ("b",)
    assert seeds(stored.rest(rows, Choices(stale=Stale.RUN))) == {("a", ())}


def test_results_are_marked_with_the_run_that_worked_them_out() -> None:
    base = replace(run_of(CHAIN), id="second")
    new = seeded([row("a"), row("b", metadata={"reused_from": "first"})], "third", base)
    assert [(each.run_id, each.metadata["reused_from"]) for each in new] == [("third", "second"), ("third", "first")]
