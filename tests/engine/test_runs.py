"""Runs from end to end: order, data, branches, loops, failures."""

import threading
from itertools import pairwise
from typing import Any

import pytest

from flowstudio.engine.events import RunEvent, StepSkipped, StepStarted, StepSucceeded
from flowstudio.engine.model import RunState, StepState
from flowstudio.engine.ports import Invocation
from flowstudio.plan.model import Json, OnError, Retry
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, refusal, step


def test_a_chain_passes_data_from_step_to_step(bench: Workbench) -> None:
    chain = plan(
        step("a", params={"value": "{{ trigger.name }}"}),
        step("b", params={"value": {"got": "{{ steps.a.output }}", "fixed": 7}}),
        step("c", params={"value": "{{ steps.b.output.got }}"}),
        edges="a > b, b > c",
    )
    run = bench.run(chain, data={"name": "Ada"})
    assert run.state is RunState.SUCCEEDED
    assert bench.outputs() == {"a": "Ada", "b": {"got": "Ada", "fixed": 7}, "c": "Ada"}


def test_a_run_without_steps_succeeds(bench: Workbench) -> None:
    assert bench.run(plan()).state is RunState.SUCCEEDED


def test_independent_branches_run_at_the_same_time(bench: Workbench) -> None:
    meeting = threading.Barrier(3)
    bench.invoker.functions["meet"] = lambda call: meeting.wait(PATIENCE_S)
    branches = plan(step("a"), *(step(name, "test.meet") for name in "bcd"), edges="a > b, a > c, a > d")
    assert bench.run(branches).state is RunState.SUCCEEDED


def test_a_step_waits_for_all_its_live_edges(bench: Workbench) -> None:
    diamond = plan(
        step("a", params={"value": 1}),
        step("b", params={"value": 2}),
        step("c", params={"value": "{{ steps.a.output }}{{ steps.b.output }}"}),
        edges="a > c, b > c",
    )
    bench.run(diamond)
    assert bench.outputs()["c"] == "12"


def test_a_branch_not_taken_is_skipped_and_shown(bench: Workbench) -> None:
    fork = plan(
        step("if", "flow.condition", {"condition": "{{ trigger.go }}"}),
        step("yes"),
        step("no"),
        step("after_no"),
        step("join"),
        edges="if.true > yes, if.false > no, no > after_no, yes > join, after_no > join",
    )
    bench.run(fork, data={"go": True})
    states = {step_id: row.state for (step_id, _), row in bench.rows().items()}
    assert states == {
        "if": StepState.SUCCEEDED,
        "yes": StepState.SUCCEEDED,
        "no": StepState.SKIPPED,
        "after_no": StepState.SKIPPED,
        "join": StepState.SUCCEEDED,
    }
    shown = {event.step_id for event in bench.events if isinstance(event, StepSkipped)}
    assert shown == {"no", "after_no"}
    assert bench.row("if").output == {"result": True}


def test_a_switch_leaves_by_its_case(bench: Workbench) -> None:
    cases: Json = [{"name": "red", "equals": "r"}, {"name": "blue", "equals": "b"}]
    fork = plan(
        step("s", "flow.switch", {"value": "{{ trigger }}", "cases": cases}),
        *(step(name) for name in ("red", "blue", "other")),
        edges="s.red > red, s.blue > blue, s.default > other",
    )
    bench.run(fork, data="b")
    assert bench.invoker.called() == ["blue"]


@pytest.mark.parametrize(("mode", "output"), [("all", {"a": [1], "b": 2}), ("append", [1, 2])])
def test_a_merge_joins_its_branches(bench: Workbench, mode: str, output: Json) -> None:
    joined = plan(
        step("a", params={"value": [1]}),
        step("b", params={"value": 2}),
        step("m", "flow.merge", {"mode": mode}),
        edges="a > m, b > m",
    )
    bench.run(joined)
    assert bench.outputs()["m"] == output


