"""Limits at work in an engine: runs that wait in line and calls that wait for their turn hold no thread."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from flowstudio.engine.events import LogWritten, RunHeld, RunStarted, StepHeld, StepStarted
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import Run, RunState, StepState
from flowstudio.engine.ports import Invocation
from flowstudio.plan.model import OnError, Plan, PlanSettings, Retry, WhenBusy
from flowstudio.providers.ratelimit import CallLimit
from tests.engine.workbench import PATIENCE_S, Functions, Workbench, new_run, plan, refusal, step


class Door:
    """An action that lets nobody through until the test opens it. most: how many stood before it at once."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.arrived = threading.Semaphore(0)
        self.most = 0
        self._inside = 0
        self._lock = threading.Lock()

    def __call__(self, call: Invocation) -> str:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        forget = call.cancel.on_cancel(self.open.set)
        self.arrived.release()
        self.open.wait(PATIENCE_S)
        forget()
        with self._lock:
            self._inside -= 1
        return call.run_id


@pytest.fixture
def door(bench: Workbench) -> Door:
    door = Door()
    bench.invoker.functions["door"] = door
    return door


def limited(when_busy: WhenBusy, at_once: int = 1) -> Plan:
    return plan(step("a", "test.door"), settings=PlanSettings(runs_at_once=at_once, when_busy=when_busy))


def submit(bench: Workbench, plan: Plan, *run_ids: str) -> None:
    for run_id in run_ids:
        assert bench.engine.submit(new_run(plan, run_id))


def ended(bench: Workbench, run_id: str) -> Run:
    run = bench.engine.wait(run_id, PATIENCE_S)
    assert run is not None, f"{run_id} did not end"
    return run


def until(bench: Workbench, holds: Callable[[], bool]) -> None:
    """Returns when it holds; something happens whenever the engine tells of something."""
    end, pause = monotonic() + PATIENCE_S, threading.Event()
    while not holds():
        assert monotonic() < end, bench.events[-5:]
        pause.wait(0.005)


def test_a_queued_run_is_stored_shown_and_started_in_its_turn(bench: Workbench, door: Door) -> None:
    submit(bench, limited(WhenBusy.QUEUE), "r1", "r2")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    assert bench.store.get("r2").state is RunState.QUEUED
    assert bench.engine.waits_for("r2") == "Waits: 1 run of this plan is under way."
    door.open.set()
    assert ended(bench, "r2").state is RunState.SUCCEEDED
    assert bench.engine.waits_for("r2") == ""
    told = [event for event in bench.events if event.run_id == "r2"]
    assert [type(event) for event in told[:2]] == [RunHeld, LogWritten]
    assert any(isinstance(event, LogWritten) and "turn has come" in event.text for event in told)


def test_a_thousand_queued_runs_hold_no_thread_and_all_run_in_order(bench: Workbench, door: Door) -> None:
    names = [f"r{number}" for number in range(1000)]
    submit(bench, limited(WhenBusy.QUEUE), "first")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    before = threading.active_count()
    submit(bench, limited(WhenBusy.QUEUE), *names)
    assert threading.active_count() <= before + 1
    door.open.set()
    for name in names:
        assert ended(bench, name).state is RunState.SUCCEEDED
    started = [event.run_id for event in bench.events if isinstance(event, RunStarted)]
    assert started == ["first", *names]
    assert door.most == 1


def test_a_skipped_run_is_stored_as_cancelled_with_the_reason(bench: Workbench, door: Door) -> None:
    submit(bench, limited(WhenBusy.SKIP), "r1", "r2")
    run = ended(bench, "r2")
    assert (run.state, run.failure and run.failure.code) == (RunState.CANCELLED, "engine.skipped")
    stored = bench.store.get("r2")
    assert stored.state is RunState.CANCELLED
    assert "the plan allows 1 at once" in stored.failure.sentence
    assert bench.rows("r2") == {}
    door.open.set()
    assert ended(bench, "r1").state is RunState.SUCCEEDED


def test_a_replaced_run_is_cancelled_and_then_the_new_one_starts(bench: Workbench, door: Door) -> None:
    submit(bench, limited(WhenBusy.REPLACE), "r1")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    submit(bench, limited(WhenBusy.REPLACE), "r2")
    run = ended(bench, "r1")
    assert (run.state, run.failure and run.failure.code) == (RunState.CANCELLED, "engine.replaced")
    assert ended(bench, "r2").state is RunState.SUCCEEDED
    assert door.most == 1


