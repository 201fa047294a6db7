"""Runs that pause before a step: shown input, edits, step over, and the same place after a crash."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from time import monotonic

import pytest

from flowstudio.engine.errors import BreakpointError
from flowstudio.engine.events import RunStateChanged, StepPaused, StepStarted
from flowstudio.engine.model import Run, RunOptions, RunState, StepState
from flowstudio.engine.ports import Invocation
from flowstudio.plan.expression import ExpressionError
from flowstudio.plan.model import Json, Plan, Retry
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, refusal, step

CHAIN = plan(
    step("a", params={"value": 1}),
    step("b", params={"value": "{{ steps.a.output }}"}),
    step("c", params={"value": "{{ steps.b.output }}"}),
    edges="a > b, b > c",
)
LOOP = plan(
    step("each", "flow.loop", {"items": [10, 20, 30]}),
    step("x", params={"value": "{{ item }}"}, parent="each"),
    step("y", params={"value": "{{ steps.x.output }}"}, parent="each"),
    edges="each.body > x, x > y",
)


def start(bench: Workbench, of: Plan = CHAIN, run_id: str = "r1", **breakpoints: str) -> None:
    run = replace(new_run(of, run_id), options=RunOptions(breakpoints=breakpoints))
    assert bench.engine.submit(run)


def stands(bench: Workbench, times: int = 1) -> StepPaused:
    """The step the run stands before, once it is paused for the nth time."""
    heard = threading.Event()

    def is_there() -> bool:
        paused = [each for each in bench.events if isinstance(each, StepPaused)]
        states = [each for each in bench.events if isinstance(each, RunStateChanged) and each.state is RunState.PAUSED]
        return len(paused) >= times and len(states) >= times

    for _ in range(int(PATIENCE_S / 0.01)):
        if is_there():
            break
        heard.wait(0.01)
    assert is_there(), bench.events
    return [each for each in bench.events if isinstance(each, StepPaused)][times - 1]


def ended(bench: Workbench, run_id: str = "r1") -> Run:
    run = bench.engine.wait(run_id, PATIENCE_S)
    assert run is not None, bench.rows(run_id)
    return run


def test_a_run_pauses_before_a_step_and_shows_its_input(bench: Workbench) -> None:
    start(bench, b="")
    seen = stands(bench)
    assert (seen.step_id, seen.input) == ("b", {"value": 1})
    assert bench.invoker.called() == ["a"]
    assert bench.store.get("r1").state is RunState.PAUSED
    row = bench.row("b")
    assert (row.state, row.metadata["held"], row.metadata["input"]) == (StepState.WAITING, True, {"value": 1})
    assert bench.engine.resume("r1")
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["a", "b", "c"]
    assert bench.row("b").metadata == {}


def test_a_condition_is_asked_in_the_scope_of_the_step(bench: Workbench) -> None:
    start(bench, LOOP, y="{{ index == 1 and steps.x.output == 20 }}", x="item > 99")
    assert (stands(bench).step_id, stands(bench).iteration) == ("y", (1,))
    bench.engine.resume("r1")
    assert ended(bench).state is RunState.SUCCEEDED
    assert sum(isinstance(each, StepPaused) for each in bench.events) == 1


def test_a_condition_that_cannot_be_answered_pauses_and_says_why(bench: Workbench) -> None:
    start(bench, b="{{ steps.a.output.missing.more > 3 }}")
    assert "cannot be answered" in stands(bench).reason
    bench.engine.resume("r1")
    ended(bench)


def test_a_breakpoint_before_a_step_that_is_not_there_or_makes_no_sense_is_refused(bench: Workbench) -> None:
    with pytest.raises(BreakpointError, match="no step “zz”"):
        start(bench, zz="")
    with pytest.raises(ExpressionError):
        start(bench, a="{{ 1 + }}")
    assert bench.store.get("r1") is None


def test_step_over_performs_one_step_and_pauses_before_the_next(bench: Workbench) -> None:
    start(bench, a="")
    stands(bench)
    assert bench.engine.step_over("r1")
    assert (stands(bench, 2).step_id, stands(bench, 2).input) == ("b", {"value": 1})
    assert bench.invoker.called() == ["a"]
    assert bench.engine.step_over("r1")
    assert stands(bench, 3).step_id == "c"
    assert bench.engine.step_over("r1")
    assert ended(bench).state is RunState.SUCCEEDED


def test_step_over_goes_through_loops_and_branches_one_step_at_a_time(bench: Workbench) -> None:
    start(bench, LOOP, each="")
    order = []
    for times in range(1, 8):
        seen = stands(bench, times)
        order.append((seen.step_id, seen.iteration))
        assert bench.engine.step_over("r1", seen.step_id, seen.iteration)
    assert ended(bench).state is RunState.SUCCEEDED
    assert order == [("each", ())] + [(each, (n,)) for n in range(3) for each in ("x", "y")]


def test_a_step_over_at_the_end_of_a_branch_leaves_the_others_held(bench: Workbench) -> None:
    start(bench, plan(step("a"), step("b"), step("c"), edges="a > b, a > c"), a="")
    stands(bench)
    bench.engine.step_over("r1")
    stands(bench, 2)
    held = {step_id for (step_id, _), row in bench.rows().items() if row.state is StepState.WAITING}
    first = "b" if "b" in held else "c"
    assert bench.engine.step_over("r1", first)
    assert not bench.engine.step_over("r1", "nobody")
    wait_for_state(bench, RunState.PAUSED)
    assert bench.engine.resume("r1")
    assert ended(bench).state is RunState.SUCCEEDED
    assert sorted(bench.invoker.called()) == ["a", "b", "c"]


def wait_for_state(bench: Workbench, state: RunState) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.01)):
        if bench.store.get("r1").state is state:
            return
        pause.wait(0.01)
    raise AssertionError(bench.store.get("r1").state)


def test_edited_input_replaces_params_of_that_step_in_that_iteration_only(bench: Workbench) -> None:
    start(bench, LOOP, x="{{ index == 1 }}")
    stands(bench)
    assert bench.engine.resume("r1", {("x", (1,)): {"value": "new"}})
    ended(bench)
    assert bench.row("each").output == {"results": [10, "new", 30], "count": 3}
    assert bench.row("x", (1,)).metadata == {"edited": True}
    assert bench.row("x", (2,)).metadata == {}


def test_an_edit_holds_for_every_try(bench: Workbench) -> None:
    tries: list[Json] = []

    def flaky(call: Invocation) -> object:
        tries.append(call.params["value"])
        return refusal(retryable=True) if len(tries) < 3 else call.params["value"]

    bench.invoker.functions["flaky"] = flaky
    start(bench, plan(step("a", "test.flaky", {"value": 1}, retry=Retry(3, delay_s=0.01))), a="")
    stands(bench)
    bench.engine.resume("r1", {("a", ()): {"value": 2}})
    assert ended(bench).state is RunState.SUCCEEDED
    assert tries == [2, 2, 2]
    assert bench.row("a").metadata == {"edited": True}


def test_an_edited_condition_goes_the_way_it_says(bench: Workbench) -> None:
    of = plan(
        step("test", "flow.condition", {"condition": "{{ 1 > 2 }}"}),
        step("yes"),
        step("no"),
        edges="test.true > yes, test.false > no",
    )
    start(bench, of, test="")
    assert stands(bench).input == {"condition": False}
    bench.engine.resume("r1", {("test", ()): {"condition": True}})
    ended(bench)
    assert bench.invoker.called() == ["yes"]


def test_breakpoints_of_a_run_under_way_are_set_and_kept(bench: Workbench) -> None:
    start(bench, a="")
    stands(bench)
    assert bench.engine.set_breakpoints("r1", {"c": ""})
    bench.engine.resume("r1")
    assert stands(bench, 2).step_id == "c"
    assert bench.store.get("r1").options.breakpoints == {"c": ""}
    assert bench.engine.set_breakpoints("r1", {})
    assert bench.store.get("r1").options.breakpoints == {}
    bench.engine.resume("r1")
    ended(bench)
    assert not bench.engine.set_breakpoints("r1", {})


@pytest.mark.parametrize("of", [CHAIN, LOOP], ids=["chain", "loop"])
def test_a_run_that_is_taken_up_again_stands_before_the_same_step(bench: Workbench, of: Plan) -> None:
    at = {"b": ""} if of is CHAIN else {"y": "{{ index == 1 }}"}
    start(bench, of, **at)
    seen = stands(bench)
    bench.engine.close()
    called = bench.invoker.called()
    bench.events.clear()
    bench.open().recover()
    wait_for_state(bench, RunState.PAUSED)
    assert bench.invoker.called() == called
    assert bench.row(seen.step_id, seen.iteration).metadata["held"] is True
    pause, end = threading.Event(), monotonic() + PATIENCE_S
    while not bench.engine.step_over("r1", seen.step_id, seen.iteration):  # it is being taken up still
        assert monotonic() < end
        pause.wait(0.01)
    stands(bench)
    assert bench.invoker.called() == [*called, seen.step_id]
    bench.engine.resume("r1")
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called().count(seen.step_id) == (1 if of is CHAIN else 3)


def test_an_edit_survives_a_crash_between_two_tries(bench: Workbench) -> None:
    seen: list[Json] = []

    def flaky(call: Invocation) -> object:
        seen.append(call.params["value"])
        return refusal(retryable=True) if len(seen) == 1 else call.params["value"]

    bench.invoker.functions["flaky"] = flaky
    retry = Retry(3, delay_s=0.5, jitter=False)
    start(bench, plan(step("a", "test.flaky", {"value": 1}, retry=retry)), a="")
    stands(bench)
    bench.engine.resume("r1", {("a", ()): {"value": 2}})
    wait_for_state(bench, RunState.WAITING)
    bench.engine.close()
    bench.open().recover()
    assert ended(bench).state is RunState.SUCCEEDED
    assert seen == [2, 2]
    assert not [each for each in bench.events if isinstance(each, StepPaused)][1:]


def test_a_run_cancelled_while_it_stands_ends_and_its_step_never_starts(bench: Workbench) -> None:
    start(bench, b="")
    stands(bench)
    assert bench.engine.cancel("r1")
    assert ended(bench).state is RunState.CANCELLED
    assert bench.row("b").state is StepState.SKIPPED
    assert "b" not in [each.step_id for each in bench.events if isinstance(each, StepStarted)]


def test_branches_at_work_come_to_their_end_before_the_run_is_paused(bench: Workbench) -> None:
    gate, began = threading.Event(), threading.Event()

    def slow(call: Invocation) -> str:
        began.set()
        gate.wait(PATIENCE_S)
        return "done"

    bench.invoker.functions["slow"] = slow
    bench.invoker.functions["after"] = lambda call: began.wait(PATIENCE_S)
    of = plan(step("a", "test.slow"), step("b", "test.after"), step("c"), step("d"), edges="a > d, b > c")
    start(bench, of, c="")
    pause = threading.Event()
    while not any(isinstance(each, StepPaused) for each in bench.events):
        pause.wait(0.01)
    assert bench.store.get("r1").state is RunState.RUNNING
    gate.set()
    stands(bench)
    assert bench.row("a").output == "done"
    assert "d" not in bench.invoker.called()
    bench.engine.resume("r1")
    assert ended(bench).state is RunState.SUCCEEDED


def test_secrets_are_masked_in_what_is_shown(bench: Workbench) -> None:
    def masked(call: Invocation) -> Mapping[str, Json]:
        return {"value": "••••"}

    bench.invoker.masked = masked  # type: ignore[method-assign]
    start(bench, a="")
    assert stands(bench).input == {"value": "••••"}
    assert bench.row("a").metadata["input"] == {"value": "••••"}
    bench.engine.resume("r1")
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.row("a").output == 1


def test_a_step_whose_input_cannot_be_worked_out_is_held_all_the_same(bench: Workbench) -> None:
    start(bench, plan(step("a", params={"value": "{{ trigger.no.such.thing }}"})), a="")
    seen = stands(bench)
    assert seen.input is None
    assert "cannot be worked out" in seen.reason
    bench.engine.cancel("r1")
    ended(bench)