def test_a_merge_of_any_goes_on_with_the_first(bench: Workbench) -> None:
    merged = threading.Event()
    bench.invoker.functions["slow"] = lambda call: merged.wait(PATIENCE_S)
    bench.invoker.functions["mark"] = lambda call: merged.set()
    race = plan(
        step("fast", params={"value": "fast"}),
        step("slow", "test.slow"),
        step("m", "flow.merge", {"mode": "any"}),
        step("after", "test.mark"),
        edges="fast > m, slow > m, m > after",
    )
    assert bench.run(race).state is RunState.SUCCEEDED
    assert bench.outputs()["m"] == "fast"
    assert bench.invoker.called().count("after") == 1


def looped(*body: Any, edges: str = "", items: Json = "{{ trigger }}", **params: Json) -> Any:
    loop = step("l", "flow.loop", {"items": items, **params})
    end = step("end", params={"value": "{{ steps.l.output }}"})
    return plan(loop, *body, end, edges=", ".join(filter(None, ("l.done > end", edges))))


def test_a_loop_gives_results_in_item_order(bench: Workbench) -> None:
    body = step("double", params={"value": ["{{ item }}", "{{ index }}", "{{ loops.l.item }}"]}, parent="l")
    bench.run(looped(body, edges="l.body > double", parallel=4), data=["x", "y", "z"])
    results = [["x", 0, "x"], ["y", 1, "y"], ["z", 2, "z"]]
    assert bench.outputs()["end"] == {"results": results, "count": 3}
    items = next(event.items for event in bench.events if isinstance(event, StepSucceeded) and event.step_id == "l")
    assert items == 3


def test_items_run_at_the_same_time_up_to_the_limit(bench: Workbench) -> None:
    lock, at_once, most = threading.Lock(), [0], [0]
    meeting = threading.Barrier(3)

    def work(call: Invocation) -> None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        meeting.wait(PATIENCE_S)
        with lock:
            at_once[0] -= 1

    bench.invoker.functions["work"] = work
    bench.run(looped(step("w", "test.work", parent="l"), parallel=3), data=list(range(9)))
    assert most == [3]


def test_one_item_at_a_time_keeps_their_order(bench: Workbench) -> None:
    bench.run(looped(step("w", params={"value": "{{ item }}"}, parent="l")), data=list(range(20)))
    order = [call.params["value"] for call in bench.invoker.calls if call.step_id == "w"]
    assert order == list(range(20))


def test_loops_nest(bench: Workbench) -> None:
    nested = looped(
        step("inner", "flow.loop", {"items": "{{ item }}"}, parent="l"),
        step("w", params={"value": "{{ loops.l.index }}{{ index }}{{ item }}"}, parent="inner"),
        edges="l.body > inner, inner.body > w",
    )
    bench.run(nested, data=[["a", "b"], ["c"], []])
    inner = [{"results": ["00a", "01b"], "count": 2}, {"results": ["10c"], "count": 1}, {"results": [], "count": 0}]
    assert bench.outputs()["end"] == {"results": inner, "count": 3}
    assert bench.row("w", (0, 1)).output == "01b"


def test_a_body_reads_the_steps_around_its_loop(bench: Workbench) -> None:
    outer = plan(
        step("a", params={"value": "outer"}),
        step("l", "flow.loop", {"items": [1]}),
        step("w", params={"value": "{{ steps.a.output }}"}, parent="l"),
        edges="a > l, l.body > w",
    )
    bench.run(outer)
    assert bench.row("w", (0,)).output == "outer"


def test_a_loop_with_several_ends_collects_them_by_step(bench: Workbench) -> None:
    body = [step(name, params={"value": name}, parent="l") for name in ("x", "y")]
    bench.run(looped(*body), data=[1])
    assert bench.outputs()["l"] == {"results": [{"x": "x", "y": "y"}], "count": 1}


def test_an_empty_body_and_an_empty_list_are_loops_too(bench: Workbench) -> None:
    bench.run(looped(), data=[1, 2])
    assert bench.outputs()["l"] == {"results": [None, None], "count": 2}
    bench.run(looped(step("w", parent="l")), "r2", data=[])
    assert bench.outputs("r2")["l"] == {"results": [], "count": 0}


