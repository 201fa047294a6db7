"""A person steers runs through the API; the vendor's ledger proves what was sent and what was not."""

from typing import Any

import pytest
from faces import CommandLine, Server
from plans import chain, flow, save, step
from polling import until
from vendor import Vendor

Document = dict[str, Any]


def get(step_id: str, vendor: Vendor, **keys: Any) -> Document:
    return step(step_id, "http", "request", method="GET", url=vendor.url(step_id), **keys)


def post(step_id: str, vendor: Vendor, body: Any, **keys: Any) -> Document:
    return step(step_id, "http", "request", method="POST", url=vendor.url(step_id), json=body, **keys)


def store(server: Server, document: Document) -> str:
    plan_id: str = server.post("/api/execution-plans", _as_sent(document), status=201)["id"]
    return plan_id


def _as_sent(document: Document) -> Document:
    return {"name": document["name"], "plan_json": document}


def started(server: Server, **body: Any) -> Document:
    """A run, waited for."""
    run: Document = server.post("/api/runs?wait=true", body)
    return run


def standing(server: Server, run_id: str) -> Document:
    """The run once it is paused."""
    look = lambda: server.get(f"/api/runs/{run_id}")  # noqa: E731
    return until(look, lambda run: run["state"] == "paused")


def ended(server: Server, run_id: str) -> Document:
    look = lambda: server.get(f"/api/runs/{run_id}")  # noqa: E731
    return until(look, lambda run: run["state"] in ("succeeded", "failed", "cancelled"))


def steps(server: Server, run_id: str) -> dict[tuple[str, str], Document]:
    found = server.get(f"/api/runs/{run_id}/steps")["steps"]
    return {(each["step_id"], each["iteration"]): each for each in found}


@pytest.fixture
def pipeline(vendor: Vendor) -> Document:
    return chain(
        "pipeline",
        get("one", vendor),
        post("two", vendor, {"from": "{{ steps.one.output.body.name }}"}),
        post("three", vendor, {"from": "{{ steps.two.output.body.name }}"}),
    )


def test_a_run_stops_before_a_step_is_edited_and_goes_on(server: Server, vendor: Vendor, pipeline: Document) -> None:
    plan_id = store(server, pipeline)
    run_id = server.post("/api/runs", {"execution_plan_id": plan_id, "breakpoints": {"two": ""}}, status=202)["id"]
    held = standing(server, run_id)["held"]
    assert [(each["step_id"], each["input"]["json"]) for each in held] == [("two", {"from": "one"})]
    assert vendor.ledger == {"one": 1}
    edit = {"step_id": "two", "params": {**held[0]["input"], "json": {"from": "me"}}}
    server.post(f"/api/runs/{run_id}/resume", {"edits": [edit]})
    assert ended(server, run_id)["state"] == "succeeded"
    assert (b'{"from":"me"}') in [body for name, body in vendor.bodies if name == "two"]
    assert steps(server, run_id)["two", ""]["metadata"]["edited"] is True


def test_step_over_sends_one_request_at_a_time(server: Server, vendor: Vendor, pipeline: Document) -> None:
    plan_id = store(server, pipeline)
    run_id = server.post("/api/runs", {"execution_plan_id": plan_id, "breakpoints": {"one": ""}}, status=202)["id"]
    standing(server, run_id)
    for count, following in enumerate(["two", "three"], 1):
        server.post(f"/api/runs/{run_id}/step-over", {})
        at = lambda: (server.get(f"/api/runs/{run_id}").get("held") or [{}])[0].get("step_id")  # noqa: E731
        until(at, lambda step_id: step_id == following)  # noqa: B023
        assert sum(vendor.ledger.values()) == count
    server.post(f"/api/runs/{run_id}/step-over", {})
    assert ended(server, run_id)["state"] == "succeeded"
    answer = server.request("POST", f"/api/runs/{run_id}/step-over", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "workspace.run_state")


