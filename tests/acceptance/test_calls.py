"""Runs that wait for a call, run other plans, run when others fail, and answer before their end.

What is proven here, in the product's words: wait until a webhook call resumes it: the run holds no thread while it
waits, and survives a restart · sub-plan call with inputs and outputs and a depth limit · error plan (a plan that runs
when another fails, with its run as input) · respond (sets a webhook's answer, the run goes on) · stop with success or
a message · a plan may have several triggers; each run knows which started it. Everything through the API.
"""

import json
import threading
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests
from conftest import Serve
from faces import Server
from plans import Document, chain, flow, step
from polling import until
from vendor import Vendor

FINAL = ("succeeded", "failed", "cancelled")


def store(server: Server, plan: Document) -> str:
    return str(server.post("/api/execution-plans", {"name": plan["name"], "plan_json": plan}, 201)["id"])


def start(server: Server, plan: Document, data: Any = None) -> str:
    """Stores the plan and starts a run of it; the run's id."""
    asked = {"execution_plan_id": store(server, plan), "trigger_data": data}
    return str(server.post("/api/execute-plan?wait=false", asked, 202)["id"])


def run_of(server: Server, run_id: str) -> Any:
    return server.get(f"/api/runs/{run_id}")


def in_state(server: Server, run_id: str, *states: str) -> Any:
    return until(lambda: run_of(server, run_id), lambda run: run["state"] in states)


def ended(server: Server, run_id: str, state: str = "succeeded") -> Any:
    run = in_state(server, run_id, *FINAL)
    assert run["state"] == state, run
    return run


def steps_of(server: Server, run_id: str) -> dict[str, Any]:
    """By step id, and "id@iteration" inside loops."""
    rows = server.get(f"/api/runs/{run_id}/steps")["steps"]
    return {f"{row['step_id']}@{row['iteration']}" if row["iteration"] else row["step_id"]: row for row in rows}


def runs(server: Server, **conditions: Any) -> list[Any]:
    found = server.get("/api/runs?limit=1000")["runs"]
    return [run for run in found if all(run[name] == value for name, value in conditions.items())]


def say(step_id: str, text: Any, **keys: Any) -> Document:
    return step(step_id, "logic", "transform", template=text, **keys)


def get(step_id: str, url: str, **keys: Any) -> Document:
    return step(step_id, "http", "get", url=url, **keys)


def post(step_id: str, url: str, body: Any = None) -> Document:
    return step(step_id, "http", "request", method="POST", url=url, json=body)


def hear(step_id: str = "hear", timeout_s: Any = None, **keys: Any) -> Document:
    """A step that waits for a call."""
    document = step(step_id, "wait", "webhook", **keys)
    document["params"] |= {} if timeout_s is None else {"timeout_s": timeout_s}
    return document


def call(step_id: str, plan_id: str, inputs: Any = None, **keys: Any) -> Document:
    """A step that runs another plan."""
    return step(step_id, "flow", "subplan", plan=plan_id, inputs=inputs, **keys)


def threads(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))


# Wait for a call


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_call_by_any_method_is_the_output_of_the_step_that_waits(shared: Server, method: str) -> None:
    run_id = start(shared, chain("Approval", hear(), say("said", "{{ steps.hear.output.query.by }}")))
    address = in_state(shared, run_id, "waiting")["resume_url"]

    answer = requests.request(method, f"{address}?by=Ada", headers={"X-Level": "7"}, json={"ok": True}, timeout=30)

    assert (answer.status_code, answer.json()["step"]) == (200, "hear")
    ended(shared, run_id)
    heard = steps_of(shared, run_id)["hear"]["output"]
    assert (heard["method"], heard["body"], heard["query"]) == (method, {"ok": True}, {"by": "Ada"})
    assert heard["headers"]["X-Level"] == "7"
    assert steps_of(shared, run_id)["said"]["output"] == "Ada"


def test_the_resume_address_can_be_sent_in_an_earlier_step(shared: Server, vendor: Vendor) -> None:
    ask = post("ask", vendor.url("mail"), {"link": "{{ run.resume_url }}"})
    run_id = start(shared, chain("Ask first", ask, hear()))
    in_state(shared, run_id, "waiting")
    (_, sent) = vendor.bodies[0]
    assert requests.get(json.loads(sent)["link"], timeout=30).status_code == 200
    ended(shared, run_id)