def test_items_past_the_limit_are_left_over_with_a_warning(bench: Workbench) -> None:
    bench.run(looped(step("w", parent="l"), max_iterations=2), data=[1, 2, 3])
    assert bench.outputs()["l"] == {"results": [None, None], "count": 2}
    warnings = [event.as_json() for event in bench.events if event.type == "log"]
    assert "1 items are left over" in str(warnings[0]["text"])


def test_a_loop_over_a_number_fails_with_a_sentence(bench: Workbench) -> None:
    run = bench.run(looped(step("w", parent="l")), data=5)
    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert run.failure.sentence.startswith("Step “flow.loop”: “items” is a number")


def test_a_failure_stops_the_run_and_the_rest_is_marked(bench: Workbench) -> None:
    run = bench.run(plan(step("a", "test.fail"), step("b"), edges="a > b"))
    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert (run.failure.step_id, run.failure.sentence) == ("a", "Step “test.fail”: The vendor said no.")
    assert bench.row("b").state is StepState.SKIPPED


def test_a_failure_may_go_on_with_the_error_as_output(bench: Workbench) -> None:
    chain = plan(
        step("a", "test.fail", on_error=OnError.CONTINUE),
        step("b", params={"value": "{{ steps.a.output.error.sentence }}"}),
        edges="a > b",
    )
    assert bench.run(chain).state is RunState.SUCCEEDED
    assert bench.row("a").state is StepState.FAILED
    assert bench.outputs()["b"] == "The vendor said no."


def test_a_failure_may_leave_by_the_error_port(bench: Workbench) -> None:
    fork = plan(
        step("a", "test.fail", on_error=OnError.BRANCH), step("ok"), step("rescue"), edges="a > ok, a.error > rescue"
    )
    assert bench.run(fork).state is RunState.SUCCEEDED
    assert bench.row("ok").state is StepState.SKIPPED
    assert bench.row("rescue").state is StepState.SUCCEEDED


def test_a_retryable_failure_is_tried_again(bench: Workbench) -> None:
    answers = iter([refusal(retryable=True), refusal(retryable=True, retry_after_s=0.001), "at last"])
    bench.invoker.functions["flaky"] = lambda call: next(answers)
    assert bench.run(plan(step("a", "test.flaky", retry=Retry(3, 0.001)))).state is RunState.SUCCEEDED
    assert (bench.row("a").output, bench.row("a").attempt) == ("at last", 3)
    assert len({call.idempotency_key for call in bench.invoker.calls}) == 1


