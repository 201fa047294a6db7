"""The eight states of a run as the API shows them, and the five words that the old clients know."""

from datetime import UTC, datetime, timedelta

import pytest
from conftest import Serve
from faces import CommandLine, Server
from plans import Document, chain, flow, step
from polling import until
from test_steering import get, post, steps, store
from vendor import Vendor

HEAR = step("hear", "wait", "webhook")


def started(server: Server, document: Document, **body: object) -> str:
    return str(server.post("/api/runs", {"execution_plan_id": store(server, document), **body}, status=202)["id"])


def shown_as(server: Server, run_id: str, state: str) -> str:
    """The old word for a run that comes to this state."""
    until(lambda: server.get(f"/api/runs/{run_id}")["state"], lambda found: found == state)
    return str(server.get(f"/api/executions/{run_id}")["status"])


def test_every_state_has_a_word_the_old_clients_know(serve: Serve, vendor: Vendor) -> None:
    vendor.held = {"write"}
    server = serve()
    in_doubt = started(server, chain("In doubt", post("write", vendor, 1)))
    vendor.wait_for("write")
    server.kill()
    server, vendor.held = serve(), {"slow"}
    assert shown_as(server, in_doubt, "interrupted") == "pending"

    slow = chain("Slow", get("slow", vendor), settings={"runs_at_once": 1, "when_busy": "queue"})
    running = started(server, slow)
    plan_id = server.get(f"/api/runs/{running}")["plan_id"]
    queued = server.post("/api/runs", {"execution_plan_id": plan_id}, status=202)["id"]
    vendor.wait_for("slow")
    assert shown_as(server, running, "running") == "running"
    assert shown_as(server, queued, "queued") == "pending"
    assert shown_as(server, started(server, chain("Hears", HEAR)), "waiting") == "running"
    assert shown_as(server, started(server, chain("Stands", HEAR), breakpoints={"hear": ""}), "paused") == "running"
    assert (
        shown_as(server, started(server, chain("Fails", step("e", "flow", "stop", success=False))), "failed")
        == "failed"
    )
    assert shown_as(server, started(server, chain("Works", step("e", "flow", "stop"))), "succeeded") == "success"

    assert server.post("/api/runs/cancel", {}) == {"cancelled": 5}
    for run_id in (in_doubt, running, queued):
        assert shown_as(server, run_id, "cancelled") == "cancelled"
    assert {run["state"] for run in server.get("/api/runs")["runs"]} == {"cancelled", "failed", "succeeded"}


def test_a_wait_until_a_time_survives_a_kill_and_holds_no_longer_than_that(serve: Serve, vendor: Vendor) -> None:
    server = serve()
    time = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    run_id = started(server, chain("Until", step("nap", "wait", "until", time=time), get("then", vendor)))
    shown_as(server, run_id, "waiting")
    server.kill()
    server = serve()
    assert vendor.ledger == {}
    assert shown_as(server, run_id, "succeeded") == "success"
    assert datetime.fromisoformat(steps(server, run_id)["then", ""]["started_at"]) >= datetime.fromisoformat(time)
    assert vendor.ledger == {"then": 1}


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_what_ended_before_a_kill_has_ended_with_either_promise_to_the_disk(cli: CommandLine, synchronous: str) -> None:
    told = CommandLine(cli.data_dir, {"FLOWSTUDIO_SYNCHRONOUS": synchronous})
    server = Server(told)
    said = step("said", "logic", "transform", template="{{ trigger.n }}")
    asked = {"execution_plan_id": store(server, chain("Kept", said))}
    ids = [server.post("/api/runs?wait=true", {**asked, "trigger_data": {"n": n}})["id"] for n in range(20)]
    server.kill()
    server = Server(told)
    try:
        assert [steps(server, run_id)["said", ""]["output"] for run_id in ids] == [*range(20)]
        assert {run["state"] for run in server.get("/api/runs")["runs"]} == {"succeeded"}
    finally:
        server.stop()


def test_a_step_that_waits_for_a_thread_says_so(cli: CommandLine) -> None:
    server = Server(CommandLine(cli.data_dir, {"FLOWSTUDIO_THREADS": "1"}))
    try:
        naps = [step(name, "python_code", "run", code="import time; time.sleep(1.2)") for name in ("one", "two")]
        run = server.post("/api/runs?wait=true", {"execution_plan_id": store(server, flow("Crowded", naps))})
        assert run["state"] == "succeeded"
        lines = [line["text"] for line in server.get(f"/api/runs/{run['id']}/log")["lines"]]
        assert any(text.endswith("s for a thread: all 1 were at work.") for text in lines), lines
    finally:
        server.stop()
