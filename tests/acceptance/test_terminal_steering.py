"""A person steers runs from a terminal while the server, in another process, has them at work."""

import json
from typing import Any

import pytest
from conftest import Serve
from faces import CommandLine, Server
from plans import Document, chain, step
from polling import until
from test_steering import ended, get, post, standing, steps, store
from vendor import Vendor


def started(server: Server, document: Document, **body: Any) -> str:
    return str(server.post("/api/runs", {"execution_plan_id": store(server, document), **body}, status=202)["id"])


def in_state(server: Server, run_id: str, state: str) -> None:
    until(lambda: server.get(f"/api/runs/{run_id}")["state"], lambda found: found == state)


def test_a_run_is_paused_resumed_and_cancelled(server: Server, cli: CommandLine, vendor: Vendor) -> None:
    vendor.held = {"one"}
    run_id = started(server, chain("Long", get("one", vendor), step("two", "wait", "duration", seconds=600)))
    vendor.wait_for("one")
    assert cli("runs", "pause", run_id).code == 0
    vendor.release()
    in_state(server, run_id, "paused")
    resumed = cli("runs", "resume", run_id)
    assert (resumed.code, resumed.out.split("  ")[0]) == (0, run_id)
    in_state(server, run_id, "waiting")
    cancelled = cli("runs", "cancel", run_id)
    assert (cancelled.code, cancelled.out) == (0, f"{run_id}  cancelled  Long\n")
    refused = cli("runs", "pause", run_id)
    assert refused.code == 1
    assert "cannot be paused: it is cancelled" in refused.err


def test_a_step_is_stepped_over_edited_and_let_go(server: Server, cli: CommandLine, vendor: Vendor) -> None:
    plan = chain("Edited", post("one", vendor, 1), post("two", vendor, 2))
    run_id = started(server, plan, breakpoints={"one": ""})
    standing(server, run_id)
    assert cli("runs", "step-over", run_id).code == 0
    until(lambda: [each["step_id"] for each in standing(server, run_id)["held"]], lambda held: held == ["two"])
    assert cli("runs", "resume", run_id, "--step", "two", "--params", '{"json": "mine"}').code == 0
    assert ended(server, run_id)["state"] == "succeeded"
    assert [body for _, body in vendor.bodies] == [b"1", b'"mine"']


def test_a_run_that_waits_is_called(server: Server, cli: CommandLine) -> None:
    run_id = started(server, chain("Asks", step("hear", "wait", "webhook")))
    in_state(server, run_id, "waiting")
    called = cli("runs", "call", run_id, "--body", '{"ok": true}')
    assert (called.code, called.out) == (0, "The run goes on. It was waited for by the step hear.\n")
    assert ended(server, run_id)["state"] == "succeeded"
    assert steps(server, run_id)["hear", ""]["output"]["body"] == {"ok": True}
    assert "No step of the run" in cli("runs", "call", run_id).err


def test_all_runs_are_stopped(server: Server, cli: CommandLine) -> None:
    waiting = [started(server, chain(name, step("hear", "wait", "webhook"))) for name in ("A", "B")]
    for run_id in waiting:
        in_state(server, run_id, "waiting")
    assert cli("runs", "cancel", "--all").out == "Cancelled: 2\n"
    for run_id in waiting:
        assert ended(server, run_id)["state"] == "cancelled"


def test_an_answer_is_given_where_the_run_then_goes_on(serve: Serve, cli: CommandLine, vendor: Vendor) -> None:
    vendor.held = {"write"}
    server = serve()
    run_id = started(server, chain("Doubt", post("write", vendor, 1), get("after", vendor)))
    vendor.wait_for("write")
    server.kill()
    server = serve()
    in_state(server, run_id, "interrupted")
    assert cli("runs", "answer", run_id, "done", "--output", '{"n": 7}').code == 0
    assert ended(server, run_id)["state"] == "succeeded"
    assert steps(server, run_id)["write", ""]["output"] == {"n": 7}
    assert vendor.ledger == {"write": 1, "after": 1}


@pytest.mark.parametrize("order", ["pause", "resume", "step-over", "call", "cancel"])
def test_without_a_server_it_is_said_that_no_run_is_under_way(cli: CommandLine, serve: Serve, order: str) -> None:
    server = serve()
    run_id = started(server, chain("Asks", step("hear", "wait", "webhook")))
    in_state(server, run_id, "waiting")
    server.kill()
    refused = cli("runs", order, run_id)
    assert refused.code == 1
    assert "no run is under way that could be steered" in refused.err
    assert "flowstudio serve" in refused.err
    server = serve()
    in_state(server, run_id, "waiting")


def test_an_interrupted_run_is_cancelled_without_a_server(cli: CommandLine, serve: Serve, vendor: Vendor) -> None:
    vendor.held = {"write"}
    server = serve()
    run_id = started(server, chain("Doubt", post("write", vendor, 1)))
    vendor.wait_for("write")
    server.kill()
    server = serve()
    in_state(server, run_id, "interrupted")
    server.stop()
    assert cli("runs", "cancel", run_id).out == f"{run_id}  cancelled  Doubt\n"


def test_a_server_that_wants_a_token_is_given_the_one_of_the_environment(cli: CommandLine) -> None:
    guarded = CommandLine(cli.data_dir, {"FLOWSTUDIO_AUTH": "token"})
    token = guarded("token", "create").out.split()[-1]
    server = Server(guarded)
    try:
        refused = guarded("runs", "cancel", "--all")
        assert refused.code == 1
        assert "Set FLOWSTUDIO_TOKEN to a token" in refused.err
        known = CommandLine(cli.data_dir, {"FLOWSTUDIO_TOKEN": token})
        assert known("runs", "cancel", "--all").out == "Cancelled: 0\n"
        assert token not in json.dumps([refused.out, refused.err])
    finally:
        server.stop()