def test_a_wrong_address_is_404_and_a_run_that_does_not_wait_is_409(shared: Server) -> None:
    run_id = start(shared, chain("Once", hear()))
    address = in_state(shared, run_id, "waiting")["resume_url"]
    assert requests.post(address + "x", timeout=30).status_code == 404
    assert requests.post(f"{address}/nobody", timeout=30).status_code == 409
    assert requests.post(address, timeout=30).status_code == 200
    ended(shared, run_id)
    again = requests.post(address, timeout=30)
    assert (again.status_code, again.json()["code"]) == (409, "engine.not_waiting")
    assert "resume_url" not in run_of(shared, run_id)


def test_of_several_waiting_steps_the_address_names_one(shared: Server) -> None:
    run_id = start(
        shared, flow("Two keys", [hear("left"), hear("right"), say("both", "open")], "left > both", "right > both")
    )
    address = in_state(shared, run_id, "waiting")["resume_url"]
    until(lambda: steps_of(shared, run_id), lambda rows: len(rows) == 2)

    unclear = requests.post(address, timeout=30)
    assert unclear.status_code == 409
    assert "left, right" in unclear.json()["error"]
    assert requests.post(f"{address}/left", timeout=30).json()["step"] == "left"
    assert requests.post(address, timeout=30).json()["step"] == "right"
    ended(shared, run_id)


def test_inside_loops_the_address_names_the_iteration(shared: Server) -> None:
    loop = step("each", "flow", "loop", items=["a", "b", "c"], parallel=3)
    run_id = start(shared, flow("Round", [loop, hear(parent="each")], "each.body > hear"))
    until(lambda: steps_of(shared, run_id), lambda rows: len(rows) == 3)
    address = run_of(shared, run_id)["resume_url"]
    for index, said in [(2, "z"), (0, "x"), (1, "y")]:
        answer = requests.post(f"{address}/hear?iteration={index}", json=said, timeout=30)
        assert answer.status_code == 200, answer.text
    ended(shared, run_id)
    assert [each["body"] for each in steps_of(shared, run_id)["each"]["output"]["results"]] == ["x", "y", "z"]
    assert requests.post(f"{address}/hear?iteration=first", timeout=30).status_code == 400


def test_nobody_calls_in_time_and_the_step_fails_by_its_own_rule(shared: Server) -> None:
    plan = flow(
        "Late",
        [hear(timeout_s=0.2, on_error="branch"), say("late", "{{ steps.hear.output.error.sentence }}")],
        "hear.error > late",
    )
    run_id = start(shared, plan)
    ended(shared, run_id)
    assert "waited 0.2 s for a call" in steps_of(shared, run_id)["late"]["output"]


def test_a_killed_process_waits_on_and_a_heard_call_is_never_lost(serve: Serve, vendor: Vendor) -> None:
    server = serve()
    vendor.held.add("slow")
    run_id = start(
        server, chain("Patience", get("first", vendor.url("first")), hear(), get("slow", vendor.url("slow")))
    )
    key = in_state(server, run_id, "waiting")["resume_url"].rpartition("/")[2]
    server.kill()

    server = serve()
    in_state(server, run_id, "waiting")
    assert server.post(f"/api/resume/{key}", {"n": 1})["step"] == "hear"
    server.kill()

    vendor.release()
    server = serve()
    ended(server, run_id)
    assert steps_of(server, run_id)["hear"]["output"]["body"] == {"n": 1}
    assert vendor.ledger["first"] == 1


def test_a_paused_run_keeps_the_call_and_a_cancelled_one_refuses_it(shared: Server) -> None:
    run_id = start(shared, chain("Steered", hear(), say("after", "x")))
    address = in_state(shared, run_id, "waiting")["resume_url"]
    shared.post(f"/api/runs/{run_id}/pause", {})
    in_state(shared, run_id, "paused")
    assert requests.post(address, timeout=30).status_code == 200
    assert run_of(shared, run_id)["state"] == "paused"
    shared.post(f"/api/runs/{run_id}/resume", {})
    ended(shared, run_id)

    run_id = start(shared, chain("Ended", hear()))
    address = in_state(shared, run_id, "waiting")["resume_url"]
    shared.post(f"/api/runs/{run_id}/cancel", {})
    ended(shared, run_id, "cancelled")
    assert requests.post(address, timeout=30).status_code == 409


# Sub-plans


def test_a_plan_runs_as_a_step_with_inputs_and_a_result(shared: Server) -> None:
    child = store(shared, chain("Double", say("out", "{{ trigger.n * 2 }}")))
    run_id = start(
        shared,
        chain("Caller", call("double", child, {"n": "{{ trigger.n }}"}), say("said", "{{ steps.double.output }}")),
        {"n": 21},
    )
    ended(shared, run_id)
    assert steps_of(shared, run_id)["said"]["output"] == 42
    (run,) = runs(shared, plan_id=child)
    assert run["parent"] == {"run_id": run_id, "step_id": "double", "iteration": ""}
    assert run["trigger"] == {"kind": "plan", "id": None, "data": {"n": 21}}


