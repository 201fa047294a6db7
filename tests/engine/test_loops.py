"""Loops that end early, loops with a condition, loops in loops; what a run keeps of them while it goes on."""

import gc
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from flowstudio.engine.errors import NotRunnableError
from flowstudio.engine.events import LogWritten, StepStarted
from flowstudio.engine.model import RunState, StepState
from flowstudio.engine.ports import Invocation
from flowstudio.engine.walk import Walk
from flowstudio.plan.model import Json, OnError, Plan
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, step


def for_each(*body: Any, edges: str = "", items: Json = "{{ trigger }}", **params: Json) -> Plan:
    return plan(step("l", "flow.loop", {"items": items, **params}), *body, edges=edges)


def again(*body: Any, edges: str = "", condition: str = "index < 3", **params: Json) -> Plan:
    return plan(step("l", "flow.while", {"condition": condition, **params}), *body, edges=edges)


def when(condition: str, then: str, **fields: Any) -> list[Any]:
    """`if` leads to `then`, otherwise to `w`, which gives the item."""
    return [
        step("if", "flow.condition", {"condition": condition}, parent="l"),
        step("then", then, parent="l", **fields),
        step("w", params={"value": "{{ item }}"}, parent="l"),
    ]


FORK = "if.true > then, if.false > w"


def test_a_break_ends_its_item_and_starts_no_more(bench: Workbench) -> None:
    bench.run(for_each(*when("item == 'stop'", "flow.break"), edges=FORK), data=["a", "b", "stop", "c"])
    assert bench.outputs()["l"] == {"results": ["a", "b"], "count": 2}
    assert bench.row("then", (2,)).state is StepState.SUCCEEDED
    assert ("if", (3,)) not in bench.rows()


def test_a_break_may_give_the_result_of_its_item(bench: Workbench) -> None:
    found = when("item == 'stop'", "flow.break", params={"result": {"found": "{{ index }}"}})
    bench.run(for_each(*found, edges=FORK), data=["a", "stop", "c"])
    assert bench.outputs()["l"] == {"results": ["a", {"found": 1}], "count": 2}


def test_a_skipped_item_is_left_out_and_the_next_goes_on(bench: Workbench) -> None:
    bench.run(for_each(*when("item % 2", "flow.skip_item"), edges=FORK, parallel=3), data=[0, 1, 2, 3, 4])
    assert bench.outputs()["l"] == {"results": [0, 2, 4], "count": 3}


def test_items_under_way_at_a_break_come_to_their_end(bench: Workbench) -> None:
    started, broken = threading.Event(), threading.Event()

    def slow(call: Invocation) -> Json:
        started.set()
        assert broken.wait(PATIENCE_S)
        return call.params["value"]

    def breaks(call: Invocation) -> None:
        assert started.wait(PATIENCE_S)

    bench.invoker.functions.update(slow=slow, meet=breaks, mark=lambda call: broken.set())
    body = [
        step("if", "flow.condition", {"condition": "item == 1"}, parent="l"),
        step("meet", "test.meet", parent="l"),
        step("leave", "flow.break", parent="l"),
        step("slow", "test.slow", {"value": "{{ item }}"}, parent="l"),
    ]
    racing = for_each(*body, edges="if.true > meet, meet > leave, if.false > slow", parallel=2)
    assert bench.engine.submit(new_run(racing, data=[0, 1, 2, 3]))
    until_row(bench, "leave", (1,))
    broken.set()
    assert bench.engine.wait("r1", PATIENCE_S) is not None
    assert bench.outputs()["l"] == {"results": [0], "count": 1}
    assert {path for _, path in bench.rows()} == {(), (0,), (1,)}


def until(holds: Callable[[], bool]) -> None:
    end, pause = monotonic() + PATIENCE_S, threading.Event()
    while not holds():
        assert monotonic() < end
        pause.wait(0.005)


def until_row(bench: Workbench, step_id: str, path: tuple[int, ...]) -> None:
    tick = threading.Event()
    for _ in range(1000):
        if (step_id, path) in bench.rows():
            return
        tick.wait(0.01)
    raise AssertionError(f"{step_id} did not end")


def test_other_branches_of_an_ended_item_start_nothing_more(bench: Workbench) -> None:
    gate = threading.Event()
    bench.invoker.functions["hold"] = lambda call: gate.wait(PATIENCE_S)
    body = [
        step("leave", "flow.skip_item", parent="l"),
        step("first", "test.hold", parent="l"),
        step("second", parent="l"),
        step("inner", "flow.loop", {"items": [1, 2]}, parent="l"),
        step("deep", parent="inner"),
    ]
    assert bench.engine.submit(new_run(for_each(*body, edges="first > second, second > inner"), data=["x"]))
    until_row(bench, "leave", (0,))
    gate.set()
    assert bench.engine.wait("r1", PATIENCE_S) is not None
    states = {step_id: (row.state, row.message) for (step_id, path), row in bench.rows().items() if path == (0,)}
    assert states["first"] == (StepState.SUCCEEDED, "")
    assert states["second"] == (StepState.SKIPPED, "its item ended before it")
    assert states["inner"] == (StepState.SKIPPED, "its item ended before it")
    assert bench.outputs()["l"] == {"results": [], "count": 0}