def test_a_killed_server_comes_back_paused_at_the_same_step(serve: Any, vendor: Vendor, pipeline: Document) -> None:
    server = serve()
    plan_id = store(server, pipeline)
    breakpoints = {"two": "{{ steps.one.output.body.name == 'one' }}"}
    run_id = server.post("/api/runs", {"execution_plan_id": plan_id, "breakpoints": breakpoints}, status=202)["id"]
    standing(server, run_id)
    server.post(f"/api/runs/{run_id}/breakpoints", {"breakpoints": {"three": None}})
    server.kill()
    server = serve()
    assert standing(server, run_id)["held"][0]["step_id"] == "two"
    assert vendor.ledger == {"one": 1}
    server.post(f"/api/runs/{run_id}/resume", {"edits": [{"step_id": "two", "params": {"json": {"from": "me"}}}]})
    until(lambda: server.get(f"/api/runs/{run_id}").get("held"), lambda held: bool(held))
    assert standing(server, run_id)["held"][0]["step_id"] == "three"
    assert vendor.ledger == {"one": 1, "two": 1}
    server.post(f"/api/runs/{run_id}/resume", {})
    assert ended(server, run_id)["state"] == "succeeded"
    assert vendor.ledger == {"one": 1, "two": 1, "three": 1}


def test_a_wrong_breakpoint_is_refused_with_a_sentence(shared: Server, vendor: Vendor, pipeline: Document) -> None:
    plan_id = store(shared, pipeline)
    for breakpoints, code in (({"zwei": ""}, "engine.breakpoint"), ({"two": "{{ 1 + }}"}, "expression.syntax")):
        answer = shared.request("POST", "/api/runs", json={"execution_plan_id": plan_id, "breakpoints": breakpoints})
        assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text
    assert vendor.ledger == {}


