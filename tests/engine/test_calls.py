"""Runs that steps call: met again after a crash at any moment, ended with their caller, and calls from outside."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from flowstudio.engine.calls import child_id
from flowstudio.engine.errors import NotWaitingError
from flowstudio.engine.events import StepHeld
from flowstudio.engine.model import Run, RunLink, RunState, StepRun, StepState, TriggerEvent
from flowstudio.engine.ports import Invocation, RunChange
from flowstudio.plan.model import OnError, Plan, Retry, Step, TriggerKind
from flowstudio.providers.result import ProviderResult
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, refusal, step

CHILD = replace(plan(step("c", params={"value": "{{ trigger }}"})), id="child")
LINK = RunLink("r1", "sub")
CHILD_ID = child_id(LINK, 1)


def calling(**fields: object) -> Step:
    return step("sub", "flow.subplan", {"plan": "child", "inputs": 7}, **fields)


def caller(**fields: object) -> Plan:
    return plan(calling(**fields), step("after", params={"value": "{{ steps.sub.output }}"}), edges="sub > after")


def child_run(bench: Workbench, state: RunState = RunState.QUEUED) -> Run:
    event = TriggerEvent(TriggerKind.PLAN, 7)
    return Run(CHILD_ID, "local", bench.plans["child"], state, event, datetime.now(UTC), parent=LINK, depth=1)


def waiting_row() -> StepRun:
    return StepRun("r1", "sub", (), StepState.WAITING, 1, metadata={"awaits": "run", "run": CHILD_ID})


def ended(bench: Workbench, run_id: str = "r1", state: RunState = RunState.SUCCEEDED) -> Run:
    run = bench.engine.wait(run_id, PATIENCE_S)
    assert run is not None
    assert run.state is state, run.failure
    return run


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    bench.plans["child"] = CHILD
    return bench


def held(bench: Workbench, count: int = 1) -> None:
    """Returns when that many steps were parked."""
    end, pause = monotonic() + PATIENCE_S, threading.Event()
    while sum(isinstance(event, StepHeld) for event in bench.events) < count:
        assert monotonic() < end
        pause.wait(0.005)


# What a crash may leave behind


def nothing_yet(bench: Workbench) -> None:
    """Killed before the child was stored."""


def child_stored(bench: Workbench) -> None:
    """Killed before the caller's row said that it waits."""
    bench.store.create(child_run(bench))


def child_done_unnoticed(bench: Workbench) -> None:
    bench.store.create(child_run(bench))
    child_done(bench)


def caller_waiting(bench: Workbench) -> None:
    bench.store.create(child_run(bench))
    bench.store.write([waiting_row(), RunChange("r1", RunState.WAITING, datetime.now(UTC))])


def child_done(bench: Workbench) -> None:
    row = StepRun(CHILD_ID, "c", (), StepState.SUCCEEDED, 1, ports=("out",), output=7)
    bench.store.write([row, RunChange(CHILD_ID, RunState.SUCCEEDED, datetime.now(UTC))])


def child_done_and_caller_waiting(bench: Workbench) -> None:
    caller_waiting(bench)
    child_done(bench)


CRASHES = [nothing_yet, child_stored, child_done_unnoticed, caller_waiting, child_done_and_caller_waiting]


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: crash.__name__)
def test_whenever_the_process_dies_the_child_is_run_once(bench: Workbench, crash: Callable[[Workbench], None]) -> None:
    bench.store.create(replace(new_run(caller()), state=RunState.RUNNING))
    crash(bench)
    was_done = bench.store.step_run(CHILD_ID, "c", ()) is not None
    bench.engine.recover()
    ended(bench)
    assert bench.outputs()["after"] == 7
    assert bench.invoker.called() == (["after"] if was_done else ["c", "after"])


def test_a_child_whose_caller_has_ended_is_cancelled_at_the_next_start(bench: Workbench) -> None:
    bench.store.create(replace(new_run(caller()), state=RunState.RUNNING))
    caller_waiting(bench)
    bench.store.write([RunChange("r1", RunState.CANCELLED, datetime.now(UTC))])
    bench.engine.recover()
    ended(bench, CHILD_ID, RunState.CANCELLED)
    assert bench.invoker.called() == []


@pytest.mark.logs("cannot be taken up again")
def test_a_child_that_cannot_be_taken_up_fails_its_caller(bench: Workbench) -> None:
    bench.plans["child"] = replace(plan(step("a"), step("b"), edges="a > b, b > a"), id="child")
    bench.store.create(replace(new_run(caller()), state=RunState.RUNNING))
    caller_waiting(bench)
    bench.engine.recover()
    run = ended(bench, state=RunState.FAILED)
    assert run.failure is not None
    assert "circle" in run.failure.sentence


