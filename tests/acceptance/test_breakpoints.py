"""Breakpoints where runs are not a chain: in loops, at steps that are tried again, beside branches at work."""

from typing import Any

from faces import Server
from plans import Document, chain, flow, step
from polling import until
from test_steering import ended, get, standing, steps, store
from vendor import Vendor


def stopped(server: Server, plan: Document, **breakpoints: str) -> str:
    """Starts the plan with these breakpoints; the id of its run, which is paused."""
    asked = {"execution_plan_id": store(server, plan), "breakpoints": breakpoints}
    run_id = str(server.post("/api/runs", asked, status=202)["id"])
    standing(server, run_id)
    return run_id


def held(server: Server, run_id: str) -> list[tuple[str, str]]:
    return [(each["step_id"], each["iteration"]) for each in server.get(f"/api/runs/{run_id}").get("held") or []]


def goes_on(server: Server, run_id: str, way: str = "resume", **body: Any) -> None:
    server.post(f"/api/runs/{run_id}/{way}", body)


def looped(vendor: Vendor, kind: str = "loop", **params: Any) -> Document:
    """Sends each item, then the end."""
    body = [
        step("send", "http", "request", method="POST", url=vendor.url("send"), json="{{ index }}", parent="each"),
        get("end", vendor),
    ]
    return flow("Looped", [step("each", "flow", kind, **params), *body], "each.body > send", "each.done > end")


def test_in_a_loop_the_run_stops_in_each_item_its_condition_names(shared: Server, vendor: Vendor) -> None:
    run_id = stopped(shared, looped(vendor, items=[1, 2, 3, 4]), send="{{ item % 2 == 0 }}")
    assert held(shared, run_id) == [("send", "1")]
    assert vendor.ledger == {"send": 1}
    goes_on(shared, run_id)
    until(lambda: held(shared, run_id), lambda at: at == [("send", "3")])
    assert vendor.ledger == {"send": 3}
    goes_on(shared, run_id)
    assert ended(shared, run_id)["state"] == "succeeded"
    assert vendor.ledger == {"send": 4, "end": 1}


def test_parallel_items_are_held_beside_each_other_and_let_go_one_by_one(shared: Server, vendor: Vendor) -> None:
    run_id = stopped(shared, looped(vendor, items=[1, 2, 3], parallel=3), send="")
    until(lambda: sorted(held(shared, run_id)), lambda at: ("send", "0") in at)
    assert vendor.ledger == {}
    at = held(shared, run_id)[0]
    goes_on(shared, run_id, "step-over", step_id=at[0], iteration=at[1])
    vendor.wait_for("send")
    until(lambda: shared.get(f"/api/runs/{run_id}")["state"], lambda state: state == "paused")
    assert vendor.ledger == {"send": 1}
    assert at not in held(shared, run_id)
    shared.post(f"/api/runs/{run_id}/breakpoints", {"breakpoints": {}})
    goes_on(shared, run_id)
    assert ended(shared, run_id)["state"] == "succeeded"
    assert vendor.ledger == {"send": 3, "end": 1}


def test_one_item_is_edited_and_the_others_keep_their_input(shared: Server, vendor: Vendor) -> None:
    run_id = stopped(shared, looped(vendor, items=["a", "b"]), send="{{ item == 'b' }}")
    goes_on(shared, run_id, edits=[{"step_id": "send", "iteration": "1", "params": {"json": "mine"}}])
    assert ended(shared, run_id)["state"] == "succeeded"
    assert [body for name, body in vendor.bodies if name == "send"] == [b"0", b'"mine"']


def test_in_a_while_the_run_stops_in_each_turn_and_steps_over_it(shared: Server, vendor: Vendor) -> None:
    run_id = stopped(shared, looped(vendor, "while", condition="{{ index < 2 }}"), send="")
    assert held(shared, run_id) == [("send", "0")]
    goes_on(shared, run_id, "step-over")
    until(lambda: held(shared, run_id), lambda at: at == [("send", "1")])
    assert vendor.ledger == {"send": 1}
    goes_on(shared, run_id, "step-over")
    until(lambda: held(shared, run_id), lambda at: at == [("end", "")])
    assert vendor.ledger == {"send": 2}
    goes_on(shared, run_id)
    assert ended(shared, run_id)["state"] == "succeeded"


