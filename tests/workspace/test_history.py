"""Runs in the contract's shapes."""

from datetime import UTC, datetime, timedelta

import pytest

from flowstudio.engine.model import Failure, Run, RunState, StepRun, StepState, TriggerEvent
from flowstudio.plan.model import Plan, Step
from flowstudio.workspace.history import execution, step_orders

NOW = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
PLAN = Plan(
    "p1",
    "Leads",
    steps=(
        Step("each", "flow", "loop"),
        Step("post", "slack", "post_message", title="Tell", parent="each"),
        Step("fetch", "http", "request"),
    ),
)


def run_of(state: RunState) -> Run:
    return Run("r1", "ada", PLAN, state, TriggerEvent(data={"a": 1}), NOW)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (RunState.QUEUED, "pending"),
        (RunState.INTERRUPTED, "pending"),
        (RunState.RUNNING, "running"),
        (RunState.WAITING, "running"),
        (RunState.PAUSED, "running"),
        (RunState.SUCCEEDED, "success"),
        (RunState.FAILED, "failed"),
        (RunState.CANCELLED, "cancelled"),
    ],
)
def test_every_state_has_one_of_the_five_old_words(state: RunState, status: str) -> None:
    assert execution(run_of(state), [])["status"] == status


def test_a_failed_step_tells_its_sentence_and_the_fix() -> None:
    failure = Failure("provider.vendor", "Slack said no.", "Invite the bot.")
    step = StepRun("r1", "fetch", (), StepState.FAILED, 1, failure=failure, started_at=NOW, duration_ms=1.23456)
    (log,) = execution(run_of(RunState.FAILED), [step])["logs"]
    assert log["error"] == "Slack said no. Invite the bot."
    assert log["timestamp"] == "2025-03-01T09:00:00+00:00"
    assert log["duration"] == 1.235


def test_iterations_count_from_one_and_nested_ones_say_their_path() -> None:
    steps = [
        StepRun("r1", "post", (0,), StepState.SUCCEEDED, 1),
        StepRun("r1", "post", (1, 2), StepState.SUCCEEDED, 2),
        StepRun("r1", "fetch", (), StepState.SKIPPED, 3),
        StepRun("r1", "each", (), StepState.RUNNING, 4),
    ]
    logs = execution(run_of(RunState.SUCCEEDED), steps)["logs"]
    assert [log.get("iteration") for log in logs] == [1, 3, None]
    assert logs[1]["iteration_path"] == [2, 3]
    assert logs[2]["status"] == "skipped"


def test_times_end_where_the_run_ended() -> None:
    run = Run(
        "r1", "ada", PLAN, RunState.SUCCEEDED, TriggerEvent(), NOW, NOW + timedelta(1), NOW + timedelta(2), None, None
    )
    document = execution(run, [])
    assert document["started_at"] == "2025-03-02T09:00:00+00:00"
    assert document["finished_at"] == "2025-03-03T09:00:00+00:00"


def test_orders_follow_the_plan_and_count_from_one() -> None:
    assert step_orders(PLAN) == {"each": 1, "post": 2, "fetch": 3}


def test_inside_an_old_loop_the_order_is_the_loops_own() -> None:
    plan = Plan("p", "Old", steps=PLAN.steps, ordinals=("each", "fetch"))
    assert step_orders(plan) == {"each": 1, "fetch": 2, "post": 1}