def test_what_the_called_plan_responds_is_the_result(shared: Server) -> None:
    answer = step("answer", "flow", "respond", status=201, body={"id": 7})
    child = store(shared, chain("Answering", answer, say("rest", "not this")))
    run_id = start(shared, chain("Caller", call("ask", child)))
    ended(shared, run_id)
    assert steps_of(shared, run_id)["ask"]["output"] == {"id": 7}


def test_a_failed_plan_fails_the_step_that_called_it(shared: Server) -> None:
    child = store(shared, chain("Failing", step("no", "flow", "stop", success=False, message="Out of stock.")))
    run_id = start(shared, chain("Caller", call("try", child)))
    assert "Out of stock." in ended(shared, run_id, "failed")["failure"]["sentence"]
    plan = flow("Careful", [call("try", child, on_error="branch"), say("else", "sorry")], "try.error > else")
    ended(shared, start(shared, plan))


def test_a_plan_that_calls_itself_comes_to_its_limit(shared: Server) -> None:
    plan = chain("Mirror", call("again", "none yet"))
    plan_id = store(shared, plan)
    plan["steps"][0]["params"]["plan"] = plan_id
    assert shared.request("PUT", f"/api/execution-plans/{plan_id}", json={"plan_json": plan}).status_code == 200
    run = shared.post("/api/execute-plan", {"execution_plan_id": plan_id})
    assert run["status"] == "failed"
    assert "more than 10 deep" in run["error_message"]
    assert len(runs(shared, plan_id=plan_id)) == 11


def test_a_plan_that_does_not_exist_is_a_sentence(shared: Server) -> None:
    run = ended(shared, start(shared, chain("Lost", call("try", "no such plan"))), "failed")
    assert "There is no plan with the id “no such plan”" in run["failure"]["sentence"]


def test_a_called_plan_that_cannot_run_fails_the_step_with_every_reason_and_nothing_of_it_runs(
    shared: Server, vendor: Vendor
) -> None:
    broken = chain(
        "Broken", get("reach", vendor.url("reach")), step("odd", "slack", "send_mesage"), step("no", "flow", "loop")
    )
    run_id = start(shared, chain("Calls it", call("ask", store(shared, broken)), say("after", "never")))
    failure = ended(shared, run_id, "failed")["failure"]
    assert (failure["code"], failure["step_id"]) == ("workspace.not_runnable", "ask")
    assert "“Broken” cannot run yet" in failure["sentence"]
    assert "[odd.action]" in failure["sentence"]
    assert "[no.items]" in failure["sentence"]
    assert vendor.ledger == {}
    assert runs(shared, plan_name="Broken") == []


def test_an_error_plan_that_cannot_run_leaves_a_line_that_says_why(shared: Server) -> None:
    broken = store(shared, chain("Broken alarm", step("odd", "slack", "send_mesage")))
    failing = chain("Fails", step("end", "flow", "stop", success=False), settings={"error_plan": broken})
    run_id = start(shared, failing)
    ended(shared, run_id, "failed")
    lines = until(lambda: shared.get(f"/api/runs/{run_id}/log?level=warning")["lines"], bool)
    assert "[odd.action]" in lines[-1]["text"]
    assert runs(shared, plan_name="Broken alarm") == []


def test_killed_while_a_called_plan_runs_it_is_not_run_twice(serve: Serve, vendor: Vendor) -> None:
    server = serve()
    vendor.held.add("held")
    child = store(
        server, chain("Child", post("paid", vendor.url("paid")), get("held", vendor.url("held")), say("out", "done"))
    )
    run_id = start(server, chain("Parent", call("sub", child), say("said", "{{ steps.sub.output }}")))
    vendor.wait_for("held")
    server.kill()

    server = serve()
    vendor.wait_for("held", times=2)
    server.kill()

    vendor.release()
    server = serve()
    ended(server, run_id)
    assert steps_of(server, run_id)["said"]["output"] == "done"
    assert len(runs(server, plan_id=child)) == 1
    assert vendor.ledger["paid"] == 1


