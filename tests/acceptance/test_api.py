"""The embedded server, over plain HTTP: the rows of the old wire contract that this version serves.

What is proven here, in the product's words: health, providers, execution-plans CRUD and ID/trigger (webhook and cron),
execute-plan, execution-logs, executions/ID, scheduler/jobs, webhook/PATH, with the rules for Host and Origin · a taken
port: a clear message and the next free one · a stored plan comes back without loss.
"""

from pathlib import Path
from typing import Any

import pytest
from faces import CommandLine, Server
from plans import chain, flow, old_plan, old_step, step
from polling import until
from vendor import Vendor

PLAN_KEYS = {
    "id",
    "user_id",
    "name",
    "description",
    "original_prompt",
    "plan_json",
    "plain_english_steps",
    "status",
    "required_providers",
    "missing_auth",
    "trigger",
    "enabled",
    "created_at",
    "updated_at",
    "approved_at",
}
EXECUTION_KEYS = {
    "id",
    "execution_plan_id",
    "user_id",
    "status",
    "started_at",
    "finished_at",
    "trigger_data",
    "error_message",
    "logs",
}
LOG_KEYS = {
    "step",
    "provider",
    "action",
    "action_name",
    "status",
    "message",
    "output",
    "error",
    "timestamp",
    "duration",
}


def greet(text: str = "hello {{ trigger.name }}") -> dict[str, Any]:
    return old_plan("Greet", old_step("logic", "transform", template=text))


def stored(server: Server, plan: dict[str, Any], **keys: Any) -> dict[str, Any]:
    answer: dict[str, Any] = server.post("/api/execution-plans", plan | keys, 201)
    return answer


def test_health_says_what_works(shared: Server) -> None:
    health = shared.get("/api/health")
    assert health["status"] == "healthy"
    assert (health["scheduler"], health["database"]) == ("active", "connected")
    assert {"timestamp", "version"} <= health.keys()


def test_providers_list_actions_and_their_params(shared: Server) -> None:
    answer = shared.get("/api/providers")
    assert answer["total"] == len(answer["providers"]) >= 18
    slack = next(each for each in answer["providers"] if each["name"] == "slack")
    post = next(each for each in slack["actions"] if each["id"] == "post_message")
    assert post["params"][:2] == ["channel", "text"]


def test_providers_are_searched(shared: Server) -> None:
    names = [each["name"] for each in shared.get("/api/providers?q=telegram")["providers"]]
    assert "telegram" in names
    assert "sqlite" not in names


def test_a_plan_is_stored_read_changed_listed_and_deleted(server: Server) -> None:
    plan = stored(server, greet())
    assert plan.keys() >= PLAN_KEYS
    path = f"/api/execution-plans/{plan['id']}"
    assert server.get(path)["plan_json"][0]["action_id"] == "transform"
    assert server.request("PUT", path, json={"name": "Greet all"}).json()["name"] == "Greet all"
    assert [each["name"] for each in server.get("/api/execution-plans")] == ["Greet all"]
    assert server.request("DELETE", path).json() == {"message": "Plan deleted"}
    gone = server.request("GET", path)
    assert (gone.status_code, gone.json()["error"]) == (404, "Plan not found")


def test_unknown_keys_of_a_client_come_back(shared: Server) -> None:
    sent = old_plan("Odd", {**old_step("logic", "transform", template="x"), "colour": "red"}, workspace={"id": 7})
    plan = stored(shared, sent)
    assert plan["workspace"] == {"id": 7}
    assert plan["plan_json"][0]["colour"] == "red"


def test_missing_auth_is_computed(server: Server) -> None:
    plan = stored(server, old_plan("Post", old_step("slack", "post_message", channel="c", text="t")))
    assert plan["required_providers"] == ["slack"]
    assert plan["missing_auth"] == ["slack"]
    server.post("/api/provider-credentials", {"provider": "slack", "type": "token", "value": "xoxb-1"}, 201)
    assert server.get(f"/api/execution-plans/{plan['id']}")["missing_auth"] == []


def test_executing_a_plan_answers_the_execution(shared: Server) -> None:
    plan = stored(shared, greet())
    run = shared.post("/api/execute-plan", {"execution_plan_id": plan["id"], "trigger_data": {"name": "Ada"}})
    assert run.keys() >= EXECUTION_KEYS
    assert run["status"] == "success"
    (line,) = run["logs"]
    assert line.keys() >= LOG_KEYS
    assert (line["step"], line["output"]) == (1, "hello Ada")
    assert shared.get(f"/api/executions/{run['id']}") == run