def test_one_step_runs_with_the_stored_outputs_before_it(shared: Server, vendor: Vendor, pipeline: Document) -> None:
    plan_id = store(shared, pipeline)
    answer = shared.request("POST", "/api/runs", json={"execution_plan_id": plan_id, "mode": "step", "step_id": "two"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "workspace.outputs_needed"
    assert answer.json()["details"]["missing"] == [{"step": "one", "title": "http.request"}]
    assert answer.json()["details"]["choices"] == {"missing": ["run"]}
    run = started(shared, execution_plan_id=plan_id, mode="step", step_id="two", missing="run")
    assert run["state"] == "succeeded"
    assert vendor.ledger == {"one": 1, "two": 1}
    again = started(shared, execution_plan_id=plan_id, mode="step", step_id="two")
    assert vendor.ledger == {"one": 1, "two": 2}
    assert again["options"]["based_on"] == run["id"]
    assert steps(shared, again["id"])["one", ""]["metadata"]["reused_from"] == run["id"]
    assert steps(shared, again["id"])["three", ""]["state"] == "skipped"


def test_from_here_on_runs_what_depends_on_a_step_and_nothing_before(
    shared: Server, vendor: Vendor, pipeline: Document
) -> None:
    plan_id = store(shared, pipeline)
    started(shared, execution_plan_id=plan_id)
    started(shared, execution_plan_id=plan_id, mode="from", step_id="two")
    assert vendor.ledger == {"one": 1, "two": 2, "three": 2}


def test_a_changed_step_before_is_asked_about_and_used_or_run(
    shared: Server, vendor: Vendor, pipeline: Document
) -> None:
    plan_id = store(shared, pipeline)
    started(shared, execution_plan_id=plan_id)
    pipeline["steps"][0]["params"]["url"] += "?changed=1"
    shared.request("PUT", f"/api/execution-plans/{plan_id}", json=_as_sent(pipeline)).raise_for_status()
    request = {"execution_plan_id": plan_id, "mode": "step", "step_id": "three"}
    answer = shared.request("POST", "/api/runs", json=request)
    assert answer.status_code == 409
    assert [each["step"] for each in answer.json()["details"]["stale"]] == ["one", "two"]
    assert answer.json()["details"]["choices"] == {"stale": ["use", "run"]}
    started(shared, **request, stale="use")
    assert vendor.ledger == {"one": 1, "two": 1, "three": 2}
    started(shared, **request, stale="run")
    assert vendor.ledger == {"one": 2, "two": 2, "three": 3}


def test_again_sends_everything_with_the_same_input(shared: Server, vendor: Vendor) -> None:
    plan_id = store(shared, chain("again", post("one", vendor, {"say": "{{ trigger.word }}"})))
    first = started(shared, execution_plan_id=plan_id, trigger_data={"word": "hello"})
    second = shared.post(f"/api/runs/{first['id']}/again?wait=true", {})
    assert second["options"] == {"based_on": first["id"]}
    assert [body for _, body in vendor.bodies] == [b'{"say":"hello"}'] * 2


def test_restart_goes_on_in_the_item_that_failed(shared: Server, vendor: Vendor) -> None:
    plan_id = store(
        shared,
        flow(
            "restart",
            [
                get("before", vendor),
                step("each", "flow", "loop", items=[1, 2, 3]),
                step(
                    "send", "http", "request", method="POST", url=vendor.url("send"), json="{{ item }}", parent="each"
                ),
                step("then", "http", "request", url=vendor.url("then"), parent="each"),
                get("after", vendor),
            ],
            "before > each",
            "each.body > send",
            "send > then",
            "each.done > after",
        ),
    )
    vendor.answers("then", (200, {}), (500, {}), (200, {}))
    first = started(shared, execution_plan_id=plan_id)
    assert first["state"] == "failed"
    assert vendor.ledger == {"before": 1, "send": 2, "then": 2}
    second = shared.post(f"/api/runs/{first['id']}/restart?wait=true", {})
    assert second["state"] == "succeeded", second
    assert vendor.ledger == {"before": 1, "send": 3, "then": 4, "after": 1}
    assert steps(shared, second["id"])["each", ""]["output"]["count"] == 3
    refused = shared.request("POST", f"/api/runs/{second['id']}/restart", json={})
    assert refused.status_code == 409
    assert "Run it again instead" in refused.json()["error"]


def test_restart_with_the_corrected_plan_keeps_what_did_not_change(
    shared: Server, vendor: Vendor, pipeline: Document
) -> None:
    vendor.answers("two", (404, {}))
    plan_id = store(shared, pipeline)
    first = started(shared, execution_plan_id=plan_id)
    assert first["state"] == "failed"
    pipeline["steps"][1]["params"]["url"] = vendor.url("better")
    shared.request("PUT", f"/api/execution-plans/{plan_id}", json=_as_sent(pipeline)).raise_for_status()
    second = shared.post(f"/api/runs/{first['id']}/restart?wait=true", {"plan": "current"})
    assert second["state"] == "succeeded"
    assert vendor.ledger == {"one": 1, "two": 1, "better": 1, "three": 1}


def test_a_step_in_a_loop_runs_in_one_iteration_and_the_others_keep_their_results(
    shared: Server, vendor: Vendor
) -> None:
    plan_id = store(
        shared,
        flow(
            "iteration",
            [
                step("each", "flow", "loop", items=["a", "b", "c"]),
                step(
                    "send", "http", "request", method="POST", url=vendor.url("send"), json="{{ item }}", parent="each"
                ),
            ],
            "each.body > send",
        ),
    )
    started(shared, execution_plan_id=plan_id)
    run = started(shared, execution_plan_id=plan_id, mode="step", step_id="send", iteration="1")
    assert vendor.ledger == {"send": 4}
    assert vendor.bodies[-1][1] == b'"b"'
    assert steps(shared, run["id"])["each", ""]["output"]["count"] == 3


def test_pins_stand_in_only_when_a_person_asks_for_them(shared: Server, vendor: Vendor, pipeline: Document) -> None:
    plan_id = store(shared, {**pipeline, "pins": {"one": {"body": {"name": "pinned"}}}})
    started(shared, execution_plan_id=plan_id, pins=True)
    assert vendor.ledger == {"two": 1, "three": 1}
    assert vendor.bodies[0] == ("two", b'{"from":"pinned"}')
    started(shared, execution_plan_id=plan_id)
    assert vendor.ledger == {"one": 1, "two": 2, "three": 2}


def test_a_dry_run_reads_and_shows_what_it_would_send(shared: Server, vendor: Vendor, pipeline: Document) -> None:
    run = started(shared, execution_plan_id=store(shared, pipeline), dry_run=True)
    assert run["state"] == "succeeded"
    assert vendor.ledger == {"one": 1}
    found = steps(shared, run["id"])
    shown = found["two", ""]["output"]
    assert (shown["method"], shown["url"], shown["body"]) == ("POST", vendor.url("two"), {"from": "one"})
    assert found["two", ""]["message"].startswith("Not sent")
    assert found["three", ""]["message"] == "It needs the result of “http.request”, which a dry run does not have."


def test_the_command_line_runs_dry_and_with_pins(cli: CommandLine, vendor: Vendor, pipeline: Document) -> None:
    file = save(cli.data_dir.parent, {**pipeline, "pins": {"one": {"body": {"name": "pinned"}}}})
    answer = cli("run", file, "--dry-run", "--pins")
    assert answer.code == 0, answer.text
    assert vendor.ledger == {}
    assert vendor.url("two") in answer.out
    assert '"from": "pinned"' in answer.out
    told = cli("run", file, "--dry-run", "--json").json
    assert told["dry_run"][0]["request"]["url"] == vendor.url("two")
    assert vendor.ledger == {"one": 1}


def test_the_command_line_runs_again_and_restarts(cli: CommandLine, vendor: Vendor, pipeline: Document) -> None:
    vendor.answers("two", (404, {}), (200, {"name": "two"}))
    file = save(cli.data_dir.parent, pipeline)
    assert cli("run", file).code == 1
    run_id = cli("runs", "list", "--json").json[0]["id"]
    assert cli("runs", "restart", run_id).code == 0
    assert vendor.ledger == {"one": 1, "two": 2, "three": 1}
    assert cli("runs", "again", run_id).code == 0
    assert vendor.ledger == {"one": 2, "two": 3, "three": 2}


def test_a_plan_called_in_a_dry_run_runs_dry_too_and_a_dry_run_is_repeated_dry(shared: Server, vendor: Vendor) -> None:
    called = store(shared, chain("called", get("look", vendor), post("write", vendor, {"n": 1})))
    calls = step("call", "flow", "subplan", plan=called, inputs={}, title="Call it")
    plan_id = store(shared, chain("caller", calls, get("after", vendor, query={"n": "{{ steps.call.output }}"})))
    run = started(shared, execution_plan_id=plan_id, dry_run=True)
    assert run["state"] == "succeeded", run
    assert vendor.ledger == {"look": 1}
    found = steps(shared, run["id"])
    assert found["after", ""]["message"] == "It needs the result of “Call it”, which a dry run does not have."
    child = found["call", ""]["metadata"]["run"]
    assert steps(shared, child)["write", ""]["output"]["body"] == {"n": 1}
    again = shared.post(f"/api/runs/{run['id']}/again?wait=true", {})
    assert again["options"]["dry_run"] is True
    assert vendor.ledger == {"look": 2}


def test_secrets_are_in_no_step_that_is_held_or_shown(serve: Any, keyed: CommandLine, vendor: Vendor) -> None:
    secret = "s3cret-token-of-mine"
    assert keyed("credentials", "set", "http", "--field", "token", stdin=f"{secret}\n").code == 0
    server = Server(keyed)
    try:
        plan_id = store(server, chain("masked", post("send", vendor, {"say": f"it is {secret}"}, credential="default")))
        breakpoints = {"execution_plan_id": plan_id, "breakpoints": {"send": ""}}
        run_id = server.post("/api/runs", breakpoints, status=202)["id"]
        held = standing(server, run_id)["held"][0]
        assert held["input"]["json"]["say"].startswith("it is ••")
        dry = started(server, execution_plan_id=plan_id, dry_run=True)
        shown = steps(server, dry["id"])["send", ""]["output"]
        assert "•" in shown["headers"]["Authorization"]
        assert secret not in str([held, shown])
        server.post(f"/api/runs/{run_id}/resume", {"edits": [{"step_id": "send", "params": held["input"]}]})
        assert ended(server, run_id)["state"] == "succeeded"
        assert secret.encode() in vendor.bodies[0][1]
        assert "edited" not in steps(server, run_id)["send", ""]["metadata"]
    finally:
        server.stop()
