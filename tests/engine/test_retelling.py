"""A stored run told again."""

from datetime import UTC, datetime, timedelta

from flowstudio.engine.events import (
    LogWritten,
    RunEnded,
    RunEvent,
    RunStarted,
    StepFailed,
    StepHeld,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from flowstudio.engine.model import Failure, Run, RunState, StepRun, StepState, TriggerEvent
from flowstudio.engine.retelling import retell
from flowstudio.plan.model import Plan, Step

BEGAN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
STEPS = (Step("each", "flow", "loop"), Step("a", "logic", "transform", parent="each"), Step("b", "logic", "transform"))


def run(state: RunState = RunState.SUCCEEDED) -> Run:
    plan = Plan("p", "Plan", steps=STEPS)
    ended = BEGAN + timedelta(seconds=3.4) if state.is_final else None
    return Run("r", "local", plan, state, TriggerEvent(), BEGAN, BEGAN, ended)


def result(step_id: str, sequence: int, state: StepState = StepState.SUCCEEDED, **more: object) -> StepRun:
    return StepRun("r", step_id, more.pop("iteration", ()), state, sequence, **more)  # type: ignore[arg-type]


def kinds(events: list[RunEvent]) -> list[type[RunEvent]]:
    return [type(event) for event in events]


def test_it_begins_with_the_start_and_ends_with_the_end() -> None:
    events = retell(run(), [])
    assert kinds(events) == [RunStarted, RunEnded]
    assert isinstance(events[1], RunEnded)
    assert (events[1].state, events[1].duration_ms) == (RunState.SUCCEEDED, 3400.0)


def test_results_come_in_the_order_they_became_known() -> None:
    events = retell(run(), [result("b", 2), result("a", 1, iteration=(0,))])
    assert [event.step_id for event in events if isinstance(event, StepSucceeded)] == ["a", "b"]


def test_a_loop_counts_its_results_and_a_list_its_items() -> None:
    rows = [result("each", 1, output={"results": [1, 2, 3], "count": 3}), result("b", 2, output=["x", "y"])]
    assert [event.items for event in retell(run(), rows) if isinstance(event, StepSucceeded)] == [3, 2]


def test_failures_and_skips_keep_their_reason() -> None:
    why = Failure("http.status", "The server answered 500.")
    rows = [result("a", 1, StepState.FAILED, failure=why), result("b", 2, StepState.SKIPPED, message="not taken")]
    events = retell(run(RunState.FAILED), rows)
    assert [event.failure for event in events if isinstance(event, StepFailed)] == [why]
    assert [event.reason for event in events if isinstance(event, StepSkipped)] == ["not taken"]


def test_a_run_under_way_has_no_end_and_its_open_steps_only_a_start() -> None:
    events = retell(run(RunState.RUNNING), [result("a", 1, StepState.RUNNING)])
    assert kinds(events) == [RunStarted, StepStarted]


def test_lines_of_the_log_stand_between_results_by_their_time() -> None:
    rows = [
        result("a", 1, iteration=(0,), started_at=BEGAN + timedelta(seconds=1)),
        result("b", 2, started_at=BEGAN + timedelta(seconds=3)),
    ]
    lines = [LogWritten("r", BEGAN + timedelta(seconds=at), "info", str(at)) for at in (0, 2, 3.2)]
    told = retell(run(), rows, lines)
    places = [each.text if isinstance(each, LogWritten) else type(each).__name__ for each in told]
    assert places == [
        *("RunStarted", "0", "StepStarted", "StepSucceeded", "2", "StepStarted", "StepSucceeded", "3.2", "RunEnded")
    ]


def test_a_wait_for_a_turn_is_told_before_the_start() -> None:
    waited = {"waited_ms": 1500.0, "waited_for": "Waits: Vendor takes 1 call at once."}
    began = BEGAN + timedelta(seconds=2)
    events = retell(run(), [result("a", 1, metadata=waited, started_at=began)])
    assert kinds(events) == [RunStarted, StepHeld, StepStarted, StepSucceeded, RunEnded]
    held = events[1]
    assert isinstance(held, StepHeld)
    assert (held.at, held.until) == (BEGAN + timedelta(seconds=0.5), began)


def test_a_step_that_still_waits_for_its_turn_has_not_started() -> None:
    waits = {"awaits": "turn", "waits_for": "Waits: Vendor takes 1 call at once."}
    events = retell(run(RunState.RUNNING), [result("a", 1, StepState.WAITING, metadata=waits)])
    assert kinds(events) == [RunStarted, StepHeld]


def test_a_queued_run_has_not_started() -> None:
    assert retell(run(RunState.QUEUED), []) == []