def test_the_child_knows_its_caller_and_the_caller_its_child(bench: Workbench) -> None:
    bench.run(caller())
    child = bench.store.get(CHILD_ID)
    assert (child.parent, child.depth, child.trigger.kind) == (LINK, 1, TriggerKind.PLAN)
    assert bench.row("sub").metadata == {"run": CHILD_ID, "plan": "child"}


def test_a_failed_call_is_tried_again_as_a_run_of_its_own(bench: Workbench) -> None:
    answers = iter([refusal(retryable=True), 3])
    bench.invoker.functions["flaky"] = lambda call: next(answers)
    bench.plans["child"] = replace(plan(step("c", "test.flaky")), id="child")
    bench.run(caller(retry=Retry(2, 0.001)))
    assert bench.outputs()["after"] == 3
    states = [bench.store.get(child_id(LINK, attempt)).state for attempt in (1, 2)]
    assert states == [RunState.FAILED, RunState.SUCCEEDED]


def test_a_call_that_takes_too_long_is_cancelled(bench: Workbench) -> None:
    bench.plans["child"] = replace(plan(step("c", "wait.duration", {"seconds": 900})), id="child")
    run = bench.run(caller(timeout_s=0.05))
    assert run.failure is not None
    assert run.failure.code == "engine.timeout"
    ended(bench, CHILD_ID, RunState.CANCELLED)


def test_a_caller_that_fails_elsewhere_takes_its_child_along(bench: Workbench) -> None:
    bench.plans["child"] = replace(plan(step("c", "wait.webhook")), id="child")

    def boom(call: Invocation) -> ProviderResult:
        held(bench, 2)
        return refusal()

    bench.invoker.functions["boom"] = boom
    bench.run(plan(calling(), step("other", "test.boom")))
    ended(bench, CHILD_ID, RunState.CANCELLED)


def test_a_cancelled_child_is_a_failure_its_caller_may_go_on_from(bench: Workbench) -> None:
    bench.plans["child"] = replace(plan(step("c", "wait.webhook")), id="child")
    assert bench.engine.submit(new_run(plan(calling(on_error=OnError.CONTINUE), step("after"), edges="sub > after")))
    held(bench, 2)
    assert bench.engine.cancel(CHILD_ID)
    ended(bench)
    failure = bench.row("sub").failure
    assert failure is not None
    assert failure.code == "engine.call_lost"


# Calls from outside


def hearing(**params: float) -> Plan:
    return plan(
        step("hear", "wait.webhook", dict(params)),
        step("b", params={"value": "{{ steps.hear.output }}"}),
        edges="hear > b",
    )


def test_a_call_is_durable_when_deliver_returns(bench: Workbench) -> None:
    assert bench.engine.submit(new_run(hearing()))
    held(bench)
    assert bench.engine.deliver("r1", {"n": 1}) == "hear"
    assert bench.row("hear").output == {"n": 1}
    ended(bench)
    assert bench.outputs()["b"] == {"n": 1}


def test_of_two_calls_at_once_one_is_refused(bench: Workbench) -> None:
    assert bench.engine.submit(new_run(hearing()))
    held(bench)
    outcomes: list[str] = []

    def ring() -> None:
        try:
            outcomes.append(bench.engine.deliver("r1", 1))
        except NotWaitingError:
            outcomes.append("refused")

    threads = [threading.Thread(target=ring) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(outcomes) == ["hear", *["refused"] * 7]


def test_a_run_that_waits_for_a_call_has_a_key_and_no_other_run_has(bench: Workbench) -> None:
    assert bench.engine.submit(new_run(hearing()))
    bench.run(plan(step("a")), "r2")
    assert len(bench.store.get("r1").resume_key) == 32
    assert bench.store.get("r2").resume_key == ""
    assert bench.store.find_by_resume_key(bench.store.get("r1").resume_key).id == "r1"


def test_the_time_for_a_call_goes_on_over_a_restart(bench: Workbench) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    bench.store.create(replace(new_run(hearing(timeout_s=900)), state=RunState.WAITING))
    bench.store.write([StepRun("r1", "hear", (), StepState.WAITING, 1, metadata={"awaits": "call", "due": past})])
    bench.engine.recover()
    run = ended(bench, state=RunState.FAILED)
    assert run.failure is not None
    assert "900 s for a call" in run.failure.sentence
