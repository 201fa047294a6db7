"""/api/runs: listing, reading and steering runs."""

from typing import Any

import pytest

from tests.acceptance.polling import until

DATA = {"body": {"name": "Ada"}}
WAIT = {"order": 1, "provider": "wait", "action_id": "duration", "params": {"seconds": 600}}


def started(call: Any, plan: dict[str, Any], data: Any = None) -> str:
    document = {"execution_plan_id": plan["id"], "trigger_data": data}
    run_id: str = call("POST", "/execute-plan?wait=false", document).json()["id"]
    return run_id


def state_of(call: Any, run_id: str) -> str:
    state: str = call("GET", f"/runs/{run_id}").json()["state"]
    return state


@pytest.fixture
def waiting(call: Any) -> str:
    run_id = started(call, call.plan(plan_json=[WAIT]))
    until(lambda: state_of(call, run_id), lambda state: state == "waiting")
    return run_id


def test_a_run_says_what_it_did_and_what_started_it(call: Any) -> None:
    plan = call.plan()
    run_id = call("POST", "/execute-plan", {"execution_plan_id": plan["id"], "trigger_data": DATA}).json()["id"]
    run = call("GET", f"/runs/{run_id}").json()
    assert (run["plan_id"], run["state"], run["failure"]) == (plan["id"], "succeeded", None)
    assert run["trigger"] == {"kind": "manual", "id": None, "data": DATA}


def test_its_steps_come_with_their_data(call: Any) -> None:
    plan = call.plan()
    run_id = call("POST", "/execute-plan", {"execution_plan_id": plan["id"], "trigger_data": DATA}).json()["id"]
    (step,) = call("GET", f"/runs/{run_id}/steps").json()["steps"]
    assert (step["state"], step["attempt"], step["iteration"], step["ports"]) == ("succeeded", 1, "", ["out"])
    assert "Hello Ada" in str(step["output"])


def test_runs_are_listed_by_state(call: Any, waiting: str) -> None:
    call("POST", "/execute-plan", {"execution_plan_id": call.plan()["id"], "trigger_data": DATA})
    assert [run["id"] for run in call("GET", "/runs?state=waiting").json()["runs"]] == [waiting]
    assert len(call("GET", "/runs").json()["runs"]) == 2


def test_a_state_that_does_not_exist_is_400(call: Any) -> None:
    answer = call("GET", "/runs?state=asleep")
    assert answer.status_code == 400
    assert "succeeded" in answer.json()["error"]


def test_a_waiting_run_is_paused_and_resumed(call: Any, waiting: str) -> None:
    assert call("POST", f"/runs/{waiting}/pause").status_code == 200
    until(lambda: state_of(call, waiting), lambda state: state == "paused")
    assert call("POST", f"/runs/{waiting}/resume").status_code == 200
    until(lambda: state_of(call, waiting), lambda state: state == "waiting")


def test_resuming_what_is_not_paused_is_409_and_says_so(call: Any, waiting: str) -> None:
    answer = call("POST", f"/runs/{waiting}/resume")
    assert answer.status_code == 409
    assert "it is waiting" in answer.json()["error"]


def test_a_cancelled_run_ends(call: Any, waiting: str) -> None:
    assert call("POST", f"/runs/{waiting}/cancel").status_code == 200
    until(lambda: state_of(call, waiting), lambda state: state == "cancelled")


def test_all_runs_are_stopped_at_once(call: Any, waiting: str) -> None:
    other = started(call, call.plan(plan_json=[WAIT]))
    assert call("POST", "/runs/cancel").json() == {"cancelled": 2}
    until(lambda: {state_of(call, each) for each in (waiting, other)}, lambda states: states == {"cancelled"})


def test_stopping_all_stops_the_own_runs_alone(call: Any, waiting: str) -> None:
    assert call("POST", "/runs/cancel?user_id=somebody").json() == {"cancelled": 0}
    assert state_of(call, waiting) == "waiting"


@pytest.mark.parametrize("path", ["/runs/none", "/runs/none/steps"])
def test_an_unknown_run_is_404(call: Any, path: str) -> None:
    assert call("GET", path).status_code == 404


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
def test_an_unknown_run_cannot_be_steered(call: Any, verb: str) -> None:
    assert call("POST", f"/runs/none/{verb}").status_code == 404


def test_the_runs_of_others_are_unknown(call: Any, waiting: str) -> None:
    assert call("GET", f"/runs/{waiting}?user_id=somebody").status_code == 404
    assert call("POST", f"/runs/{waiting}/cancel?user_id=somebody").status_code == 404


@pytest.mark.parametrize("mode", [{"trigger_data": 1}, {}])
def test_a_run_builds_on_no_other_users_run(call: Any, waiting: str, mode: dict[str, Any]) -> None:
    mine = call("POST", "/execution-plans", {"name": "Mine", "plan_json": [WAIT], "user_id": "bob"}).json()
    document = {"execution_plan_id": mine["id"], "based_on": waiting, "user_id": "bob", **mode}
    assert call("POST", "/runs", document).status_code == 404
