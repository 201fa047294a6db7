"""What a webhook is answered when several steps respond: the first one, wherever it stands, and the run goes on."""

from typing import Any
from uuid import uuid4

from faces import Server
from plans import Document, chain, flow, step
from polling import until
from test_calls import call, ended, say, steps_of, store
from vendor import Vendor


def answers(step_id: str, body: Any, status: int = 200, **keys: Any) -> Document:
    return step(step_id, "flow", "respond", status=status, body=body, **keys)


def sent_to(server: Server, plan: Document, data: Any = None) -> tuple[int, Any, str]:
    """Status and body that a webhook of the plan is answered with, and the id of the run."""
    path = uuid4().hex
    hook = {"id": "hook", "kind": "webhook", "config": {"webhook_path": path}}
    plan_id = store(server, {**plan, "triggers": [hook]})
    answer = server.request("POST", f"/api/webhook/{path}", json=data)
    run_id = server.get(f"/api/runs?plan_id={plan_id}")["runs"][0]["id"]
    return answer.status_code, answer.json(), run_id


def test_of_several_answers_the_first_leaves_and_the_others_only_run(shared: Server, vendor: Vendor) -> None:
    late = step("late", "http", "get", url=vendor.url("late"))
    vendor.held.add("late")
    plan = chain("Two answers", answers("one", {"n": 1}, 201), late, answers("two", {"n": 2}, 202))
    status, body, run_id = sent_to(shared, plan)
    assert (status, body) == (201, {"n": 1})
    vendor.wait_for("late")
    vendor.release()
    run = ended(shared, run_id)
    assert (run["answer"]["status"], run["answer"]["body"]) == (201, {"n": 1})
    assert steps_of(shared, run_id)["two"]["output"]["body"] == {"n": 2}


def test_the_branch_that_was_taken_answers(shared: Server) -> None:
    plan = flow(
        "Yes or no",
        [
            step("ask", "flow", "condition", condition="{{ trigger.body.ok }}"),
            answers("yes", ["yes"]),
            answers("no", ["no"], 403),
        ],
        "ask.true > yes",
        "ask.false > no",
    )
    assert sent_to(shared, plan, {"ok": True})[:2] == (200, ["yes"])
    assert sent_to(shared, plan, {"ok": False})[:2] == (403, ["no"])


def test_in_a_loop_the_first_item_that_responds_answers(shared: Server) -> None:
    plan = flow(
        "First of all",
        [
            step("each", "flow", "loop", items=[1, 2, 3]),
            step("big", "flow", "condition", condition="{{ item >= 2 }}", parent="each"),
            answers("found", "{{ item }}", 207, parent="each"),
            say("after", "{{ steps.each.output.count }}"),
        ],
        "each.body > big",
        "big.true > found",
        "each.done > after",
    )
    status, body, run_id = sent_to(shared, plan)
    assert (status, body) == (207, 2)
    ended(shared, run_id)
    assert steps_of(shared, run_id)["found@2"]["output"]["body"] == 3
    assert steps_of(shared, run_id)["after"]["output"] == 3


def test_in_a_while_the_turn_that_responds_answers(shared: Server) -> None:
    plan = flow(
        "Counting",
        [
            step("turns", "flow", "while", condition="{{ index < 3 }}", start=0),
            answers("turn", "{{ index }}", parent="turns"),
        ],
        "turns.body > turn",
    )
    status, body, run_id = sent_to(shared, plan)
    assert (status, body) == (200, 0)
    ended(shared, run_id)
    assert steps_of(shared, run_id)["turns"]["output"]["count"] == 3


def test_a_called_plan_that_responds_answers_its_caller_and_not_the_webhook(shared: Server) -> None:
    called = store(shared, chain("Called", answers("inner", {"from": "called"}, 418), say("more", "said")))
    plan = chain("Caller", call("ask", called), answers("outer", "{{ steps.ask.output }}"))
    status, body, run_id = sent_to(shared, plan)
    assert (status, body) == (200, {"from": "called"})
    ended(shared, run_id)


def test_a_plan_called_in_a_loop_answers_each_item_for_itself(shared: Server) -> None:
    called = store(shared, chain("Doubles", answers("inner", "{{ trigger.n }}")))
    plan = flow(
        "Caller",
        [
            step("each", "flow", "loop", items=[5, 6, 7], parallel=3),
            call("ask", called, {"n": "{{ item }}"}, parent="each"),
            answers("all", "{{ steps.each.output.results }}"),
        ],
        "each.body > ask",
        "each.done > all",
    )
    assert sent_to(shared, plan)[:2] == (200, [5, 6, 7])


def test_the_answer_is_kept_when_the_run_fails_later(shared: Server) -> None:
    plan = chain("Fails later", answers("first", ["fine"]), step("end", "flow", "stop", success=False, message="no"))
    status, body, run_id = sent_to(shared, plan)
    assert (status, body) == (200, ["fine"])
    run = until(lambda: shared.get(f"/api/runs/{run_id}"), lambda run: run["state"] == "failed")
    assert run["answer"]["body"] == ["fine"]