def test_cancel_pause_and_resume_reach_the_called_runs(shared: Server, vendor: Vendor) -> None:
    vendor.held.add("held")
    inner = store(shared, chain("Inner", get("held", vendor.url("held")), say("out", "x")))
    outer = store(shared, chain("Outer", call("inner", inner)))
    run_id = start(shared, chain("Top", call("outer", outer)))
    vendor.wait_for("held")
    states = lambda: [run["state"] for plan in (outer, inner) for run in runs(shared, plan_id=plan)]  # noqa: E731

    shared.post(f"/api/runs/{run_id}/pause", {})
    vendor.release()
    until(states, lambda seen: seen == ["paused", "paused"])
    shared.post(f"/api/runs/{run_id}/resume", {})
    ended(shared, run_id)

    vendor.held.add("again")
    inner = store(shared, chain("Inner", hear()))
    outer = store(shared, chain("Outer", call("inner", inner)))
    run_id = start(shared, chain("Top", call("outer", outer)))
    until(states, lambda seen: seen == ["waiting", "waiting"])
    shared.post(f"/api/runs/{run_id}/cancel", {})
    ended(shared, run_id, "cancelled")
    until(states, lambda seen: seen == ["cancelled", "cancelled"])


def test_a_thousand_called_runs_at_once_hold_no_thread(serve: Serve) -> None:
    server = serve()
    child = store(server, chain("Napping", hear(), say("out", "{{ trigger }}")))
    loop = step("each", "flow", "loop", items="{{ trigger }}", parallel=1000)
    plan = flow("Crowd", [loop, call("sub", child, "{{ item }}", parent="each")], "each.body > sub")
    before = threads(server)
    run_id = start(server, plan, list(range(1000)))
    waiting = until(
        lambda: server.get(f"/api/runs?plan_id={child}&state=waiting&limit=1000")["runs"],
        lambda it: len(it) == 1000,
        120,
    )
    assert threads(server) <= before + 200  # the pool's 128 and what answers requests

    key_of = {run["id"]: run_of(server, run["id"])["resume_url"] for run in waiting}
    for address in key_of.values():
        assert server.http.post(address, timeout=60).status_code == 200
    ended(server, run_id)
    assert steps_of(server, run_id)["each"]["output"]["results"] == list(range(1000))


# Error plans


def failing(error_plan: str, **keys: Any) -> Document:
    stop = step("no", "flow", "stop", success=False, message="Out of stock.")
    return chain("Shop", stop, settings={"error_plan": error_plan}, **keys)


def test_when_a_run_fails_its_error_plan_runs_with_it(shared: Server) -> None:
    error_plan = store(
        shared, chain("Alarm", say("told", "{{ trigger.plan.name }}: {{ trigger.run.failure.sentence }}"))
    )
    run_id = start(shared, failing(error_plan), {"item": 7})
    ended(shared, run_id, "failed")
    (alarm,) = until(lambda: runs(shared, plan_id=error_plan), lambda it: bool(it) and it[0]["state"] == "succeeded")
    assert (alarm["id"], alarm["trigger"]["kind"]) == (f"error:{run_id}", "error")
    told = alarm["trigger"]["data"]["run"]
    assert (told["id"], told["state"], told["trigger"]["data"]) == (run_id, "failed", {"item": 7})
    assert "Shop: " in steps_of(shared, alarm["id"])["told"]["output"]
    assert "Out of stock." in steps_of(shared, alarm["id"])["told"]["output"]


def test_an_error_plan_that_fails_starts_nothing(shared: Server) -> None:
    plan = failing("none yet")
    plan_id = store(shared, plan)
    plan["settings"]["error_plan"] = plan_id  # its own
    shared.request("PUT", f"/api/execution-plans/{plan_id}", json={"plan_json": plan})
    shared.post("/api/execute-plan", {"execution_plan_id": plan_id})
    found = until(
        lambda: runs(shared, plan_id=plan_id), lambda it: len(it) >= 2 and all(r["state"] == "failed" for r in it)
    )
    assert sorted(run["trigger"]["kind"] for run in found) == ["error", "manual"]


def test_a_missing_error_plan_leaves_a_line(shared: Server) -> None:
    run_id = start(shared, failing("gone"))
    ended(shared, run_id, "failed")
    lines = shared.get(f"/api/runs/{run_id}/log")["lines"]
    assert [line["level"] for line in lines if "The error plan “gone” does not exist" in line["text"]] == ["warning"]


# Respond, stop, triggers


def test_the_answer_leaves_at_once_and_the_run_goes_on(shared: Server, vendor: Vendor) -> None:
    vendor.held.add("long")
    answer = step("answer", "flow", "respond", status=202, headers={"X-Order": "7"}, body={"taken": True})
    second = step("second", "flow", "respond", body="too late")
    plan = chain("Order", answer, get("long", vendor.url("long")), second, triggers=[hook("orders")])
    store(shared, plan)
    got = shared.request("POST", "/api/webhook/orders", json={})
    assert (got.status_code, got.headers["X-Order"], got.json()) == (202, "7", {"taken": True})
    (run,) = runs(shared, plan_name="Order")
    assert run["state"] == "running"
    vendor.release()
    assert ended(shared, run["id"])["answer"]["body"] == {"taken": True}


