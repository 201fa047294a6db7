"""What holds for every address: access rules, CORS, limits, the shape of errors; health and providers."""

from typing import Any

import pytest
import requests

from flowstudio.app import Application

EVIL = "https://evil.example"
OURS = "http://localhost:5000"


def test_health_says_that_all_parts_work(call: Any) -> None:
    health = call("GET", "/health").json()
    assert (health["status"], health["scheduler"], health["database"]) == ("healthy", "active", "connected")
    assert health["version"]


def test_a_foreign_host_is_421_everywhere(call: Any) -> None:
    for path in ("/health", "/execution-plans", "/webhook/x"):
        answer = call("GET", path, headers={"Host": "evil.example"})
        assert answer.status_code == 421
        assert answer.json()["code"] == "access.host"


def test_a_page_from_elsewhere_cannot_change_or_read(call: Any) -> None:
    answer = call("POST", "/execution-plans", {"name": "x", "plan_json": []}, headers={"Origin": EVIL})
    assert answer.status_code == 403
    answer = call("GET", "/execution-plans", headers={"Origin": EVIL})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.json() == []


def test_a_page_of_this_computer_gets_cors_headers(call: Any) -> None:
    answer = call("POST", "/execution-plans", {"name": "x", "plan_json": []}, headers={"Origin": OURS})
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "Origin" in answer.headers["Vary"]


def test_even_an_error_gets_cors_headers(call: Any) -> None:
    answer = call("GET", "/execution-plans/none", headers={"Origin": OURS})
    assert answer.status_code == 404
    assert answer.headers["Access-Control-Allow-Origin"] == OURS


def preflight(call: Any, origin: str) -> requests.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
    }
    answer: requests.Response = call("OPTIONS", "/execution-plans/x", headers=headers)
    return answer


def test_preflights_are_answered_for_friends_only(call: Any) -> None:
    friend, stranger = preflight(call, OURS), preflight(call, EVIL)
    assert friend.status_code == 204
    assert "PUT" in friend.headers["Access-Control-Allow-Methods"]
    assert friend.headers["Access-Control-Allow-Headers"] == "content-type"
    assert stranger.status_code == 403
    assert "Access-Control-Allow-Origin" not in stranger.headers


def test_a_body_over_the_limit_is_413(call: Any) -> None:
    for path in ("/execution-plans", "/webhook/any"):
        answer = call("POST", path, data=b"x" * 200_000, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert "larger" in answer.json()["error"]


def test_unknown_addresses_and_methods_are_sentences(call: Any) -> None:
    answer = call("GET", "/nothing")
    assert answer.status_code == 404
    assert answer.json()["error"] == "There is nothing at this address."
    answer = call("PATCH", "/execution-plans")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "error" in answer.json()


@pytest.mark.logs("A request failed on a bug")
def test_a_bug_is_a_sentence_without_a_traceback(
    call: Any, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(application.services.history), "status", broken)
    answer = call("GET", "/monitoring/status")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


def test_user_ids_that_disagree_are_400(call: Any) -> None:
    answer = call("POST", "/execution-plans?user_id=ada", {"name": "x", "plan_json": [], "user_id": "grace"})
    assert answer.status_code == 400
    assert answer.json()["details"]["field"] == "user_id"


def test_under_the_token_policy_only_tokens_are_answered(application: Application) -> None:
    token = application.services.tokens.create("ada")
    info = application.serve(host="0.0.0.0", port=0)
    assert "every request needs a token" in info.message
    address = f"http://127.0.0.1:{info.port}/api"
    mine = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{address}/execution-plans", timeout=10).status_code == 401
    assert requests.get(f"{address}/execution-plans", headers=mine, timeout=10).json() == []
    other = requests.get(f"{address}/execution-plans?user_id=grace", headers=mine, timeout=10)
    assert other.status_code == 403
    assert requests.get(f"{address}/health", timeout=10).status_code == 200
    stored = requests.post(f"{address}/execution-plans", json={"name": "x", "plan_json": []}, headers=mine, timeout=10)
    assert stored.json()["user_id"] == "ada"


def test_providers_list_their_actions_and_params(call: Any) -> None:
    document = call("GET", "/providers").json()
    assert document["total"] == len(document["providers"]) > 10
    slack = next(each for each in document["providers"] if each["name"] == "slack")
    action = next(each for each in slack["actions"] if "post_message" in (each["id"], *each["aliases"]))
    assert set(action) >= {"id", "name", "description", "params", "schema"}
    assert action["params"] == list(action["schema"]["properties"])


def test_providers_can_be_searched(call: Any) -> None:
    document = call("GET", "/providers?q=slack").json()
    assert document["providers"][0]["name"] == "slack"
    assert call("GET", "/providers?q=zzzzzz").json() == {"total": 0, "providers": []}
