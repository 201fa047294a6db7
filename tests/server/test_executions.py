"""/api/execute-plan, /api/executions, /api/execution-logs, /api/monitoring/status."""

import threading
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

DATA = {"body": {"name": "Ada"}}


def test_executing_a_plan_answers_its_execution_after_it_ended(call: Any) -> None:
    plan = call.plan()
    answer = call("POST", "/execute-plan", {"execution_plan_id": plan["id"], "trigger_data": DATA})
    assert answer.status_code == 200
    execution = answer.json()
    assert execution["execution_plan_id"] == plan["id"]
    assert execution["status"] == "success"
    assert execution["trigger_data"] == DATA
    assert execution["error_message"] is None
    assert execution["finished_at"] >= execution["started_at"]
    (log,) = execution["logs"]
    assert (log["step"], log["provider"], log["action"], log["status"]) == (1, "logic", "transform", "success")
    assert log["action_name"] == "Write the greeting"
    assert "Hello Ada" in str(log["output"])
    assert log["duration"] >= 0
    assert call("GET", f"/executions/{execution['id']}").json() == execution


def test_without_waiting_it_is_202_and_can_be_asked_for(call: Any, httpserver: HTTPServer) -> None:
    may_answer = threading.Event()

    def slow(_request: Request) -> Response:
        may_answer.wait(10)
        return Response("{}", content_type="application/json")

    httpserver.expect_request("/slow").respond_with_handler(slow)
    step = {"order": 1, "provider": "http", "action_id": "request", "params": {"url": httpserver.url_for("/slow")}}
    plan = call.plan(plan_json=[step])
    answer = call("POST", "/execute-plan?wait=false", {"execution_plan_id": plan["id"]})
    assert answer.status_code == 202
    assert answer.json()["status"] in ("pending", "running")
    assert answer.headers["Location"] == f"/api/executions/{answer.json()['id']}"
    may_answer.set()


def test_a_run_that_fails_is_answered_with_its_reason(call: Any) -> None:
    plan = call.plan()
    execution = call("POST", "/execute-plan", {"execution_plan_id": plan["id"], "trigger_data": {}}).json()
    assert execution["status"] == "failed"
    assert "trigger.body" in execution["error_message"]


def test_a_plan_that_cannot_run_is_400_with_every_problem(call: Any) -> None:
    steps = [{"order": 1, "provider": "slak", "action_id": "post_message", "params": {}}]
    plan = call.plan(plan_json=steps)
    answer = call("POST", "/execute-plan", {"execution_plan_id": plan["id"]})
    assert answer.status_code == 400
    problems = answer.json()["details"]["problems"]
    assert problems[0]["step"]
    assert "slak" in answer.json()["error"]
    assert call("GET", "/execution-logs").json() == []


def test_an_unknown_plan_or_execution_is_404(call: Any) -> None:
    assert call("POST", "/execute-plan", {"execution_plan_id": "none"}).json()["error"] == "Plan not found"
    assert call("GET", "/executions/none").status_code == 404


def test_a_missing_plan_id_is_400_naming_it(call: Any) -> None:
    answer = call("POST", "/execute-plan", {})
    assert answer.status_code == 400
    assert answer.json()["details"]["field"] == "execution_plan_id"


def test_logs_are_an_array_newest_first_and_can_be_narrowed(call: Any) -> None:
    first, second = call.plan(name="First"), call.plan(name="Second")
    for plan in (first, second, second):
        call("POST", "/execute-plan", {"execution_plan_id": plan["id"], "trigger_data": DATA})
    logs = call("GET", "/execution-logs").json()
    assert [log["plan_name"] for log in logs] == ["Second", "Second", "First"]
    assert set(logs[0]) == {"id", "plan_id", "plan_name", "status", "timestamp", "steps"}
    assert len(call("GET", f"/execution-logs?plan_id={second['id']}&limit=1").json()) == 1
    assert call("GET", "/execution-logs?user_id=grace").json() == []
    assert call("GET", "/execution-logs?limit=none").status_code == 400


def test_another_users_execution_does_not_exist_for_you(call: Any) -> None:
    plan = call.plan(user_id="ada")
    body = {"execution_plan_id": plan["id"], "user_id": "ada", "trigger_data": DATA}
    execution = call("POST", "/execute-plan", body).json()
    assert call("GET", f"/executions/{execution['id']}").status_code == 404
    assert call("GET", f"/executions/{execution['id']}?user_id=ada").status_code == 200


def test_status_counts_and_shows_what_ran_last(call: Any) -> None:
    plan = call.plan()
    for data in (DATA, {}):
        call("POST", "/execute-plan", {"execution_plan_id": plan["id"], "trigger_data": data})
    status = call("GET", "/monitoring/status").json()
    assert (status["total_executions"], status["successful"], status["failed"]) == (2, 1, 1)
    assert [each["status"] for each in status["recent_activity"]] == ["failed", "success"]


def test_iterations_of_an_old_loop_are_logs_of_their_own(call: Any) -> None:
    steps = [
        {"order": 1, "provider": "logic", "action_id": "split", "params": {"value": "a,b,c"}},
        {
            "order": 2,
            "provider": "logic",
            "action_id": "transform",
            "type": "loop",
            "params": {"template": "item {{ item }}"},
            "loop_config": {"items_source": "step_1.output"},
        },
    ]
    plan = call.plan(plan_json=steps)
    execution = call("POST", "/execute-plan", {"execution_plan_id": plan["id"]}).json()
    assert execution["status"] == "success", execution
    iterations = [log["iteration"] for log in execution["logs"] if "iteration" in log]
    assert iterations == [1, 2, 3]
    assert {log["step"] for log in execution["logs"] if "iteration" in log} == {2}
