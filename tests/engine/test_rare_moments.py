"""What comes at moments that are hard to hit: between a start and its first step, between two lives, all at once."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flowstudio.engine.errors import ResultLostError
from flowstudio.engine.model import QUESTION, Answer, Failure, RunLink, RunState, StepRun, StepState
from flowstudio.plan.model import AfterCrash, Plan, PlanSettings
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, step

ASK = PlanSettings(after_crash=AfterCrash.ASK)
UNSTORABLE: Any = object()
"""No JSON."""


def stored(
    bench: Workbench, run_plan: Plan, *rows: StepRun, state: RunState, run_id: str = "r1", **fields: Any
) -> None:
    """A run as an earlier life left it."""
    bench.store.create(replace(new_run(run_plan, run_id), state=state, **fields))
    bench.store.write(rows)


def napping(seconds: float = 60, run_id: str = "r1") -> StepRun:
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    return StepRun(run_id, "nap", (), StepState.WAITING, 1, metadata={"due": due.isoformat()})


def question(step_id: str = "w", run_id: str = "r1") -> StepRun:
    failure = Failure("engine.in_flight", "It may have happened.", step_id=step_id)
    return StepRun(run_id, step_id, (), StepState.RUNNING, 2, failure=failure, metadata={QUESTION: True})


def until(is_so: Callable[[], Any]) -> None:
    for _ in range(2000):
        if is_so():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not come about")


def busy(bench: Workbench) -> threading.Event:
    """Keeps every thread of the engine at work until the event is set, so that what is started stays in line."""
    release, at_work = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        at_work.release()
        release.wait(PATIENCE_S)

    for _ in range(bench.limits.threads):
        bench.engine._pool.submit(work)
    assert all(at_work.acquire(timeout=PATIENCE_S) for _ in range(bench.limits.threads))
    return release


def test_a_run_that_only_waits_after_its_last_answer_waits_on(bench: Workbench) -> None:
    bench.invoker.functions["write"] = lambda call: "sent"
    waits = plan(step("nap", "wait.duration", {"seconds": 60}), step("w", "test.write"), settings=ASK)
    stored(bench, waits, napping(), question(), state=RunState.INTERRUPTED)
    bench.engine.answer("r1", "w", (), Answer.DONE, "by hand")
    until(lambda: bench.store.get("r1").state is RunState.WAITING)
    assert bench.engine.is_active("r1")


def test_a_paused_run_resumed_before_it_is_taken_up_goes_on_waiting(bench: Workbench) -> None:
    stored(bench, plan(step("nap", "wait.duration", {"seconds": 60})), napping(), state=RunState.PAUSED)
    release = busy(bench)
    assert bench.engine.recover() == 1
    assert bench.engine.resume("r1")
    release.set()
    until(lambda: bench.store.get("r1").state is RunState.WAITING)
    assert bench.engine.is_active("r1")


def test_an_engine_closed_before_it_takes_a_run_up_leaves_the_doubt_about_its_write(bench: Workbench) -> None:
    stored(bench, plan(step("w", "test.write"), settings=ASK), state=RunState.RUNNING)
    release = busy(bench)
    assert bench.engine.recover() == 1
    closing = threading.Thread(target=bench.engine.close, args=(PATIENCE_S,))
    closing.start()
    until(lambda: bench.engine._is_closed)
    release.set()
    closing.join(PATIENCE_S)
    assert bench.store.get("r1").state is RunState.RUNNING
    bench.invoker.functions["write"] = lambda call: "sent twice"
    bench.open().recover()
    until(lambda: bench.store.get("r1").state is RunState.INTERRUPTED)
    assert bench.invoker.calls == []


@pytest.mark.logs("could not be stored")
def test_an_answer_that_cannot_be_stored_does_not_bar_the_next_one(bench: Workbench) -> None:
    stored(bench, plan(step("w", "test.write"), settings=ASK), question(), state=RunState.INTERRUPTED)
    with pytest.raises(ResultLostError):
        bench.engine.answer("r1", "w", (), Answer.DONE, UNSTORABLE)
    bench.engine.answer("r1", "w", (), Answer.DONE, "by hand")
    ended = bench.engine.wait("r1", PATIENCE_S)
    assert ended is not None
    assert ended.state is RunState.SUCCEEDED


@pytest.mark.logs("cannot be taken up again")
def test_an_answer_to_a_run_that_cannot_go_on_ends_the_interrupted_runs_it_called(bench: Workbench) -> None:
    """Its plan no longer compiles: it fails, and takes along what asks for it, all within the one answer."""
    broken = plan(
        step("w", "test.write"),
        step("call", "flow.subplan", {"plan": "child"}),
        edges="w > call, call > w",
        settings=ASK,
    )
    stored(bench, broken, question(), state=RunState.INTERRUPTED)
    child = plan(step("w", "test.write"), settings=ASK)
    link = RunLink("r1", "call")
    stored(bench, child, question(run_id="c1"), state=RunState.INTERRUPTED, run_id="c1", parent=link, depth=1)
    bench.engine._calls.began(bench.store.get("c1"))
    answering = threading.Thread(target=bench.engine.answer, args=("r1", "w", (), Answer.DONE, "by hand"), daemon=True)
    answering.start()
    answering.join(PATIENCE_S)
    assert not answering.is_alive()
    assert bench.engine.wait("c1", PATIENCE_S).state is RunState.CANCELLED  # type: ignore[union-attr]


def test_a_cancel_while_a_run_comes_to_stand_still_is_heeded(bench: Workbench) -> None:
    stored(bench, plan(step("w", "test.write"), settings=ASK), state=RunState.RUNNING)
    arrived, release = threading.Event(), threading.Event()
    outlast = bench.engine._journal.outlast

    def slow(ticket: Any) -> None:
        arrived.set()
        release.wait(PATIENCE_S)
        outlast(ticket)

    bench.engine._journal.outlast = slow  # type: ignore[method-assign]
    bench.engine.recover()
    assert arrived.wait(PATIENCE_S)
    assert bench.engine.cancel("r1")
    release.set()
    until(lambda: bench.store.get("r1").state is RunState.CANCELLED)
    until(lambda: bench.engine.active() == [])


def test_a_run_called_after_its_caller_has_ended_is_cancelled(bench: Workbench) -> None:
    bench.run(plan(step("a")))
    child = replace(
        new_run(plan(step("nap", "wait.duration", {"seconds": 60})), "c1"), parent=RunLink("r1", "call"), depth=1
    )
    assert bench.engine.submit(child)
    ended = bench.engine.wait("c1", PATIENCE_S)
    assert ended is not None
    assert ended.state is RunState.CANCELLED
    until(lambda: not bench.engine._calls._children)