def hook(path: str, trigger_id: str = "") -> Document:
    return {"id": trigger_id or f"hook_{path}", "kind": "webhook", "config": {"webhook_path": path}}


def test_each_run_knows_which_of_its_plans_triggers_started_it(shared: Server) -> None:
    schedule = {"id": "nightly", "kind": "schedule", "config": {"cron_expression": "0 3 * * *"}}
    plan = chain("Many doors", say("out", "x"), triggers=[hook("front"), hook("back"), schedule])
    plan_id = store(shared, plan)
    for path in ("front", "back"):
        assert shared.request("POST", f"/api/webhook/{path}").status_code == 200
    shared.post("/api/execute-plan", {"execution_plan_id": plan_id})
    found = [(run["trigger"]["kind"], run["trigger"]["id"]) for run in runs(shared, plan_id=plan_id)]
    assert sorted(found, key=str) == [("manual", None), ("webhook", "hook_back"), ("webhook", "hook_front")]
    jobs = shared.get("/api/scheduler/jobs")
    assert any(plan_id in job["id"] for job in jobs["jobs"])


def test_stop_ends_the_run_as_success_or_with_its_message(shared: Server) -> None:
    steps = [step("end", "flow", "stop", success=True, message="Nothing to do."), hear(), say("never", "x")]
    run_id = start(shared, flow("Enough", steps, "hear > never"))
    ended(shared, run_id)
    rows = steps_of(shared, run_id)
    assert (rows["end"]["message"], rows["never"]["state"]) == ("Nothing to do.", "skipped")
    bad = chain("Broken", step("end", "flow", "stop", success=False, message="No stock."))
    assert "No stock." in ended(shared, start(shared, bad), "failed")["failure"]["sentence"]


@pytest.mark.slow
def test_a_run_of_the_clock_knows_its_schedule_beside_two_webhooks(serve: Serve) -> None:
    server = serve()
    schedule = {"id": "minutely", "kind": "schedule", "config": {"cron_expression": "* * * * *", "timezone": "UTC"}}
    plan_id = store(server, chain("Doors", say("out", "x"), triggers=[hook("front"), schedule, hook("back")]))
    server.request("POST", "/api/webhook/back")
    found = until(lambda: runs(server, plan_id=plan_id), lambda it: len(it) == 2, 75)
    kinds = sorted((run["trigger"]["kind"], run["trigger"]["id"]) for run in found)
    assert kinds == [("schedule", "minutely"), ("webhook", "hook_back")]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_moment_called_runs_and_error_runs_happen_once(serve: Serve, vendor: Vendor, seed: int) -> None:
    """Rounds of kill -9 while parents call children in parallel and fail at their end."""
    server = serve()
    error_plan = store(server, chain("Alarm", say("told", "{{ trigger.run.id }}")))
    child = store(
        server, chain("Child", say("in", "{{ trigger }}"), get("read", vendor.url("read")), say("out", "{{ trigger }}"))
    )
    steps = [
        step("each", "flow", "loop", items=list(range(20)), parallel=5),
        call("sub", child, "{{ item }}", parent="each"),
        step("no", "flow", "stop", success=False, message="Enough."),
    ]
    plan = flow("Parent", steps, "each.body > sub", "each.done > no", settings={"error_plan": error_plan})
    parent = store(server, plan)
    ids = [server.post("/api/execute-plan?wait=false", {"execution_plan_id": parent}, 202)["id"] for _ in range(3)]
    pause, dice = threading.Event(), Random(seed)
    for _ in range(4):
        pause.wait(dice.uniform(0.0, 0.25))
        server.kill()
        server = serve()
    for run_id in ids:
        assert "Enough." in ended(server, run_id, "failed")["failure"]["sentence"]
        assert steps_of(server, run_id)["each"]["output"]["results"] == list(range(20))
    alarms = until(
        lambda: runs(server, plan_id=error_plan),
        lambda it: all(run["state"] == "succeeded" for run in it) and len(it) >= 3,
    )
    assert sorted(run["id"] for run in alarms) == sorted(f"error:{run_id}" for run_id in ids)
    children = runs(server, plan_id=child)
    assert len(children) == 60
    assert {run["state"] for run in children} == {"succeeded"}
