"""What a plan can do: decide, repeat, join, try again, go on after a failure, stop.

What is proven here, in the product's words: steps whose inputs are ready run in parallel · a step waits for all its
live incoming edges, dead branches are skipped and shown as skipped · condition, switch, loop (a container with a body,
nested loops, an iteration limit), merge · retry with exponential backoff, time limit, on-error stop/continue/branch,
cancel.
"""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faces import CommandLine, Server
from plans import Document, chain, flow, save, step
from vendor import Vendor

Run = Callable[..., "Done"]


class Done:
    """What came of a run. Its log names steps by their place in the plan, loops by one line an iteration."""

    def __init__(self, plan: Document, execution: dict[str, Any]) -> None:
        self.execution = execution
        self.lines: dict[str, list[dict[str, Any]]] = {each["id"]: [] for each in plan["steps"]}
        for line in execution["logs"]:
            self.lines[line["step_id"]].append(line)

    def outputs(self, step_id: str) -> list[Any]:
        return [line["output"] for line in self.lines[step_id]]

    def states(self) -> dict[str, str]:
        """One state a step that was heard of; of a loop's body that of its last iteration."""
        return {name: lines[-1]["status"] for name, lines in self.lines.items() if lines}


@pytest.fixture
def run(shared: Server) -> Run:
    """Stores a plan, executes it and gives what came of it."""

    def execute(plan: Document, data: Any = None, status: str = "success") -> Done:
        stored = shared.post("/api/execution-plans", {"name": plan["name"], "plan_json": plan}, 201)
        asked = {"execution_plan_id": stored["id"], "trigger_data": data}
        done = Done(plan, shared.post("/api/execute-plan", asked))
        assert done.execution["status"] == status, done.execution
        return done

    return execute


def say(step_id: str, text: Any, **keys: Any) -> Document:
    return step(step_id, "logic", "transform", template=text, **keys)


def get(step_id: str, url: str, **keys: Any) -> Document:
    return step(step_id, "http", "get", url=url, **keys)


@pytest.mark.parametrize(("age", "taken", "left"), [(20, "yes", "no"), (3, "no", "yes")])
def test_a_condition_takes_one_way_and_the_other_is_skipped(run: Run, age: int, taken: str, left: str) -> None:
    steps = [
        step("adult", "flow", "condition", condition="{{ trigger.age >= 18 }}"),
        say("yes", "come in"),
        say("no", "go home"),
        say("after_no", "good night"),
    ]
    done = run(flow("door", steps, "adult.true > yes", "adult.false > no", "no > after_no"), {"age": age})
    states = done.states()
    assert (states[taken], states[left]) == ("success", "skipped")
    assert states["after_no"] == states["no"]


def test_a_switch_leaves_by_the_case_that_is_equal_or_by_otherwise(run: Run) -> None:
    cases = [{"name": "red", "equals": "r"}, {"name": "blue", "equals": "b"}]
    steps = [
        step("colour", "flow", "switch", value="{{ trigger.c }}", cases=cases),
        say("stop", "stop"),
        say("sail", "sail"),
        say("think", "think"),
    ]
    plan = flow("lights", steps, "colour.red > stop", "colour.blue > sail", "colour.default > think")
    assert run(plan, {"c": "b"}).states() == _taken("sail")
    assert run(plan, {"c": "x"}).states() == _taken("think")


def _taken(name: str) -> dict[str, str]:
    return {"colour": "success"} | {
        each: "success" if each == name else "skipped" for each in ("stop", "sail", "think")
    }


def test_loops_nest_and_give_their_results_in_order(run: Run) -> None:
    steps = [
        step("rows", "flow", "loop", items=[1, 2, 3]),
        step(
            "columns", "flow", "loop", parent="rows", items="{{ range(item * 10, item * 10 + 2) | list }}", parallel=4
        ),
        say("cell", "{{ loops.rows.item }}:{{ item }}@{{ index }}", parent="columns"),
        say("all", "{{ steps.rows.output.results }}"),
    ]
    done = run(flow("grid", steps, "rows.body > columns", "columns.body > cell", "rows.done > all"))
    rows = done.outputs("all")[0]
    assert [row["results"] for row in rows] == [["1:10@0", "1:11@1"], ["2:20@0", "2:21@1"], ["3:30@0", "3:31@1"]]
    assert len(done.lines["cell"]) == 6


def test_a_loop_keeps_to_its_limit_and_says_so(cli: CommandLine, tmp_path: Path) -> None:
    steps = [
        step("each", "flow", "loop", items=[*range(50)], max_iterations=7),
        say("one", "{{ item }}", parent="each"),
    ]
    answer = cli("run", save(tmp_path, flow("limited", steps, "each.body > one")), "--json")
    assert [line["output"] for line in answer.json["logs"] if line["step_id"] == "one"] == [*range(7)]
    assert "43 items are left over" in answer.err


def test_a_merge_waits_for_the_live_branches_only(run: Run) -> None:
    steps = [
        say("start", "x"),
        say("left", "l"),
        step("maybe", "flow", "condition", condition="{{ false }}"),
        say("right", "r"),
        step("both", "flow", "merge", mode="all"),
        say("end", "{{ steps.both.output }}"),
    ]
    wires = ("start > left", "start > maybe", "maybe.true > right", "left > both", "right > both", "both > end")
    done = run(flow("join", steps, *wires))
    assert done.outputs("end") == [{"left": "l"}]
    assert done.states()["right"] == "skipped"