def test_before_a_while_and_a_loop_themselves_the_run_stops_once(shared: Server, vendor: Vendor) -> None:
    run_id = stopped(shared, looped(vendor, "while", condition="{{ index < 2 }}"), each="")
    assert held(shared, run_id) == [("each", "")]
    goes_on(shared, run_id)
    assert ended(shared, run_id)["state"] == "succeeded"
    assert vendor.ledger == {"send": 2, "end": 1}


def test_a_step_that_is_tried_again_is_stopped_before_once_and_its_edit_holds(shared: Server, vendor: Vendor) -> None:
    vendor.answers("send", (500, {}), (500, {}), (200, {}))
    retry = {"tries": 3, "delay_s": 0.05}
    send = step("send", "http", "request", method="POST", url=vendor.url("send"), json="as drawn", retry=retry)
    run_id = stopped(shared, chain("Again", send, get("end", vendor)), send="")
    goes_on(shared, run_id, edits=[{"step_id": "send", "params": {"json": "mine"}}])
    assert ended(shared, run_id)["state"] == "succeeded"
    assert [body for name, body in vendor.bodies if name == "send"] == [b'"mine"'] * 3
    assert steps(shared, run_id)["send", ""]["attempt"] == 3


def test_a_branch_at_work_comes_to_its_end_while_another_stands(shared: Server, vendor: Vendor) -> None:
    vendor.held.add("slow")
    plan = flow(
        "Branches",
        [get("fast", vendor), get("slow", vendor), get("after_slow", vendor), get("end", vendor)],
        "slow > after_slow",
        "fast > end",
    )
    asked = {"execution_plan_id": store(shared, plan), "breakpoints": {"end": ""}}
    run_id = str(shared.post("/api/runs", asked, status=202)["id"])
    until(lambda: steps(shared, run_id).get(("end", ""), {}).get("state"), lambda state: state == "waiting")
    vendor.wait_for("slow")
    vendor.release()
    standing(shared, run_id)
    assert steps(shared, run_id)["slow", ""]["state"] == "succeeded"
    assert vendor.ledger == {"fast": 1, "slow": 1}
    goes_on(shared, run_id)
    assert ended(shared, run_id)["state"] == "succeeded"
    assert vendor.ledger == {"fast": 1, "slow": 1, "after_slow": 1, "end": 1}


def test_a_run_that_stands_in_a_loop_is_cancelled_and_every_step_is_marked(shared: Server, vendor: Vendor) -> None:
    run_id = stopped(shared, looped(vendor, items=[1, 2, 3]), send="{{ index == 1 }}")
    shared.post(f"/api/runs/{run_id}/cancel", {})
    assert ended(shared, run_id)["state"] == "cancelled"
    states = {key: each["state"] for key, each in steps(shared, run_id).items()}
    assert states == {
        ("send", "0"): "succeeded",
        ("send", "1"): "skipped",
        ("each", ""): "cancelled",
        ("end", ""): "skipped",
    }


def test_a_dry_run_waits_for_nothing_and_starts_no_error_plan(shared: Server, vendor: Vendor) -> None:
    called = store(shared, chain("Child", step("write", "http", "request", method="POST", url=vendor.url("write"))))
    on_error = store(shared, chain("When it fails", get("alarm", vendor)))
    plan = chain(
        "Everything",
        step("hear", "wait", "webhook"),
        step("nap", "wait", "duration", seconds=3600),
        step("call", "flow", "subplan", plan=called),
        step("end", "flow", "stop", success=False, message="It ends badly."),
        settings={"error_plan": on_error},
    )
    asked = {"execution_plan_id": store(shared, plan), "dry_run": True}
    run = shared.post("/api/runs?wait=true", asked)
    assert (run["state"], run["failure"]["sentence"]) == ("failed", "It ends badly.")
    found = steps(shared, run["id"])
    assert found["hear", ""]["message"] == "A dry run waits for no call."
    assert found["nap", ""]["message"] == "Not waited for: this is a dry run."
    child = found["call", ""]["metadata"]["run"]
    assert shared.get(f"/api/runs/{child}")["options"]["dry_run"] is True
    assert steps(shared, child)["write", ""]["output"]["method"] == "POST"
    assert shared.get(f"/api/runs?plan_id={on_error}")["runs"] == []
    assert vendor.ledger == {}