def test_a_loop_inside_an_ended_item_starts_no_more_items(bench: Workbench) -> None:
    gate = threading.Event()
    bench.invoker.functions["hold"] = lambda call: gate.wait(PATIENCE_S)
    body = [
        step("inner", "flow.loop", {"items": [1, 2, 3]}, parent="l"),
        step("deep", "test.hold", parent="inner"),
        step("leave", "flow.break", parent="l"),
    ]
    assert bench.engine.submit(new_run(for_each(*body), data=["x", "y"]))
    until_row(bench, "leave", (0,))
    gate.set()
    assert bench.engine.wait("r1", PATIENCE_S) is not None
    assert bench.outputs()["l"] == {"results": [], "count": 0}
    assert [path for step_id, path in bench.rows() if step_id == "deep"] == [(0, 0)]


def test_a_break_ends_the_innermost_loop_only(bench: Workbench) -> None:
    nested = for_each(
        step("inner", "flow.loop", {"items": [1, 2, 3]}, parent="l"),
        step("if", "flow.condition", {"condition": "item == 2"}, parent="inner"),
        step("leave", "flow.break", parent="inner"),
        step("w", params={"value": "{{ loops.l.item }}{{ item }}"}, parent="inner"),
        edges="if.true > leave, if.false > w",
    )
    bench.run(nested, data=["a", "b"])
    inner = [{"results": [f"{each}1"], "count": 1} for each in "ab"]
    assert bench.outputs()["l"] == {"results": inner, "count": 2}


def test_a_disabled_break_breaks_nothing(bench: Workbench) -> None:
    bench.run(for_each(step("leave", "flow.break", parent="l", disabled=True), step("w", parent="l")), data=[1, 2])
    assert bench.outputs()["l"] == {"results": [None, None], "count": 2}


@pytest.mark.parametrize("action", ["flow.break", "flow.skip_item"])
def test_ending_an_item_outside_of_a_loop_is_refused(bench: Workbench, action: str) -> None:
    with pytest.raises(NotRunnableError, match="“Enough” ends the item of a loop, but is not inside of one"):
        bench.engine.submit(new_run(plan(step("a", action, title="Enough"))))


def test_a_while_goes_on_with_what_the_last_turn_gave(bench: Workbench) -> None:
    doubling = again(
        step("double", params={"value": "{{ item * 2 + index }}"}, parent="l"), condition="item < 20", start=3
    )
    bench.run(doubling)
    assert bench.outputs()["l"] == {"results": [6, 13, 28], "count": 3, "last": 28, "limit_reached": False}
    assert [event.iteration for event in bench.events if isinstance(event, StepStarted) and event.step_id == "l"] == [
        ()
    ]


def test_a_while_whose_condition_never_holds_gives_its_start(bench: Workbench) -> None:
    bench.run(again(step("w", parent="l"), condition="{{ false }}", start="s"))
    assert bench.outputs()["l"] == {"results": [], "count": 0, "last": "s", "limit_reached": False}


def test_a_while_ends_at_its_limit_and_says_so(bench: Workbench) -> None:
    bench.run(again(step("w", params={"value": "{{ index }}"}, parent="l"), condition="true", max_iterations=4))
    assert bench.outputs()["l"] == {"results": [0, 1, 2, 3], "count": 4, "last": 3, "limit_reached": True}
    told = [event.text for event in bench.events if isinstance(event, LogWritten) and event.level == "warning"]
    assert told == ["The loop stops after 4 turns, its limit; its condition still holds."]


def test_a_while_whose_condition_ends_with_its_limit_has_not_reached_it(bench: Workbench) -> None:
    bench.run(again(step("w", parent="l"), condition="index < 4", max_iterations=4))
    output = bench.outputs()["l"]
    assert isinstance(output, dict)
    assert (output["count"], output["limit_reached"]) == (4, False)


def test_a_while_without_a_body_repeats_its_start(bench: Workbench) -> None:
    bench.run(again(condition="index < 3", start=1))
    assert bench.outputs()["l"] == {"results": [None] * 3, "count": 3, "last": None, "limit_reached": False}


def test_a_while_can_be_left_and_its_turns_skipped(bench: Workbench) -> None:
    body = [
        step("which", "flow.switch", {"value": "{{ index }}", "cases": CASES}, parent="l"),
        step("skip", "flow.skip_item", parent="l"),
        step("leave", "flow.break", {"result": "end"}, parent="l"),
        step("w", params={"value": "{{ item }}{{ index }}"}, parent="l"),
    ]
    edges = "which.one > skip, which.three > leave, which.default > w"
    bench.run(again(*body, edges=edges, condition="true", start="s"))
    assert bench.outputs()["l"] == {
        "results": ["s0", "s02", "end"],
        "count": 3,
        "last": "end",
        "limit_reached": False,
    }