@pytest.mark.logs("broke")
def test_a_broken_action_fails_its_step_and_the_engine_goes_on(
    bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.invoker.functions["broken"] = lambda call: {}["token-4711"]
    run = bench.run(plan(step("a", "test.broken", title="Ask")))
    assert run.failure is not None
    assert run.failure.code == "engine.bug"
    assert "“Ask” broke" in run.failure.sentence
    assert "4711" not in run.failure.sentence
    assert "Traceback" in caplog.text
    assert bench.run(plan(step("a")), "r2").state is RunState.SUCCEEDED


@pytest.mark.logs("journal cannot be written")
@pytest.mark.parametrize("nonsense", [object(), {1, 2}])
def test_an_output_that_is_no_json_fails_the_run_with_a_sentence_naming_the_step(
    bench: Workbench, nonsense: object
) -> None:
    bench.invoker.functions["nonsense"] = lambda call: nonsense
    run = bench.run(plan(step("odd", "test.nonsense"), step("b"), edges="odd > b"))
    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert "“odd”" in run.failure.sentence
    assert bench.run(plan(step("a")), "r2").state is RunState.SUCCEEDED


def test_a_missing_value_names_step_and_field(bench: Workbench) -> None:
    run = bench.run(
        plan(step("a", params={"value": "{{ steps.b.output.x }}"}, title="Greet"), step("b"), edges="b > a")
    )
    assert run.failure is not None
    assert "Greet" in str(run.failure)
    assert "value" in str(run.failure)


def test_a_stop_step_ends_the_run_as_it_says(bench: Workbench) -> None:
    good = plan(step("s", "flow.stop", {"message": "enough"}), step("b", "test.fail"), edges="s > b")
    assert bench.run(good).state is RunState.SUCCEEDED
    run = bench.run(plan(step("s", "flow.stop", {"success": False, "message": "Too few rows."})), "r2")
    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert (run.failure.code, run.failure.sentence) == ("engine.stopped", "Too few rows.")


def test_a_respond_step_sets_the_answer_and_the_run_goes_on(bench: Workbench) -> None:
    answer = plan(step("r", "flow.respond", {"status": 201, "body": {"ok": True}}), step("b"), edges="r > b")
    run = bench.run(answer)
    assert run.response == {"status": 201, "headers": {}, "body": {"ok": True}}
    assert bench.invoker.called() == ["b"]
    stored = bench.store.get("r1")
    assert stored.response == run.response


def test_a_disabled_step_passes_through(bench: Workbench) -> None:
    chain = plan(step("a"), step("b", "test.fail", disabled=True), step("c"), edges="a > b, b > c")
    assert bench.run(chain).state is RunState.SUCCEEDED
    assert (bench.row("b").state, bench.row("b").message) == (StepState.SKIPPED, "disabled")
    assert bench.row("c").state is StepState.SUCCEEDED


def test_the_same_id_is_run_once(bench: Workbench) -> None:
    assert bench.engine.submit(new_run(plan(step("a"))))
    assert not bench.engine.submit(new_run(plan(step("a"))))
    bench.engine.wait("r1", PATIENCE_S)
    assert bench.invoker.called() == ["a"]


def test_events_tell_the_story_in_order(bench: Workbench) -> None:
    bench.run(plan(step("a", params={"value": [1, 2]}), step("b"), edges="a > b"))
    told: list[tuple[str, str]] = [(event.type, getattr(event, "step_id", "")) for event in bench.events]
    assert told == [
        ("run started", ""),
        ("step started", "a"),
        ("step succeeded", "a"),
        ("step started", "b"),
        ("step succeeded", "b"),
        ("run ended", ""),
    ]
    items = next(event.items for event in bench.events if isinstance(event, StepSucceeded))
    assert items == 2


def test_a_result_is_durable_before_a_dependent_step_starts(bench: Workbench) -> None:
    seen: list[bool] = []

    def look(event: RunEvent) -> None:
        if isinstance(event, StepStarted) and event.step_id != "s0":
            before = f"s{int(event.step_id[1:]) - 1}"
            seen.append((before, ()) in bench.rows())

    bench.engine.close()
    bench.events = Listener(look)  # type: ignore[assignment]
    bench.open()
    names = [f"s{number}" for number in range(20)]
    edges = ", ".join(f"{a} > {b}" for a, b in pairwise(names))
    bench.run(plan(*(step(name) for name in names), edges=edges))
    assert seen == [True] * 19


class Listener:
    def __init__(self, append: Any) -> None:
        self.append = append


@pytest.mark.logs("broke")
def test_an_action_that_leaves_the_interpreter_leaves_its_step_only(bench: Workbench) -> None:
    def leave(call: Invocation) -> None:
        raise SystemExit(3)

    bench.invoker.functions["leave"] = leave
    run = bench.run(plan(step("a", "test.leave")))
    assert run.failure is not None
    assert run.failure.code == "engine.bug"
    assert bench.run(plan(step("a")), "r2").state is RunState.SUCCEEDED


def test_what_a_failure_leaves_undone_says_that_the_run_ended(bench: Workbench) -> None:
    bench.run(plan(step("a", "test.fail"), step("b"), step("c"), edges="a > b, b > c"))
    assert {bench.row(step_id).message for step_id in ("b", "c")} == {"the run ended before it"}