def test_not_waiting_answers_202_and_the_run_goes_on(shared: Server, vendor: Vendor) -> None:
    vendor.held.add("slow")
    plan = stored(shared, old_plan("Slow", old_step("http", "request", method="GET", url=vendor.url("slow"))))
    run = shared.post("/api/execute-plan?wait=false", {"execution_plan_id": plan["id"]}, 202)
    assert run["status"] in ("pending", "running")
    vendor.wait_for("slow")
    vendor.release()
    done = until(lambda: shared.get(f"/api/executions/{run['id']}"), lambda it: it["finished_at"] is not None)
    assert done["status"] == "success"


def test_logs_are_an_array_newest_first(server: Server) -> None:
    plan = stored(server, greet("{{ trigger.n }}"))
    for number in (1, 2):
        server.post("/api/execute-plan", {"execution_plan_id": plan["id"], "trigger_data": {"n": number}})
    logs = server.get("/api/execution-logs")
    assert [each["steps"][0]["output"] for each in logs] == [2, 1]
    assert {"id", "plan_id", "plan_name", "status", "timestamp", "steps"} <= logs[0].keys()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_webhook_takes_any_method(shared: Server, method: str) -> None:
    plan = greet("{{ trigger.method }} {{ trigger.query.q }}")
    stored(shared, plan, trigger={"type": "webhook", "config": {"webhook_path": f"hook-{method}"}})
    answer = shared.request(method, f"/api/webhook/hook-{method}?q=1")
    assert answer.status_code == 200
    assert answer.json()["logs"][0]["output"] == f"{method} 1"


def test_a_respond_step_sets_the_webhooks_answer(shared: Server) -> None:
    plan = chain(
        "answer",
        step("work", "logic", "transform", template="{{ trigger.body.n * 2 }}"),
        step("reply", "flow", "respond", status=201, headers={"X-Kind": "sum"}, body={"n": "{{ steps.work.output }}"}),
    )
    sent = {"name": "Answer", "plan_json": plan, "trigger": {"type": "webhook", "config": {"webhook_path": "sum"}}}
    stored(shared, sent)
    answer = shared.request("POST", "/api/webhook/sum", json={"n": 21})
    assert (answer.status_code, answer.headers["X-Kind"], answer.json()) == (201, "sum", {"n": 42})


def test_an_unknown_webhook_is_404(shared: Server) -> None:
    answer = shared.request("POST", "/api/webhook/nobody", json={})
    assert (answer.status_code, answer.json()["error"]) == (404, "Webhook not found")


def test_a_webhooks_secret_is_asked_for_and_never_kept(shared: Server) -> None:
    config = {"webhook_path": "locked", "webhook_secret": "open-sesame-42"}
    stored(shared, greet("{{ trigger.headers | tojson }}"), trigger={"type": "webhook", "config": config})
    assert shared.request("POST", "/api/webhook/locked").status_code == 401
    answer = shared.request("POST", "/api/webhook/locked", headers={"X-Webhook-Secret": "open-sesame-42"})
    assert answer.status_code == 200
    assert "open-sesame-42" not in answer.text
    assert "open-sesame-42" not in str(shared.get("/api/execution-logs"))


def test_a_trigger_is_set_and_removed(shared: Server) -> None:
    plan = stored(shared, greet("hi"))
    path = f"/api/execution-plans/{plan['id']}/trigger"
    trigger = {"type": "webhook", "config": {"webhook_path": "later"}}
    assert shared.post(path, {"trigger": trigger, "enabled": True})["trigger"]["config"] == {"webhook_path": "later"}
    assert shared.request("GET", "/api/webhook/later").status_code == 200
    shared.post(path, {"trigger": None, "enabled": True})
    assert shared.request("GET", "/api/webhook/later").status_code == 404


def test_a_schedule_is_listed_with_its_next_time_and_removed(server: Server) -> None:
    plan = stored(server, greet("hi"))
    path = f"/api/execution-plans/{plan['id']}/schedule"
    answer = server.post(path, {"cron_expression": "0 9 * * 1", "timezone": "Europe/Berlin"})
    assert (answer["message"], answer["job_id"]) == ("Plan scheduled", f"plan_{plan['id']}")
    (job,) = server.get("/api/scheduler/jobs")["jobs"]
    assert job["id"] == f"plan_{plan['id']}"
    assert job["next_run"][11:16] in ("07:00", "08:00", "09:00")
    assert server.request("DELETE", path).json() == {"message": "Schedule removed"}
    assert server.get("/api/scheduler/jobs")["total"] == 0


def test_a_bad_cron_expression_names_the_field(shared: Server) -> None:
    plan = stored(shared, greet("hi"))
    answer = shared.request(
        "POST", f"/api/execution-plans/{plan['id']}/schedule", json={"cron_expression": "0 25 * * *"}
    )
    assert answer.status_code == 400
    assert "hour" in answer.json()["error"].lower()


