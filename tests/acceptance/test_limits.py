"""How many runs of a plan go at once, and how often a vendor is called: as clients of the API see it."""

from typing import Any

from faces import Server
from plans import flow, old_plan, old_step, step
from polling import until
from vendor import Vendor


def stored(server: Server, vendor: Vendor, when_busy: str, *, at_once: int = 1) -> str:
    """The id of a plan that calls the vendor's /door, and runs so many at once."""
    settings = {"when_busy": when_busy, "runs_at_once": at_once}
    document = flow(f"{when_busy} plan", [step("a", "http", "get", url=vendor.url("door"))], settings=settings)
    plan_id: str = server.post("/api/execution-plans", document, 201)["id"]
    return plan_id


def begun(server: Server, plan_id: str) -> str:
    answer = server.request("POST", "/api/execute-plan?wait=false", json={"execution_plan_id": plan_id})
    assert answer.status_code == 202, answer.text
    run_id: str = answer.json()["id"]
    return run_id


def ended(server: Server, run_id: str) -> Any:
    finals = ("succeeded", "failed", "cancelled")
    return until(lambda: server.get(f"/api/runs/{run_id}"), lambda run: run["state"] in finals)


def test_runs_wait_in_line_say_why_and_survive_a_kill(cli: Any, serve: Any, vendor: Vendor) -> None:
    server, vendor.held = serve(), {"door"}
    plan_id = stored(server, vendor, "queue")
    first, second, third = (begun(server, plan_id) for _ in range(3))
    vendor.wait_for("door")
    run = server.get(f"/api/runs/{third}")
    assert run["state"] == "queued"
    assert run["waits_for"] == "Waits: 1 run of this plan is under way, and 1 run will start before it."
    assert server.get(f"/api/executions/{third}")["status"] == "pending"
    lines = server.get(f"/api/runs/{third}/log")["lines"]
    assert [line["text"] for line in lines] == [run["waits_for"]]

    server.kill()
    vendor.release()
    server = serve()
    runs = [ended(server, run_id) for run_id in (first, second, third)]
    assert [run["state"] for run in runs] == ["succeeded"] * 3
    assert runs[0]["finished_at"] <= runs[1]["started_at"]
    assert runs[1]["finished_at"] <= runs[2]["started_at"]
    assert runs[2]["waits_for"] is None


def test_a_skipped_run_is_answered_at_once_as_cancelled_with_the_reason(server: Server, vendor: Vendor) -> None:
    vendor.held = {"door"}
    plan_id = stored(server, vendor, "skip")
    first = begun(server, plan_id)
    vendor.wait_for("door")
    skipped = server.post("/api/execute-plan", {"execution_plan_id": plan_id})
    assert skipped["status"] == "cancelled"
    assert "1 run of “skip plan” was under way, and the plan allows 1 at once" in skipped["error_message"]
    assert server.get(f"/api/runs/{skipped['id']}")["failure"]["code"] == "engine.skipped"
    vendor.release()
    assert ended(server, first)["state"] == "succeeded"


def test_a_newer_run_replaces_the_one_under_way(server: Server, vendor: Vendor) -> None:
    vendor.held = {"door"}
    plan_id = stored(server, vendor, "replace")
    first = begun(server, plan_id)
    vendor.wait_for("door")
    second = begun(server, plan_id)
    replaced = ended(server, first)
    assert (replaced["state"], replaced["failure"]["code"]) == ("cancelled", "engine.replaced")
    vendor.wait_for("door", 2)
    vendor.release()
    assert ended(server, second)["state"] == "succeeded"


def test_a_webhook_in_line_is_answered_when_its_turn_is_over(server: Server, vendor: Vendor) -> None:
    vendor.held = {"door"}
    plan_id = stored(server, vendor, "queue")
    trigger = {"type": "webhook", "config": {"webhook_path": "line"}}
    server.post(f"/api/execution-plans/{plan_id}/trigger", {"trigger": trigger, "enabled": True})
    begun(server, plan_id)
    vendor.wait_for("door")
    vendor.release()
    assert server.post("/api/webhook/line", {})["status"] == "success"


def test_settings_survive_what_old_clients_send(server: Server) -> None:
    settings = {"runs_at_once": 3, "when_busy": "queue"}
    made = server.post(
        "/api/execution-plans", {**old_plan("old", old_step("logic", "transform")), "settings": settings}, 201
    )
    path = f"/api/execution-plans/{made['id']}"
    assert server.get(path)["settings"] == settings
    changed = {"plan_json": [{"order": 1, **old_step("logic", "transform", value=2)}]}
    assert server.request("PUT", path, json=changed).json()["settings"] == settings
    assert "settings" not in server.request("PUT", path, json={"settings": None}).json()
    refused = server.request("PUT", path, json={"settings": {"runs_at_once": 0}})
    assert refused.status_code == 400
    assert "settings.runs_at_once" in refused.text


def test_calls_over_a_vendors_limit_wait_and_say_so(server: Server, vendor: Vendor) -> None:
    integration = server.post("/api/custom-integrations", {
        "name": "shop", "display_name": "Shop", "auth_type": "api_key",
        "oauth_config": {"base_url": vendor.url("").rstrip("/")},
        "actions": [{"id": "read", "name": "Read", "method": "GET", "endpoint": "/busy", "params": []}],
    }, 201)  # fmt: skip
    server.post(
        f"/api/custom-integrations/{integration['id']}/credentials", {"type": "api_key", "value": "sesame-open"}, 201
    )
    vendor.answers("busy", (429, {"error": "slow down"}, {"Retry-After": "1"}), (200, {"name": "busy"}))
    document = flow("shopping", [step("a", f"custom_{integration['id']}", "read")])
    plan_id = server.post("/api/execution-plans", document, 201)["id"]
    refused = server.post("/api/execute-plan", {"execution_plan_id": plan_id})
    assert refused["status"] == "failed"
    run_id = server.post("/api/execute-plan", {"execution_plan_id": plan_id})["id"]
    assert ended(server, run_id)["state"] == "succeeded"
    (row,) = server.get(f"/api/runs/{run_id}/steps")["steps"]
    assert row["metadata"]["waited_ms"] > 300
    assert row["metadata"]["waited_for"].startswith("Waits: Shop allows no more calls")
    assert any(line["text"] == row["metadata"]["waited_for"] for line in server.get(f"/api/runs/{run_id}/log")["lines"])
