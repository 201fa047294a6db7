"""A world that takes no writes: runs pause with a sentence, lose nothing and go on by themselves."""

import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from flowstudio.engine.errors import StalledError
from flowstudio.engine.events import LogWritten, RunStateChanged
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import Answer, RunState, StepRun
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Plan
from flowstudio.workspace.errors import DatabaseLockedError, DiskFullError, ReadOnlyError
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, step

pytestmark = pytest.mark.logs("journal stalls")
TROUBLES = [
    DiskFullError("The disk is full: flowstudio.db could not be written.", fix="Free some space."),
    DatabaseLockedError("Another program is holding flowstudio.db.", fix="Close it."),
    ReadOnlyError("flowstudio.db may not be written.", fix="Give yourself write permission."),
]


class Disk:
    """The store, on a disk that refuses every write while it has a trouble."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.trouble: FlowStudioError | None = None

    def write(self, *arguments: Any) -> Any:
        if self.trouble is not None:
            raise self.trouble
        return self.store.write(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@pytest.fixture
def disk(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr("flowstudio.engine.journal.STALLED_RETRY_S", 0.02)
    bench.engine.close()
    bench.limits = EngineLimits(locked_patience_s=0.05)
    disk = bench.store = Disk(bench.store)
    bench.open()
    return disk


def filling(bench: Workbench, disk: Disk, trouble: FlowStudioError = TROUBLES[0]) -> Plan:
    """a makes the trouble, b and c follow."""

    def make_trouble(call: Any) -> str:
        disk.trouble = trouble
        return "kept"

    bench.invoker.functions |= {"fill": make_trouble, "write": lambda call: "sent"}
    return plan(step("a", "test.fill"), step("b", "test.write"), step("c"), edges="a > b, b > c")


def until(look: Callable[[], Any]) -> None:
    deadline, pause = monotonic() + PATIENCE_S, threading.Event()
    while not look():
        assert monotonic() < deadline
        pause.wait(0.005)


def stalled(bench: Workbench, disk: Disk, trouble: FlowStudioError = TROUBLES[0], run_id: str = "r1") -> None:
    """A run whose journal stalls behind its first step."""
    bench.engine.submit(new_run(filling(bench, disk, trouble), run_id))
    until(lambda: bench.engine.stall)
    until(lambda: not bench.engine._runners[run_id]._attempts.in_flight)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: str(trouble.code))
def test_a_run_pauses_with_a_sentence_and_goes_on_by_itself(
    bench: Workbench, disk: Disk, trouble: FlowStudioError
) -> None:
    stalled(bench, disk, trouble)
    assert bench.engine.stall is not None
    assert trouble.sentence in bench.engine.stall.sentence
    assert bench.invoker.called() == ["a"], "nothing starts whose inputs are not durable"
    (paused,) = [each for each in bench.events if isinstance(each, RunStateChanged)]
    assert paused.state is RunState.PAUSED
    assert paused.failure is not None
    assert (paused.failure.code, paused.failure.fix) == ("engine.stalled", trouble.fix)
    disk.trouble = None
    run = bench.engine.wait("r1", PATIENCE_S)
    assert run is not None
    assert run.state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["a", "b", "c"]
    assert bench.outputs() == {"a": "kept", "b": "sent", "c": None}
    assert bench.engine.stall is None
    assert any(isinstance(each, LogWritten) and "goes on" in each.text for each in bench.events)


def test_new_runs_are_refused_with_the_sentence_meanwhile(bench: Workbench, disk: Disk) -> None:
    stalled(bench, disk)
    with pytest.raises(StalledError, match="disk is full") as refusal:
        bench.engine.submit(new_run(plan(step("a")), "r2"))
    assert refusal.value.fix == "Free some space."
    disk.trouble = None
    until(lambda: bench.engine.stall is None)
    assert bench.store.get("r2") is None
    assert bench.run(plan(step("a")), "r2").state is RunState.SUCCEEDED


def test_a_run_that_meets_the_full_disk_itself_is_refused_and_not_stored_later(bench: Workbench, disk: Disk) -> None:
    disk.trouble = TROUBLES[0]
    with pytest.raises(StalledError):
        bench.engine.submit(new_run(plan(step("a"))))
    disk.trouble = None
    until(lambda: bench.engine.stall is None)
    assert bench.store.get("r1") is None
    assert bench.invoker.calls == []


def test_pure_runs_do_not_fill_the_memory_meanwhile(bench: Workbench, disk: Disk) -> None:
    bench.invoker.functions["fill"] = lambda call: setattr(disk, "trouble", TROUBLES[0])
    items = list(range(100_000))
    looped = plan(
        step("l", "flow.loop", {"items": items, "max_iterations": len(items)}),
        step("s", "flow.switch", {"value": 1, "cases": []}, parent="l"),
        step("f", "test.fill"),
        edges="l.body > s",
    )
    bench.engine.submit(new_run(looped))
    until(lambda: bench.engine.stall)
    runner = bench.engine._runners["r1"]
    until(lambda: not runner._attempts.in_flight)
    assert len(bench.engine._journal._backlog) + len(bench.engine._journal._inbox) < 20_000
    assert bench.engine.cancel("r1")
    disk.trouble = None
    assert bench.engine.wait("r1", PATIENCE_S) is not None


def test_cancel_works_meanwhile_and_is_stored_when_that_is_possible(bench: Workbench, disk: Disk) -> None:
    stalled(bench, disk)
    assert bench.engine.cancel("r1")
    assert bench.engine.wait("r1", 0.1) is None, "its end is not durable yet"
    disk.trouble = None
    run = bench.engine.wait("r1", PATIENCE_S)
    assert run is not None
    assert run.state is RunState.CANCELLED
    assert bench.invoker.called() == ["a"]


@pytest.mark.logs("results could not be stored|goes on at the next start")
def test_closing_works_meanwhile_and_the_next_start_takes_up_what_is_stored(bench: Workbench, disk: Disk) -> None:
    stalled(bench, disk)
    stalled_at = bench.store.get("r1").state
    began = monotonic()
    assert bench.engine.close(PATIENCE_S)
    assert monotonic() - began < 1.0
    assert bench.store.get("r1").state is stalled_at
    disk.trouble = None
    bench.invoker.functions["fill"] = lambda call: "again"
    bench.open().recover()
    run = bench.engine.wait("r1", PATIENCE_S)
    assert run is not None
    assert run.state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["a", "a", "b", "c"]


@pytest.mark.logs("results could not be stored|goes on at the next start")
def test_closing_does_not_wait_for_an_end_that_cannot_be_stored(bench: Workbench, disk: Disk) -> None:
    stalled(bench, disk)
    bench.engine.cancel("r1")
    began = monotonic()
    bench.engine.close(PATIENCE_S)
    assert monotonic() - began < 3.0
    assert not bench.store.get("r1").state.is_final


def test_what_waits_and_falls_due_meanwhile_starts_afterwards(bench: Workbench, disk: Disk) -> None:
    waiting = plan(step("w", "wait.duration", {"seconds": 0.1}), step("b"), edges="w > b")
    bench.engine.submit(new_run(waiting, "r2"))
    stalled(bench, disk)
    assert bench.engine.wait("r2", 0.3) is None
    disk.trouble = None
    for run_id in ("r1", "r2"):
        run = bench.engine.wait(run_id, PATIENCE_S)
        assert run is not None
        assert run.state is RunState.SUCCEEDED


def test_many_runs_are_all_kept_in_order(bench: Workbench, disk: Disk) -> None:
    stalled_ids = [f"r{number}" for number in range(40)]
    gate = threading.Event()
    bench.invoker.functions |= {"hold": lambda call: gate.wait(PATIENCE_S) and "x", "write": lambda call: "y"}
    for run_id in stalled_ids:
        bench.engine.submit(new_run(plan(step("a", "test.hold"), step("b", "test.write"), edges="a > b"), run_id))
    disk.trouble = TROUBLES[0]
    gate.set()
    until(lambda: bench.engine.stall)
    disk.trouble = None
    for run_id in stalled_ids:
        run = bench.engine.wait(run_id, PATIENCE_S)
        assert run is not None
        assert run.state is RunState.SUCCEEDED
        rows: list[StepRun] = bench.store.step_runs(run_id)
        assert [(row.step_id, row.sequence) for row in rows] == [("a", 1), ("b", 2)]
    assert len(bench.invoker.calls) == 80, "nothing is done twice"


def test_an_answer_is_refused_with_the_sentence_meanwhile(bench: Workbench, disk: Disk) -> None:
    bench.store.create(replace(new_run(plan(step("w", "test.write")), "q"), state=RunState.RUNNING))
    bench.engine.recover()
    until(lambda: bench.store.get("q").state is RunState.INTERRUPTED)
    stalled(bench, disk)
    with pytest.raises(StalledError, match="disk is full"):
        bench.engine.answer("q", "w", (), Answer.DONE)
    disk.trouble = None
    until(lambda: bench.engine.stall is None)
    bench.engine.answer("q", "w", (), Answer.DONE, "by hand")
    assert bench.engine.wait("q", PATIENCE_S) is not None
    assert bench.row("w", run_id="q").output == "by hand"