def test_two_users_do_not_see_each_other(shared: Server) -> None:
    plan = stored(shared, greet("hi"), user_id="ann")
    assert [each["id"] for each in shared.get("/api/execution-plans?user_id=ann")] == [plan["id"]]
    assert shared.get("/api/execution-plans?user_id=bob") == []
    assert shared.request("GET", f"/api/execution-plans/{plan['id']}?user_id=bob").status_code == 404


def test_a_credentials_value_never_comes_back(shared: Server) -> None:
    sent = {"user_id": "local", "provider": "slack", "type": "token", "value": "xoxb-very-secret"}
    assert "xoxb" not in str(shared.post("/api/provider-credentials", sent, 201))
    assert "xoxb" not in str(shared.get("/api/provider-credentials"))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:5001"])
def test_a_strange_host_is_421(shared: Server, host: str) -> None:
    assert shared.request("GET", "/api/health", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:5001", "app.localhost", "127.9.9.9", "[::1]:5001", "0.0.0.0:5001"])
def test_a_loopback_host_is_welcome(shared: Server, host: str) -> None:
    assert shared.request("GET", "/api/health", headers={"Host": host}).status_code == 200


def test_a_strange_origin_changes_nothing_and_reads_nothing(server: Server) -> None:
    origin = {"Origin": "https://evil.example"}
    assert server.request("POST", "/api/execution-plans", json=greet(), headers=origin).status_code == 403
    assert "Access-Control-Allow-Origin" not in server.request("GET", "/api/execution-plans", headers=origin).headers
    assert server.get("/api/execution-plans") == []


def test_the_old_web_clients_origin_is_welcome(shared: Server) -> None:
    origin = {"Origin": "http://localhost:5000"}
    answer = shared.request("POST", "/api/execution-plans", json=greet(), headers=origin)
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:5000"


@pytest.mark.parametrize(
    ("body", "status"), [(b"{broken", 400), (b"[]", 400), (b'{"name": 7}', 400), (b"x" * 11_000_000, 413)]
)
def test_a_bad_body_is_a_sentence(shared: Server, body: bytes, status: int) -> None:
    answer = shared.request("POST", "/api/execution-plans", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["error"].endswith(".")
    assert "Traceback" not in answer.text


def test_a_plan_with_problems_is_refused_when_run_with_each_of_them(shared: Server) -> None:
    plan = stored(shared, old_plan("Bad", old_step("slak", "post_message", channel="c", text="t")))
    answer = shared.request("POST", "/api/execute-plan", json={"execution_plan_id": plan["id"]})
    assert answer.status_code == 400
    assert "slak" in answer.text


def test_a_taken_port_is_said_and_the_next_one_used(server: Server, tmp_path: Path) -> None:
    port = int(server.address.rpartition(":")[2])
    other = Server(CommandLine(tmp_path / "other"), "--port", str(port))
    try:
        assert other.address != server.address
        assert str(port) in "".join(other.said)
    finally:
        other.stop()


def looping() -> dict[str, Any]:
    steps = [
        step("each", "flow", "loop", items="{{ trigger.names }}"),
        step("greet", "logic", "transform", parent="each", template="hello {{ item }}"),
    ]
    return flow("Greet each", steps, "each.body > greet")


@pytest.mark.parametrize("body", [looping(), {"plan_json": looping()}], ids=["bare", "as plan_json"])
def test_a_flow_document_is_stored_as_it_was_drawn(shared: Server, body: dict[str, Any]) -> None:
    plan = stored(shared, body)
    assert plan["name"] == "Greet each"
    run = shared.post("/api/execute-plan", {"execution_plan_id": plan["id"], "trigger_data": {"names": ["Ada", "Bob"]}})
    greetings = [line["output"] for line in run["logs"] if line["action"] == "transform"]
    assert greetings == ["hello Ada", "hello Bob"]


def test_a_client_that_sends_back_the_array_it_was_shown_keeps_the_drawing(shared: Server) -> None:
    steps = [step(name, "logic", "transform", template=name) for name in ("start", "left", "right")]
    plan = stored(shared, flow("Branches", steps, "start > left", "start > right"))
    changed = shared.request("PUT", f"/api/execution-plans/{plan['id']}", json={**plan, "name": "Two branches"}).json()
    assert changed["name"] == "Two branches"
    run = shared.post("/api/execute-plan", {"execution_plan_id": plan["id"]})
    assert sorted(line["output"] for line in run["logs"]) == ["left", "right", "start"]