CASES: Json = [{"name": "one", "equals": 1}, {"name": "three", "equals": 3}]


def test_whiles_and_loops_nest(bench: Workbench) -> None:
    nested = for_each(
        step("inner", "flow.while", {"condition": "item < loops.l.item", "start": 0}, parent="l"),
        step("add", params={"value": "{{ item + 1 }}"}, parent="inner"),
        items=[2, 0, 3],
        parallel=2,
    )
    bench.run(nested)
    lasts = [each["last"] for each in bench.outputs()["l"]["results"]]  # type: ignore[index, call-overload]
    assert lasts == [2, 0, 3]


def test_a_condition_that_cannot_be_asked_fails_its_step_by_its_policy(bench: Workbench) -> None:
    broken = plan(
        step("l", "flow.while", {"condition": "item.next"}, title="Pages", on_error=OnError.BRANCH),
        step("w", params={"value": {"no": 1}}, parent="l"),
        step("rescue", params={"value": "{{ steps.l.error.sentence }}"}),
        edges="l.error > rescue",
    )
    assert bench.run(broken).state is RunState.SUCCEEDED
    assert bench.row("l").state is StepState.FAILED
    assert "Pages" in str(bench.outputs()["rescue"])


def test_a_run_is_cancelled_in_the_middle_of_a_while(bench: Workbench) -> None:
    entered = threading.Event()
    bench.invoker.functions["block"] = lambda call: entered.set() or call.cancel.wait(PATIENCE_S)
    assert bench.engine.submit(new_run(again(step("b", "test.block", parent="l"), condition="true")))
    assert entered.wait(PATIENCE_S)
    assert bench.engine.cancel("r1")
    run = bench.engine.wait("r1", PATIENCE_S)
    assert run is not None
    assert run.state is RunState.CANCELLED
    assert bench.row("l").state is StepState.CANCELLED


def test_loops_nest_to_a_hundred_deep(bench: Workbench) -> None:
    loops = [step(f"l{depth}", "flow.loop", {"items": ["x"]}, parent=parent(depth)) for depth in range(100)]
    bench.run(plan(*loops, step("w", params={"value": "{{ loops | length }}"}, parent="l99")))
    assert bench.row("w", (0,) * 100).output == 100


def parent(depth: int) -> str | None:
    return f"l{depth - 1}" if depth else None


def test_an_iteration_is_forgotten_when_it_ends(bench: Workbench) -> None:
    alive: list[int] = []

    def count(call: Invocation) -> None:
        bench.invoker.calls.clear()  # a call knows its attempt
        if call.iteration[-1] % 100 == 99:
            alive.append(sum(isinstance(each, Walk) for each in gc.get_objects()))

    bench.invoker.functions["count"] = count
    body = [step("a", params={"value": "{{ item }}"}, parent="l"), step("b", "test.count", parent="l")]
    gc.collect()  # what earlier tests left behind
    bench.run(for_each(*body, edges="a > b", parallel=2), data=list(range(500)))
    assert len(alive) == 5
    assert max(alive) <= 8


def test_a_loop_over_a_number_names_its_step(bench: Workbench) -> None:
    run = bench.run(
        plan(step("l", "flow.loop", {"items": "{{ trigger }}"}, title="Orders"), step("w", parent="l")), data=5
    )
    assert run.failure is not None
    assert run.failure.sentence.startswith("Step “Orders”: “items” is a number; a loop needs a list")
    assert run.failure.step_id == "l"


MANY = 60_000


@pytest.mark.parametrize("parallel", [1, 1000])
def test_a_loop_whose_items_need_no_thread_lets_others_steer_it_meanwhile(bench: Workbench, parallel: int) -> None:
    idle = for_each(step("w", parent="l", disabled=True), max_iterations=MANY, parallel=parallel)
    assert bench.engine.submit(new_run(idle, data=[0] * MANY))
    until(lambda: len(bench.events) > 5000)
    assert bench.engine.pause("r1")
    until(lambda: bench.store.get("r1").state is RunState.PAUSED)
    assert bench.engine.resume("r1")
    until(lambda: bench.store.get("r1").state is RunState.RUNNING)
    assert bench.engine.cancel("r1")
    ended = bench.engine.wait("r1", PATIENCE_S)
    assert ended is not None
    assert ended.state is RunState.CANCELLED
    assert len(bench.rows()) < MANY / 2
    assert bench.row("l").state is StepState.CANCELLED


def test_a_loop_that_rested_often_gives_all_its_results(bench: Workbench) -> None:
    inner = step("i", "flow.loop", {"items": [1, 2, 3]}, parent="l")
    idle = [step("w", parent="l", disabled=True), step("x", parent="i", disabled=True)]
    bench.run(for_each(inner, *idle, max_iterations=3000, parallel=7), data=[0] * 1200)
    assert bench.outputs()["l"]["count"] == 1200
    assert len(bench.rows()) == 1200 * 5 + 1
