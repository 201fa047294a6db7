"""/api/execution-plans, row by row."""

from typing import Any

import pytest


def test_a_stored_plan_comes_back_with_all_its_keys(call: Any) -> None:
    plan = call.plan(description="Says hello", original_prompt="greet people", colour="blue")
    assert plan["name"] == "Greet"
    assert plan["user_id"] == "local"
    assert plan["status"] == "active"
    assert plan["enabled"] is True
    assert plan["colour"] == "blue"
    assert plan["required_providers"] == ["logic"]
    assert plan["missing_auth"] == []
    assert plan["plan_json"][0]["action_id"] == "transform"
    assert plan["created_at"] == plan["updated_at"]
    assert call("GET", f"/execution-plans/{plan['id']}").json() == plan


def test_plans_are_listed_newest_first(call: Any) -> None:
    first, second = call.plan(name="First"), call.plan(name="Second")
    assert [each["id"] for each in call("GET", "/execution-plans").json()] == [second["id"], first["id"]]


def test_a_put_replaces_the_keys_it_names_and_no_other(call: Any) -> None:
    plan = call.plan()
    changed = call("PUT", f"/execution-plans/{plan['id']}", {"name": "Wave", "enabled": False}).json()
    assert changed["name"] == "Wave"
    assert changed["enabled"] is False
    assert changed["plan_json"] == plan["plan_json"]


def test_approving_notes_when(call: Any) -> None:
    plan = call.plan(status="draft")
    assert plan["approved_at"] is None
    assert call("PUT", f"/execution-plans/{plan['id']}", {"status": "approved"}).json()["approved_at"]


def test_a_deleted_plan_is_gone(call: Any) -> None:
    plan = call.plan()
    answer = call("DELETE", f"/execution-plans/{plan['id']}")
    assert (answer.status_code, answer.json()) == (200, {"message": "Plan deleted"})
    answer = call("GET", f"/execution-plans/{plan['id']}")
    assert answer.status_code == 404
    assert answer.json()["error"] == "Plan not found"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": 7}, "name"),
        ({"plan_json": "steps"}, "plan_json"),
        ({"status": "sleeping"}, "status"),
        ({"enabled": "yes"}, "enabled"),
        ({"trigger": []}, "trigger"),
        ({"plain_english_steps": [1]}, "plain_english_steps[0]"),
        ({"user_id": 5}, "user_id"),
    ],
)
def test_a_wrong_type_is_400_and_names_the_field(call: Any, body: dict[str, Any], field: str) -> None:
    answer = call("POST", "/execution-plans", {"name": "x", "plan_json": [], **body})
    assert answer.status_code == 400
    assert field in answer.json()["error"]
    assert answer.json()["details"]["field"] == field


