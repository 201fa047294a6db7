"""The plan that runs when another one's run fails: once, whenever the process dies, and never for its own failures."""

import threading
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

import pytest

from flowstudio.engine.error_plans import told_of
from flowstudio.engine.events import LogWritten
from flowstudio.engine.model import Failure, Run, RunOptions, RunState, StepRun, StepState, TriggerEvent
from flowstudio.plan.model import Plan, PlanSettings, TriggerKind
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, step

ALARM = replace(plan(step("told", params={"value": "{{ trigger.run.id }}"})), id="alarm")
GUARDED = PlanSettings(error_plan="alarm")
ERROR_ID = "error:r1"


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    bench.plans["alarm"] = ALARM
    return bench


def failing(settings: PlanSettings = GUARDED) -> Plan:
    return replace(plan(step("a", "test.fail")), settings=settings)


def crashed(bench: Workbench) -> None:
    """A run whose step has failed, and whose end was not written."""
    bench.store.create(replace(new_run(failing()), state=RunState.RUNNING))
    failure = Failure("provider.vendor", "The vendor said no.", step_id="a")
    bench.store.write([StepRun("r1", "a", (), StepState.FAILED, 1, failure=failure)])


def ended(bench: Workbench, run_id: str = ERROR_ID) -> Run:
    """The run, which may not be there yet, at its end."""
    end, pause = monotonic() + PATIENCE_S, threading.Event()
    while (run := bench.store.get(run_id)) is None or not run.state.is_final:
        assert monotonic() < end, run
        pause.wait(0.005)
    assert isinstance(run, Run)
    return run


def error_run(bench: Workbench) -> Run:
    run = ended(bench)
    assert run.state is RunState.SUCCEEDED
    assert bench.outputs(ERROR_ID) == {"told": "r1"}
    return run


def test_a_failed_run_starts_the_error_plan_with_itself_as_input(bench: Workbench) -> None:
    bench.run(failing(), data={"order": 7})
    run = error_run(bench)
    assert run.trigger.kind is TriggerKind.ERROR
    told = run.trigger.data
    assert isinstance(told, dict)
    assert told["plan"] == {"id": "p", "name": "Test plan"}
    assert told["run"]["trigger"] == {"kind": "manual", "id": None, "data": {"order": 7}}
    assert told["run"]["failure"]["step_id"] == "a"


def test_killed_before_the_error_run_was_stored_it_still_runs(bench: Workbench) -> None:
    crashed(bench)
    bench.engine.recover()
    error_run(bench)


def test_killed_between_error_run_and_failed_end_it_runs_once(bench: Workbench) -> None:
    crashed(bench)
    event = TriggerEvent(TriggerKind.ERROR, {"run": {"id": "r1"}})
    bench.store.create(Run(ERROR_ID, "local", ALARM, RunState.QUEUED, event, datetime.now(UTC)))
    bench.engine.recover()
    error_run(bench)
    assert bench.engine.wait("r1", PATIENCE_S) is not None
    assert bench.invoker.called() == ["told"]


def test_killed_after_both_nothing_runs_again(bench: Workbench) -> None:
    bench.run(failing())
    error_run(bench)
    assert bench.engine.recover() == 0
    assert bench.invoker.called() == ["a", "told"]


@pytest.mark.logs("cannot be taken up again")
def test_a_run_that_cannot_be_taken_up_starts_it_too(bench: Workbench) -> None:
    broken = replace(plan(step("a"), step("b"), edges="a > b, b > a"), settings=GUARDED)
    bench.store.create(replace(new_run(broken), state=RunState.RUNNING))
    bench.engine.recover()
    error_run(bench)


def test_the_failure_of_an_error_plan_starts_nothing(bench: Workbench) -> None:
    bench.plans["alarm"] = replace(failing(), id="alarm")
    bench.run(failing())
    assert ended(bench).state is RunState.FAILED
    assert bench.store.get(f"error:{ERROR_ID}") is None


def test_what_an_error_plan_calls_starts_nothing_either(bench: Workbench) -> None:
    bench.plans["helper"] = replace(failing(), id="helper")
    bench.plans["alarm"] = replace(plan(step("sub", "flow.subplan", {"plan": "helper"})), id="alarm")
    bench.run(failing())
    ended(bench)
    helper = bench.store.get(f"sub:{ERROR_ID}:sub:")
    assert helper.state is RunState.FAILED
    assert bench.store.get(f"error:{helper.id}") is None


@pytest.mark.parametrize("end", ["success", "cancel", "dry"])
def test_what_did_not_really_fail_starts_nothing(bench: Workbench, end: str) -> None:
    if end == "success":
        bench.run(replace(plan(step("a")), settings=GUARDED))
    elif end == "cancel":
        bench.engine.submit(new_run(replace(plan(step("w", "wait.webhook")), settings=GUARDED)))
        bench.engine.cancel("r1")
        assert bench.engine.wait("r1", PATIENCE_S) is not None
    else:
        stop = replace(plan(step("s", "flow.stop", {"success": False})), settings=GUARDED)
        bench.engine.submit(replace(new_run(stop), options=RunOptions(is_dry=True)))
        assert bench.engine.wait("r1", PATIENCE_S) is not None
    assert bench.store.get(ERROR_ID) is None


@pytest.mark.logs("does not exist")
def test_a_missing_error_plan_is_said_in_the_runs_log(bench: Workbench) -> None:
    bench.run(failing(PlanSettings(error_plan="gone")))
    lines = [event for event in bench.events if isinstance(event, LogWritten) and event.level == "warning"]
    assert [line.text for line in lines] == ["The error plan “gone” does not exist, so nothing runs for this failure."]


def test_addresses_among_the_facts_of_a_failure_stay_behind() -> None:
    run = new_run(failing())
    failure = Failure("x", "No.", facts={"url": "https://api.example.org/?key=s3cret", "status": 500})
    document = told_of(run, failure, datetime.now(UTC))
    assert "s3cret" not in str(document)
    assert document["run"]["failure"]["facts"] == {"status": 500}  # type: ignore[index, call-overload]


def test_the_failed_run_has_ended_when_its_error_plan_begins(bench: Workbench) -> None:
    states: list[RunState] = []
    bench.plans["alarm"] = replace(plan(step("look", "test.look")), id="alarm")
    bench.invoker.functions["look"] = lambda call: states.append(bench.store.get("r1").state)
    bench.run(failing())
    ended(bench)
    assert states == [RunState.FAILED]
