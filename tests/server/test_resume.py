"""/api/resume: who only looks at the address does not resume the run."""

from typing import Any

import pytest

from tests.acceptance.polling import until

CALL = {"order": 1, "provider": "wait", "action_id": "webhook"}


@pytest.fixture
def waiting(call: Any) -> str:
    """A run that waits for a call."""
    run_id: str = call("POST", "/runs", {"execution_plan_id": call.plan(plan_json=[CALL])["id"]}).json()["id"]
    until(lambda: state_of(call, run_id), lambda state: state == "waiting")
    return run_id


def state_of(call: Any, run_id: str) -> str:
    state: str = call("GET", f"/runs/{run_id}").json()["state"]
    return state


def address(call: Any, run_id: str) -> str:
    url: str = call("GET", f"/runs/{run_id}").json()["resume_url"]
    return url.partition("/api")[2]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_a_look_at_the_address_resumes_nothing(call: Any, waiting: str, method: str) -> None:
    assert call(method, address(call, waiting)).status_code == 204
    assert call(method, "/resume/nobodys-key").status_code == 204
    assert state_of(call, waiting) == "waiting"


@pytest.mark.parametrize(
    "header", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}]
)
def test_what_a_browser_fetches_ahead_resumes_nothing(call: Any, waiting: str, header: dict[str, str]) -> None:
    refused = call("GET", address(call, waiting), headers=header)
    assert refused.status_code == 400
    assert "click" in refused.json()["error"]
    assert state_of(call, waiting) == "waiting"


def test_a_click_resumes_once(call: Any, waiting: str) -> None:
    link = address(call, waiting)
    assert call("GET", link).status_code == 200
    assert call("GET", link).status_code == 409


@pytest.mark.parametrize("where", ["/nobody", "?iteration=7"])
def test_a_step_that_does_not_wait_is_told_so(call: Any, waiting: str, where: str) -> None:
    refused = call("POST", address(call, waiting) + where)
    assert refused.status_code == 409
    assert "does not wait for a call" in refused.json()["error"]
    assert state_of(call, waiting) == "waiting"