def test_a_queued_run_can_be_cancelled_and_lets_the_next_one_up(bench: Workbench, door: Door) -> None:
    submit(bench, limited(WhenBusy.QUEUE), "r1", "r2", "r3")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    assert bench.engine.cancel("r2")
    assert ended(bench, "r2").state is RunState.CANCELLED
    door.open.set()
    assert ended(bench, "r3").state is RunState.SUCCEEDED


def test_a_queued_run_can_be_paused_and_resumed_before_it_starts(bench: Workbench, door: Door) -> None:
    submit(bench, limited(WhenBusy.QUEUE), "r1", "r2")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    assert bench.engine.pause("r2")
    assert bench.engine.resume("r2")
    assert bench.store.get("r2").state is RunState.QUEUED
    door.open.set()
    run = ended(bench, "r2")
    assert run.state is RunState.SUCCEEDED
    assert run.started_at is not None


def test_queued_runs_wait_again_after_a_restart_and_start_in_order(bench: Workbench, door: Door) -> None:
    submit(bench, limited(WhenBusy.QUEUE), "r1", "r2", "r3")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    threading.Timer(0.05, door.open.set).start()
    bench.engine.close()
    bench.events.clear()
    door.open.clear()
    bench.open()
    bench.engine.recover()
    assert door.arrived.acquire(timeout=PATIENCE_S)
    until(bench, lambda: bench.store.get("r2").state is RunState.RUNNING)
    assert bench.store.get("r3").state is RunState.QUEUED
    assert bench.engine.waits_for("r3") == "Waits: 1 run of this plan is under way."
    door.open.set()
    assert ended(bench, "r3").state is RunState.SUCCEEDED
    assert [event.run_id for event in bench.events if isinstance(event, RunStarted)] == ["r2", "r3"]


# Calls


def fan(count: int, **fields: Any) -> Plan:
    """Steps side by side."""
    return plan(*[step(f"s{number}", "vendor.door", **fields) for number in range(count)])


def limit(bench: Workbench, **limits: Any) -> None:
    bench.invoker.limits["vendor"] = CallLimit(("vendor", "local", None), "Vendor", **limits)


def test_steps_that_wait_for_a_vendor_hold_no_thread_and_block_no_other_run(store: Any) -> None:
    bench, door = Workbench(store, Functions(), EngineLimits(threads=4)), Door()
    bench.invoker.functions["door"] = door
    limit(bench, concurrent=2)
    submit(bench, fan(1000), "held")
    for _ in range(2):
        assert door.arrived.acquire(timeout=PATIENCE_S)
    assert bench.run(plan(step("x")), "free").state is RunState.SUCCEEDED
    assert sum(thread.name.startswith("flowstudio-step") for thread in threading.enumerate()) <= 4
    door.open.set()
    assert ended(bench, "held").state is RunState.SUCCEEDED
    assert door.most == 2
    bench.engine.close()


def test_a_held_step_tells_why_and_how_long_it_waited(bench: Workbench, door: Door) -> None:
    limit(bench, concurrent=1)
    submit(bench, fan(2), "r1")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    until(bench, lambda: any(isinstance(event, StepHeld) for event in bench.events))
    held = next(event for event in bench.events if isinstance(event, StepHeld))
    assert (held.reason, held.until) == ("Waits: Vendor takes 1 call at once.", None)
    row = bench.row(held.step_id)
    assert (row.state, row.metadata["waits_for"]) == (StepState.WAITING, held.reason)
    until(bench, lambda: any(isinstance(event, LogWritten) and event.text == held.reason for event in bench.events))
    door.open.set()
    ended(bench, "r1")
    row = bench.row(held.step_id)
    assert (row.state, row.metadata["waited_for"]) == (StepState.SUCCEEDED, held.reason)
    assert row.metadata["waited_ms"] > 0


def test_calls_within_the_limit_leave_no_trace_of_it(bench: Workbench, door: Door) -> None:
    door.open.set()
    limit(bench, concurrent=1)
    bench.run(fan(1))
    assert bench.row("s0").metadata == {}