@pytest.mark.parametrize("text", ["{", "[]", '{"name": NaN}', '"text"', "[" * 100_000, b"\xff\xfe"])
def test_a_body_that_is_no_json_object_is_400(call: Any, text: str | bytes) -> None:
    answer = call("POST", "/execution-plans", data=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "workspace.bad_request"


def test_another_users_plan_does_not_exist_for_you(call: Any) -> None:
    plan = call.plan(user_id="ada")
    assert plan["user_id"] == "ada"
    assert call("GET", f"/execution-plans/{plan['id']}?user_id=ada").status_code == 200
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/trigger"), ("DELETE", "/schedule")):
        body = {"enabled": False} if method in ("PUT", "POST") else None
        assert call(method, f"/execution-plans/{plan['id']}{path}?user_id=grace", body).status_code == 404
    assert call("GET", "/execution-plans").json() == []


def test_a_credential_that_is_needed_and_missing_is_named_until_it_is_stored(call: Any) -> None:
    step = {"order": 1, "provider": "slack", "action_id": "post_message", "params": {"channel": "#a", "text": "b"}}
    plan = call.plan(plan_json=[step])
    assert plan["missing_auth"] == ["slack"]
    stored = call("POST", "/provider-credentials", {"provider": "slack", "value": "xoxb-secret"})
    assert stored.status_code == 201
    assert "xoxb-secret" not in stored.text
    assert call("GET", f"/execution-plans/{plan['id']}").json()["missing_auth"] == []
    assert "xoxb-secret" not in call("GET", "/provider-credentials").text


def test_an_expired_credential_counts_as_missing(call: Any) -> None:
    call("POST", "/provider-credentials", {"provider": "slack", "value": "x", "expires_at": "2020-01-01T00:00:00Z"})
    step = {"order": 1, "provider": "slack", "action_id": "post_message", "params": {"channel": "#a", "text": "b"}}
    assert call.plan(plan_json=[step])["missing_auth"] == ["slack"]


def test_a_schedule_is_a_job_with_its_next_run(call: Any) -> None:
    plan = call.plan()
    answer = call("POST", f"/execution-plans/{plan['id']}/schedule", {"cron_expression": "0 9 * * 1"})
    assert answer.json() == {"message": "Plan scheduled", "job_id": f"plan_{plan['id']}", "schedule": "0 9 * * 1"}
    jobs = call("GET", "/scheduler/jobs").json()
    assert jobs["total"] == 1
    assert jobs["jobs"][0]["id"] == f"plan_{plan['id']}"
    assert jobs["jobs"][0]["next_run"].endswith("09:00:00+00:00")
    assert call("DELETE", f"/execution-plans/{plan['id']}/schedule").json() == {"message": "Schedule removed"}
    assert call("GET", "/scheduler/jobs").json() == {"total": 0, "jobs": []}


def test_a_bad_cron_expression_is_400_and_says_which_field(call: Any) -> None:
    plan = call.plan()
    answer = call("POST", f"/execution-plans/{plan['id']}/schedule", {"cron_expression": "0 25 * * 1"})
    assert answer.status_code == 400
    assert "hour" in answer.json()["error"]
    answer = call("POST", f"/execution-plans/{plan['id']}/schedule", {"timezone": "Europe/Berlin"})
    assert answer.json()["details"]["field"] == "cron_expression"
    assert call("GET", "/scheduler/jobs").json()["total"] == 0


@pytest.mark.parametrize(
    "trigger",
    [
        {"type": "schedule", "config": {"cron_expression": "5 4 * * *", "timezone": "Europe/Berlin"}},
        {"type": "cron", "cron_expression": "5 4 * * *"},
    ],
)
def test_both_trigger_dialects_register_a_schedule(call: Any, trigger: dict[str, Any]) -> None:
    plan = call.plan()
    answer = call("POST", f"/execution-plans/{plan['id']}/trigger", {"trigger": trigger, "enabled": True})
    assert answer.status_code == 200, answer.text
    assert call("GET", "/scheduler/jobs").json()["total"] == 1
    call("POST", f"/execution-plans/{plan['id']}/trigger", {"trigger": trigger, "enabled": False})
    assert call("GET", "/scheduler/jobs").json()["total"] == 0


def test_a_plan_without_trigger_has_none_registered(call: Any) -> None:
    plan = call.plan(trigger={"type": "cron", "cron_expression": "5 4 * * *"})
    assert call("GET", "/scheduler/jobs").json()["total"] == 1
    answer = call("POST", f"/execution-plans/{plan['id']}/trigger", {"trigger": None})
    assert answer.json()["trigger"] is None
    assert call("GET", "/scheduler/jobs").json()["total"] == 0


def test_a_deleted_plan_is_not_scheduled_any_more(call: Any) -> None:
    plan = call.plan(trigger={"type": "cron", "cron_expression": "5 4 * * *"})
    call("DELETE", f"/execution-plans/{plan['id']}")
    assert call("GET", "/scheduler/jobs").json()["total"] == 0


def test_an_unknown_kind_of_trigger_is_400(call: Any) -> None:
    plan = call.plan()
    answer = call("POST", f"/execution-plans/{plan['id']}/trigger", {"trigger": {"type": "moon"}})
    assert answer.status_code == 400
    assert "trigger" in answer.json()["error"]


def test_a_webhook_trigger_without_a_path_is_400(call: Any) -> None:
    plan = call.plan()
    answer = call("POST", f"/execution-plans/{plan['id']}/trigger", {"trigger": {"type": "webhook", "config": {}}})
    assert answer.status_code == 400
    assert answer.json()["details"]["field"] == "trigger.config.webhook_path"


def test_two_plans_cannot_own_one_webhook_path(call: Any) -> None:
    trigger = {"type": "webhook", "config": {"webhook_path": "leads"}}
    call.plan(trigger=trigger)
    answer = call("POST", "/execution-plans", {"name": "Other", "plan_json": [], "trigger": trigger})
    assert answer.status_code == 409
    assert len(call("GET", "/execution-plans").json()) == 1


def raw(call: Any, path: str, text: str) -> Any:
    """A body that `json.dumps` would not write."""
    headers = {"Content-Type": "application/json"}
    return call.session.post(f"{call.address}/api{path}", data=text.encode(), headers=headers, timeout=30)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"name": "p", "plan_json": [{"provider": "http", "order": 1e999}]}', "plan_json[0].order must be a number"),
        ('{"name": "p", "colour": ' + "[" * 300 + "]" * 300 + "}", "nested too deeply"),
        (
            '{"flowstudio": 1, "id": "p", "steps": [{"id": "a", "provider": "b", "action": "c", "x": 1%s}]}'
            % ("0" * 400),
            "steps[0].x is too large a number",
        ),
    ],
)
def test_a_value_no_plan_can_hold_is_400_and_hides_no_other_plan(call: Any, text: str, sentence: str) -> None:
    plan = call.plan()
    answer = raw(call, "/execution-plans", text)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]
    assert [each["id"] for each in call("GET", "/execution-plans").json()] == [plan["id"]]


def test_a_character_no_database_holds_is_400(call: Any) -> None:
    answer = raw(call, "/execute-plan", '{"execution_plan_id": "\\ud800"}')
    assert (answer.status_code, answer.json()["code"]) == (400, "storage.unstorable")


@pytest.mark.parametrize("path", ["../x", "a/./b", "a\r\nb", "\0"])
def test_a_webhook_path_no_request_can_come_to_is_refused(call: Any, path: str) -> None:
    plan = call.plan()
    trigger = {"type": "webhook", "config": {"webhook_path": path}}
    answer = call("POST", f"/execution-plans/{plan['id']}/trigger", {"trigger": trigger})
    assert (answer.status_code, answer.json()["details"]) == (400, {"field": "webhook_path"})
    assert call("GET", f"/execution-plans/{plan['id']}").json()["trigger"] is None
