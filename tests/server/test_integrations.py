"""/api/custom-integrations and the credentials that go with them."""

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

SHOP = {
    "name": "shop",
    "display_name": "Our shop",
    "auth_type": "api_key",
    "oauth_config": {"base_url": "http://127.0.0.1:1"},
    "actions": [
        {"id": "find_order", "name": "Find an order", "method": "GET", "endpoint": "/orders/{id}", "params": ["id"]}
    ],
}


def test_an_integration_is_stored_changed_listed_and_deleted(call: Any) -> None:
    answer = call("POST", "/custom-integrations", SHOP)
    assert answer.status_code == 201
    stored = answer.json()
    assert stored["oauth_config"]["auth_header"] == "Authorization"
    assert stored["oauth_config"]["auth_prefix"] == "Bearer"
    path = f"/custom-integrations/{stored['id']}"
    assert call("GET", path).json() == stored
    changed = call("PUT", path, {"display_name": "The shop"}).json()
    assert (changed["display_name"], changed["actions"]) == ("The shop", stored["actions"])
    assert [each["id"] for each in call("GET", "/custom-integrations").json()] == [stored["id"]]
    assert call("GET", f"{path}?user_id=grace").status_code == 404
    assert call("DELETE", path).json() == {"message": "Integration deleted"}
    assert call("GET", path).json()["error"] == "Integration not found"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"auth_type": "magic"}, "auth_type"),
        ({"oauth_config": {"base_url": "ftp://x"}}, "oauth_config.base_url"),
        ({"actions": [{"id": "a"}]}, "actions[0].endpoint"),
        ({"actions": [{"id": "a", "endpoint": "/a", "method": "JUMP"}]}, "actions[0].method"),
        ({"actions": {}}, "actions"),
    ],
)
def test_a_wrong_field_is_named(call: Any, change: dict[str, Any], field: str) -> None:
    answer = call("POST", "/custom-integrations", {**SHOP, **change})
    assert answer.status_code == 400
    assert answer.json()["details"]["field"] == field


def test_it_runs_in_plans_by_name_and_by_id_with_its_key(call: Any, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/orders/7", headers={"Authorization": "Bearer k-1"}).respond_with_json({"total": 12})
    document = {**SHOP, "oauth_config": {"base_url": httpserver.url_for("")}}
    stored = call("POST", "/custom-integrations", document).json()
    path = f"/custom-integrations/{stored['id']}"
    kept = call("POST", f"{path}/credentials", {"value": "k-1"})
    assert kept.status_code == 201
    assert "k-1" not in kept.text
    for provider in ("shop", f"custom_{stored['id']}"):
        step = {"order": 1, "provider": provider, "action_id": "find_order", "params": {"id": "7"}}
        plan = call.plan(plan_json=[step])
        assert plan["missing_auth"] == []
        execution = call("POST", "/execute-plan", {"execution_plan_id": plan["id"]}).json()
        assert execution["status"] == "success", execution
        assert execution["logs"][0]["output"] == {"total": 12}


def test_a_trial_shows_the_vendors_answer(call: Any, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/ping", headers={"Authorization": "Bearer k-1"}).respond_with_json({"pong": True})
    document = {**SHOP, "oauth_config": {"base_url": httpserver.url_for("")}}
    path = f"/custom-integrations/{call('POST', '/custom-integrations', document).json()['id']}"
    call("POST", f"{path}/credentials", {"value": "k-1"})
    answer = call("POST", f"{path}/test", {"endpoint": "/ping", "method": "GET"})
    assert answer.json() == {"status": "success", "status_code": 200, "response": {"pong": True}}


def test_a_trial_that_reaches_nobody_is_400_failed(call: Any) -> None:
    path = f"/custom-integrations/{call('POST', '/custom-integrations', SHOP).json()['id']}"
    answer = call("POST", f"{path}/test", {"endpoint": "/ping", "method": "GET"})
    assert answer.status_code == 400
    assert answer.json()["status"] == "failed"
    assert answer.json()["error"]


def test_credentials_are_listed_without_values_and_deleted(call: Any) -> None:
    stored = call("POST", "/provider-credentials/slack", {"credentials": {"api_key": "xoxb-1"}}).json()
    (listed,) = call("GET", "/provider-credentials").json()
    assert listed["provider"] == "slack"
    assert "xoxb-1" not in str(listed)
    assert call("DELETE", f"/provider-credentials/{stored['credential_id']}?user_id=grace").status_code == 404
    assert call("DELETE", f"/provider-credentials/{stored['credential_id']}").status_code == 200
    assert call("GET", "/provider-credentials").json() == []


def test_a_value_of_the_wrong_type_is_named_but_not_shown(call: Any) -> None:
    answer = call("POST", "/provider-credentials/slack", {"credentials": {"api_key": 12345}})
    assert answer.status_code == 400
    assert answer.json()["details"]["field"] == "credentials.api_key"
    assert "12345" not in answer.text