def test_a_merge_chains_lists(run: Run) -> None:
    steps = [say("a", [1, 2]), say("b", [3]), step("all", "flow", "merge", mode="append")]
    assert run(flow("chain", steps, "a > all", "b > all")).outputs("all") == [[1, 2, 3]]


def test_branches_really_run_at_the_same_time(cli: CommandLine, vendor: Vendor, tmp_path: Path) -> None:
    """The vendor answers neither before it has both."""
    vendor.held = {"left", "right"}
    steps = [say("start", "x"), get("left", vendor.url("left")), get("right", vendor.url("right")), say("end", "done")]
    wires = ("start > left", "start > right", "left > end", "right > end")
    process = cli.start("run", save(tmp_path, flow("fork", steps, *wires)))
    try:
        vendor.wait_for("left")
        vendor.wait_for("right")
    finally:
        vendor.release()
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, out


def test_a_failing_step_is_tried_again_after_growing_pauses(cli: CommandLine, vendor: Vendor, tmp_path: Path) -> None:
    url = vendor.answers("shaky", (503, {}), (503, {}), (200, {"ok": True}))
    retry = {"tries": 3, "delay_s": 0.2, "backoff": "exponential", "jitter": False}
    answer = cli("run", save(tmp_path, chain("retry", get("ask", url, retry=retry))))
    assert answer.code == 0, answer.text
    assert vendor.ledger["shaky"] == 3
    assert [line for line in answer.out.splitlines() if "again in 0.2 s" in line]
    assert [line for line in answer.out.splitlines() if "again in 0.4 s" in line]


def test_tries_come_to_an_end(run: Run, vendor: Vendor) -> None:
    url = vendor.answers("broken", (500, {}))
    done = run(chain("retry", get("ask", url, retry={"tries": 3, "delay_s": 0.05})), status="failed")
    assert vendor.ledger["broken"] == 3
    assert done.execution["status"] == "failed"
    assert "500" in done.execution["error_message"]


def test_what_will_not_get_better_is_not_tried_again(run: Run, vendor: Vendor) -> None:
    url = vendor.answers("gone", (404, {}))
    run(chain("retry", get("ask", url, retry={"tries": 5, "delay_s": 0.05})), status="failed")
    assert vendor.ledger["gone"] == 1


def test_on_error_stop_ends_the_run(run: Run, vendor: Vendor) -> None:
    done = run(chain("stop", get("ask", vendor.answers("bad", (500, {}))), say("next", "never")), status="failed")
    assert done.states()["ask"] == "failed"
    assert "success" not in done.states().values()


def test_on_error_continue_hands_the_error_to_the_next_step(run: Run, vendor: Vendor) -> None:
    ask = get("ask", vendor.answers("bad", (500, {})), on_error="continue")
    done = run(chain("go on", ask, say("next", "{{ steps.ask.output.error.sentence }}")))
    assert done.execution["status"] == "success"
    assert "500" in done.outputs("next")[0]


def test_on_error_branch_takes_the_error_way(run: Run, vendor: Vendor) -> None:
    ask = get("ask", vendor.answers("bad", (500, {})), on_error="branch")
    steps = [ask, say("good", "fine"), say("bad", "caught")]
    done = run(flow("catch", steps, "ask > good", "ask.error > bad"))
    assert done.states() == {"ask": "failed", "good": "skipped", "bad": "success"}
    assert done.execution["status"] == "success"


def test_a_step_in_a_loop_that_fails_by_branch_does_not_stop_the_others(run: Run, vendor: Vendor) -> None:
    vendor.answers("2", (500, {}))
    steps = [
        step("each", "flow", "loop", items=["1", "2", "3"]),
        get("ask", vendor.url("{{ item }}"), parent="each", on_error="continue"),
        say("told", "{{ 'bad' if steps.ask.error else steps.ask.output.name }}", parent="each"),
    ]
    done = run(flow("some", steps, "each.body > ask", "ask > told"))
    assert done.outputs("told") == ["1", "bad", "3"]


def test_a_step_past_its_time_limit_fails(run: Run, vendor: Vendor) -> None:
    vendor.held.add("slow")
    done = run(chain("limit", get("ask", vendor.url("slow"), title="Ask", timeout_s=0.4)), status="failed")
    assert "0.4 s" in done.execution["error_message"]


def test_ctrl_c_cancels_a_blocked_run_at_once(cli: CommandLine, vendor: Vendor, tmp_path: Path) -> None:
    vendor.held.add("slow")
    plan = save(tmp_path, chain("cancel", get("ask", vendor.url("slow"), title="Ask"), say("next", "never")))
    process = cli.start("run", plan)
    vendor.wait_for("slow")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=5)
    assert process.returncode == 130, out
    assert "stopped" in out
    assert "Traceback" not in out


def test_twenty_waits_beside_each_other_last_no_longer_than_one(run: Run) -> None:
    waits = [step(f"w{number}", "wait", "duration", seconds=0.5) for number in range(20)]
    started = time.monotonic()
    done = run(flow("nap", [*waits, say("end", "up")], *(f"{each['id']} > end" for each in waits)))
    assert 0.5 <= time.monotonic() - started < 5
    assert done.outputs("end") == ["up"]


def test_a_stop_step_ends_the_whole_run_with_its_own_words(run: Run) -> None:
    steps = [
        say("first", "x"),
        step("enough", "flow", "stop", success=False, message="No orders today."),
        step("long", "wait", "duration", seconds=60),
        say("next", "never"),
    ]
    done = run(flow("stop", steps, "first > enough", "first > long", "long > next"), status="failed")
    assert done.execution["error_message"] == "No orders today."
    assert done.states()["next"] == "skipped"