def test_runs_share_a_vendor_in_the_order_they_came(bench: Workbench, door: Door) -> None:
    limit(bench, concurrent=1)
    submit(bench, fan(1), "r0")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    for name in ("r1", "r2", "r3"):
        submit(bench, fan(1), name)
        until(bench, lambda name=name: bench.store.get(name).state is RunState.WAITING)
    door.open.set()
    for name in ("r1", "r2", "r3"):
        ended(bench, name)
    started = [event.run_id for event in bench.events if isinstance(event, StepStarted)]
    assert started == ["r0", "r1", "r2", "r3"]


def test_a_run_that_waits_for_its_turn_can_be_cancelled(bench: Workbench, door: Door) -> None:
    limit(bench, concurrent=1)
    submit(bench, fan(1), "r0")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    submit(bench, fan(1), "r1", "r2")
    bench.engine.cancel("r1")
    assert ended(bench, "r1").state is RunState.CANCELLED
    assert bench.row("s0", run_id="r1").state is StepState.CANCELLED
    door.open.set()
    assert ended(bench, "r2").state is RunState.SUCCEEDED, "the turn of the cancelled one went to the next"


def test_a_paused_run_lets_its_turn_go_to_the_next_and_asks_again(bench: Workbench, door: Door) -> None:
    limit(bench, concurrent=1)
    submit(bench, fan(1), "r0")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    for name in ("r1", "r2"):
        submit(bench, fan(1), name)
        until(bench, lambda name=name: bench.store.get(name).state is RunState.WAITING)
    assert bench.engine.pause("r1")
    door.open.set()
    assert ended(bench, "r2").state is RunState.SUCCEEDED
    assert bench.store.get("r1").state is RunState.PAUSED
    assert bench.engine.resume("r1")
    assert ended(bench, "r1").state is RunState.SUCCEEDED


def test_a_vendors_wish_to_be_left_alone_holds_back_all_runs(bench: Workbench) -> None:
    answers = [refusal(retryable=True, retry_after_s=0.3)]
    bench.invoker.functions["door"] = lambda call: answers.pop() if answers else "done"
    limit(bench)
    refused = bench.run(fan(1, on_error=OnError.STOP), "r0")
    assert refused.state is RunState.FAILED
    assert bench.run(fan(1), "r1").state is RunState.SUCCEEDED
    row = bench.row("s0", run_id="r1")
    assert row.metadata["waited_ms"] > 200
    assert "allows no more calls" in str(row.metadata["waited_for"])


def test_a_retry_waits_for_its_turn_like_any_call(bench: Workbench) -> None:
    answers = [refusal(retryable=True)]
    bench.invoker.functions["door"] = lambda call: answers.pop() if answers else "done"
    limit(bench, calls=1, per_s=0.3)
    assert bench.run(fan(1, retry=Retry(2, 0.0, jitter=False))).state is RunState.SUCCEEDED
    row = bench.row("s0")
    assert row.attempt == 2
    assert row.metadata["waited_ms"] > 100


def test_the_rate_is_kept_across_runs(bench: Workbench) -> None:
    times: list[float] = []
    bench.invoker.functions["door"] = lambda call: times.append(monotonic())
    limit(bench, calls=2, per_s=0.2)
    for number in range(6):
        submit(bench, fan(1), f"r{number}")
    for number in range(6):
        ended(bench, f"r{number}")
    assert times[-1] - times[0] > 0.35


def test_a_held_step_has_not_started_when_the_process_dies(bench: Workbench, door: Door) -> None:
    limit(bench, concurrent=1)
    submit(bench, fan(2), "r1")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    until(bench, lambda: any(row.state is StepState.WAITING for row in bench.rows().values()))
    threading.Timer(0.05, door.open.set).start()
    bench.engine.close()
    bench.invoker.calls.clear()
    bench.open()
    bench.engine.recover()
    assert ended(bench, "r1").state is RunState.SUCCEEDED
    assert len(bench.invoker.calls) == 1, "the one that had started came to its end while the engine closed"


def test_a_step_that_waited_long_for_a_thread_says_so(store: Any) -> None:
    bench, door = Workbench(store, Functions(), EngineLimits(threads=1)), Door()
    bench.invoker.functions["door"] = door
    submit(bench, fan(2), "r1")
    assert door.arrived.acquire(timeout=PATIENCE_S)
    threading.Timer(1.1, door.open.set).start()
    ended(bench, "r1")
    bench.engine.close()
    lines = [event.text for event in bench.events if isinstance(event, LogWritten)]
    assert len(lines) == 1
    assert lines[0].startswith("Waited 1.")
    assert lines[0].endswith("s for a thread: all 1 were at work.")
