"""A run performed by the caller that waits for it: on its thread, and stored no later than it matters."""

import threading
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from flowstudio.engine.errors import EngineClosedError, StalledError
from flowstudio.engine.events import RunEnded, RunStarted
from flowstudio.engine.model import RunState
from flowstudio.engine.ports import Invocation, RunChange
from flowstudio.plan.model import Plan, PlanSettings, Retry, WhenBusy
from flowstudio.workspace.errors import DiskFullError, UnstorableValueError
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, refusal, step


def pure(length: int = 5, **fields: Any) -> Plan:
    ids = [f"s{number}" for number in range(length)]
    edges = ", ".join(f"{a} > {b}" for a, b in pairwise(ids))
    return plan(*(step(each, "test.pure") for each in ids), edges=edges, **fields)


def step_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("flowstudio-step")]


class Batches:
    """What the store is given, transaction by transaction; `trouble` is raised instead."""

    def __init__(self, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[tuple[int, int]] = []
        self.trouble: Exception | None = None
        self._write = bench.store.write
        monkeypatch.setattr(bench.store, "write", self.write)

    def write(self, entries: Sequence[Any], new_runs: Sequence[Any] = (), seeds: Sequence[Any] = ()) -> frozenset[str]:
        if self.trouble is not None:
            raise self.trouble
        self.sizes.append((len(new_runs), len(entries)))
        new: frozenset[str] = self._write(entries, new_runs, seeds)
        return new


@pytest.fixture
def batches(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Batches:
    return Batches(bench, monkeypatch)


def test_a_pure_run_takes_no_other_thread_and_is_stored_on_return(bench: Workbench) -> None:
    ended = bench.engine.perform(new_run(pure()), PATIENCE_S).run
    assert ended is not None
    assert ended.state is RunState.SUCCEEDED
    assert step_threads() == []
    assert bench.store.get("r1") == ended
    assert len(bench.rows()) == 5


def test_a_pure_run_is_one_transaction(bench: Workbench, batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowstudio.engine.inbox.LINGER_S", 60.0)
    bench.engine.perform(new_run(pure()), PATIENCE_S)
    assert batches.sizes == [(1, 7)]  # five steps, begin and end


def test_the_results_of_a_short_run_are_at_hand_as_they_are_stored(bench: Workbench) -> None:
    performed = bench.engine.perform(new_run(pure()), PATIENCE_S)
    assert performed.steps == tuple(bench.store.step_runs("r1"))


def test_many_results_are_left_to_the_store(bench: Workbench) -> None:
    performed = bench.engine.perform(new_run(pure(150)), PATIENCE_S)
    assert performed.run is not None
    assert performed.steps is None
    assert len(bench.rows()) == 150


def test_a_step_that_was_tried_again_leaves_the_results_to_the_store(bench: Workbench) -> None:
    bench.invoker.functions["read"] = lambda call: refusal(retryable=True) if call.attempt == 1 else "at last"
    again = step("a", "test.read", retry=Retry(tries=2, delay_s=0.01))
    performed = bench.engine.perform(new_run(plan(again)), PATIENCE_S)
    assert performed.run is not None
    assert performed.run.state is RunState.SUCCEEDED
    assert performed.steps is None


def test_an_effect_finds_its_run_stored_and_runs_on_a_thread_of_the_engine(bench: Workbench) -> None:
    seen: list[tuple[str, object]] = []

    def look(call: Invocation) -> None:
        run = bench.store.get("r1")
        seen.append((threading.current_thread().name, run and (run.state, len(bench.rows()))))

    bench.invoker.functions["read"] = look
    first, then = step("a", "test.pure"), step("b", "test.read")
    bench.engine.perform(new_run(plan(first, then, edges="a > b")), PATIENCE_S)
    [(thread, stored)] = seen
    assert thread.startswith("flowstudio-step")
    assert stored == (RunState.RUNNING, 1)


def test_what_the_caller_cannot_wait_for_goes_on_without_it(bench: Workbench) -> None:
    release = threading.Event()
    bench.invoker.functions["read"] = lambda call: release.wait(PATIENCE_S)
    assert bench.engine.perform(new_run(plan(step("a", "test.read"))), 0.05).run is None
    stored = bench.store.get("r1")
    assert stored is not None
    assert not stored.state.is_final
    release.set()
    ended = bench.engine.wait("r1", PATIENCE_S)
    assert ended is not None
    assert ended.state is RunState.SUCCEEDED


def test_a_long_pure_beginning_moves_to_a_thread_of_the_engine(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowstudio.engine.guest.LENT_S", -1.0)
    ended = bench.engine.perform(new_run(pure()), PATIENCE_S).run
    assert ended is not None
    assert ended.state is RunState.SUCCEEDED
    assert step_threads() != []


def test_branches_run_beside_the_callers_thread(bench: Workbench) -> None:
    ids = [f"s{number}" for number in range(6)]
    ended = bench.engine.perform(new_run(plan(*(step(each, "test.pure") for each in ids))), PATIENCE_S).run
    assert ended is not None
    assert sorted(bench.outputs()) == ids


def test_its_beginning_is_heard_first_and_its_end_last(bench: Workbench) -> None:
    bench.engine.perform(new_run(pure()), PATIENCE_S)
    assert isinstance(bench.events[0], RunStarted)
    assert isinstance(bench.events[-1], RunEnded)
    assert [event.type for event in bench.events[1:-1]] == ["step started", "step succeeded"] * 5


def test_a_run_that_fails_is_answered_as_failed(bench: Workbench) -> None:
    stop = step("a", "flow.stop", {"success": False, "message": "Not today."})
    ended = bench.engine.perform(new_run(plan(stop)), PATIENCE_S).run
    assert ended is not None
    assert ended.state is RunState.FAILED
    assert bench.store.get("r1") == ended


def test_a_run_that_has_to_wait_in_line_waits(bench: Workbench) -> None:
    release = threading.Event()
    bench.invoker.functions["read"] = lambda call: release.wait(PATIENCE_S)
    settings = PlanSettings(runs_at_once=1, when_busy=WhenBusy.QUEUE)
    bench.engine.submit(new_run(plan(step("a", "test.read"), settings=settings), "r0"))
    assert bench.engine.perform(new_run(pure(settings=settings)), 0.05).run is None
    assert bench.engine.waits_for("r1").startswith("Waits: 1 run")
    release.set()
    ended = bench.engine.wait("r1", PATIENCE_S)
    assert ended is not None
    assert ended.state is RunState.SUCCEEDED


@pytest.mark.logs("its journal cannot be written")
def test_a_run_the_store_refuses_is_an_error_and_leaves_nothing(bench: Workbench, batches: Batches) -> None:
    batches.trouble = UnstorableValueError("This cannot be stored.")
    with pytest.raises(UnstorableValueError):
        bench.engine.perform(new_run(pure()), PATIENCE_S)
    batches.trouble = None
    assert bench.store.get("r1") is None
    assert bench.engine.perform(new_run(pure(), "r2"), PATIENCE_S).run is not None
    assert bench.engine.active() == []


@pytest.mark.logs("journal stalls", "its journal cannot be written")
def test_no_run_begins_while_nothing_can_be_stored(
    bench: Workbench, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowstudio.engine.journal.STALLED_RETRY_S", 0.02)
    batches.trouble = DiskFullError("The disk is full.")
    with pytest.raises(StalledError):
        bench.engine.perform(new_run(pure()), PATIENCE_S)
    with pytest.raises(StalledError):
        bench.engine.perform(new_run(pure(), "r2"), PATIENCE_S)
    batches.trouble = None
    while bench.engine.stall is not None:
        threading.Event().wait(0.005)
    ended = bench.engine.perform(new_run(pure(), "r3"), PATIENCE_S).run
    assert ended is not None
    assert ended.state is RunState.SUCCEEDED
    assert [bench.store.get(run_id) for run_id in ("r1", "r2")] == [None, None]
    while bench.engine.active():
        threading.Event().wait(0.005)


@pytest.mark.logs("journal stalls")
def test_a_stall_at_its_end_does_not_keep_the_caller(
    bench: Workbench, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowstudio.engine.journal.STALLED_RETRY_S", 0.02)
    write = batches.write

    def refuse_ends(entries: Sequence[Any], *others: Any) -> frozenset[str]:
        if any(isinstance(each, RunChange) and each.state.is_final for each in entries):
            batches.trouble = batches.trouble or trouble
        return write(entries, *others)

    trouble = DiskFullError("The disk is full.")
    monkeypatch.setattr(bench.store, "write", refuse_ends)
    monkeypatch.setattr("flowstudio.engine.inbox.LINGER_S", 0.0)
    bench.invoker.functions["read"] = lambda call: None
    assert bench.engine.perform(new_run(plan(step("a", "test.read"))), 0.2).run is None
    monkeypatch.setattr(bench.store, "write", write)
    batches.trouble = None
    ended = bench.engine.wait("r1", PATIENCE_S)
    assert ended is not None
    assert ended.state is RunState.SUCCEEDED


def test_a_closed_engine_performs_nothing(bench: Workbench) -> None:
    bench.engine.close()
    with pytest.raises(EngineClosedError):
        bench.engine.perform(new_run(pure()), PATIENCE_S)
