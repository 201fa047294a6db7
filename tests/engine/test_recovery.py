"""Runs go on after the process ended, however it ended, and no durable step is executed twice."""

import random
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from flowstudio.engine.events import LogWritten, StepSucceeded
from flowstudio.engine.model import Failure, RunState, StepRun, StepState
from flowstudio.engine.ports import Invocation
from flowstudio.plan.model import Retry
from flowstudio.storage.database import Database
from flowstudio.storage.run_store import SqlRunStore
from tests.engine.test_steering import Blocking, begin, until_state
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, step

NOW = datetime(2031, 5, 4, tzinfo=UTC)


def restart(bench: Workbench) -> int:
    """Closes the engine and opens another over the same store; how many runs it took up."""
    bench.engine.close(0.05)
    bench.events.clear()
    bench.invoker.calls.clear()
    return bench.open().recover()


def leave_behind(bench: Workbench, *rows: StepRun, state: RunState = RunState.RUNNING, run_plan: object = None) -> None:
    """A store as a crash leaves it: a run that began, and these results."""
    run = new_run(run_plan or plan(step("a", params={"value": 1}), step("b"), edges="a > b"))  # type: ignore[arg-type]
    bench.store.create(replace(run, state=state))
    bench.store.write(rows)


def result(step_id: str, state: StepState = StepState.SUCCEEDED, sequence: int = 1, **fields: object) -> StepRun:
    ports = ("out",) if state is StepState.SUCCEEDED else ()
    keys = {"iteration": (), "ports": ports, **fields}
    return StepRun("r1", step_id, state=state, sequence=sequence, **keys)  # type: ignore[arg-type]


def ended(bench: Workbench, state: RunState) -> None:
    run = bench.engine.wait("r1", PATIENCE_S)
    assert run is not None
    assert run.state is state
    stored = bench.store.get("r1")
    assert stored.state is state


def test_a_run_goes_on_at_the_first_step_without_a_durable_result(bench: Workbench) -> None:
    kept = plan(step("a"), step("b", params={"value": "{{ steps.a.output }}"}), edges="a > b")
    leave_behind(bench, result("a", output="kept"), run_plan=kept)
    assert bench.engine.recover() == 1
    ended(bench, RunState.SUCCEEDED)
    assert bench.invoker.called() == ["b"]
    assert bench.row("b").output == "kept"
    assert bench.row("b").sequence > bench.row("a").sequence
    assert [event.step_id for event in bench.events if isinstance(event, StepSucceeded)] == ["b"]
    assert any(isinstance(event, LogWritten) and "after a restart" in event.text for event in bench.events)


def test_a_step_at_work_when_the_application_closed_is_done_again(bench: Workbench) -> None:
    begin(bench, Blocking(listens=False))
    bench.invoker.functions["block"].let_go.set()  # type: ignore[attr-defined]
    restart(bench)
    ended(bench, RunState.SUCCEEDED)


def test_closing_interrupts_a_step_that_takes_too_long_and_it_is_done_again(bench: Workbench) -> None:
    entered = threading.Event()

    def obedient(call: Invocation) -> object:
        entered.set()
        call.cancel.wait(PATIENCE_S)
        return bench.invoker.functions["fail"](call)

    bench.invoker.functions["slow"] = obedient
    bench.engine.submit(new_run(plan(step("a", "test.slow"))))
    assert entered.wait(PATIENCE_S)
    bench.engine.close(0.05)
    assert bench.rows() == {}
    assert bench.store.get("r1").state is RunState.WAITING, "for the next start: what was cut off may be done again"
    bench.invoker.functions["slow"] = lambda call: "done"
    assert bench.open().recover() == 1
    ended(bench, RunState.SUCCEEDED)


def test_a_wait_survives_a_restart_with_its_time(bench: Workbench) -> None:
    bench.engine.submit(new_run(plan(step("w", "wait.duration", {"seconds": 0.3}), step("b"), edges="w > b")))
    until_state(bench, RunState.WAITING)
    bench.engine.close()
    due = bench.row("w").metadata["due"]
    assert bench.row("w").state is StepState.WAITING
    assert bench.open().recover() == 1
    ended(bench, RunState.SUCCEEDED)
    assert bench.row("w").output == {"until": due}
    assert bench.row("w").duration_ms >= 295


def test_a_wait_that_fell_due_meanwhile_ends_at_once(bench: Workbench) -> None:
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    waiting = result("w", StepState.WAITING, metadata={"due": past}, started_at=NOW)
    leave_behind(bench, waiting, state=RunState.WAITING, run_plan=plan(step("w", "wait.duration", {"seconds": 9e5})))
    assert bench.engine.recover() == 1
    ended(bench, RunState.SUCCEEDED)


def test_what_still_waits_is_not_counted_as_a_result_that_was_kept(bench: Workbench) -> None:
    test_a_wait_that_fell_due_meanwhile_ends_at_once(bench)
    told = [event.text for event in bench.events if isinstance(event, LogWritten)]
    assert "The run goes on after a restart; results kept: 0." in told


def test_a_retry_goes_on_counting_after_a_restart(bench: Workbench) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    failure = Failure("provider.vendor", "The vendor said no.", retryable=True)
    waiting = result("a", StepState.WAITING, attempt=2, failure=failure, metadata={"due": past})
    retried = plan(step("a", "test.fail", {"retryable": True}, retry=Retry(3, 0.001)))
    leave_behind(bench, waiting, state=RunState.WAITING, run_plan=retried)
    bench.engine.recover()
    ended(bench, RunState.FAILED)
    assert [call.attempt for call in bench.invoker.calls] == [3]


def test_a_paused_run_stays_paused_until_it_is_resumed(bench: Workbench) -> None:
    leave_behind(bench, result("a"), state=RunState.PAUSED)
    assert bench.engine.recover() == 1
    assert bench.engine.wait("r1", 0.05) is None
    assert bench.invoker.calls == []
    assert bench.engine.resume("r1")
    ended(bench, RunState.SUCCEEDED)


@pytest.mark.logs("cannot be taken up again")
def test_a_run_whose_plan_cannot_run_any_more_fails_with_a_sentence(bench: Workbench) -> None:
    leave_behind(bench, run_plan=plan(step("a"), step("b"), edges="a > b, b > a"))
    assert bench.engine.recover() == 0
    bench.engine.close()
    stored = bench.store.get("r1")
    assert stored.state is RunState.FAILED
    assert "run in a circle" in stored.failure.sentence


def test_a_run_that_was_being_cancelled_is_cancelled(bench: Workbench) -> None:
    leave_behind(bench, result("a", StepState.CANCELLED))
    bench.engine.recover()
    ended(bench, RunState.CANCELLED)
    assert bench.invoker.calls == []


def test_a_run_that_was_failing_fails(bench: Workbench) -> None:
    failure = Failure("provider.vendor", "The vendor said no.", step_id="a")
    leave_behind(bench, result("a", StepState.FAILED, failure=failure))
    bench.engine.recover()
    ended(bench, RunState.FAILED)
    assert bench.store.get("r1").failure.sentence == "Step “test.echo”: The vendor said no."


def test_only_the_open_items_of_a_loop_are_done(bench: Workbench) -> None:
    looped = plan(
        step("l", "flow.loop", {"items": [0, 1, 2, 3]}),
        step("w", params={"value": "{{ item }}"}, parent="l"),
        step("x", params={"value": "{{ steps.w.output }}"}, parent="l"),
        edges="l.body > w, w > x",
    )
    done = [
        replace(result(step_id, output=index, sequence=2 * index + at), iteration=(index,))
        for index in (0, 1)
        for at, step_id in enumerate("wx", 1)
    ]
    half = replace(result("w", output="half", sequence=9), iteration=(2,))
    leave_behind(bench, *done, half, run_plan=looped)
    bench.engine.recover()
    ended(bench, RunState.SUCCEEDED)
    assert [(call.step_id, call.iteration) for call in bench.invoker.calls] == [("x", (2,)), ("w", (3,)), ("x", (3,))]
    assert bench.row("l").output == {"results": [0, 1, "half", 3], "count": 4}


@pytest.mark.parametrize("end", [StepState.FAILED, StepState.CANCELLED])
@pytest.mark.parametrize("kind", ["loop", "while"])
def test_a_run_that_was_ending_marks_every_step_of_the_turns_it_had_begun(
    bench: Workbench, kind: str, end: StepState
) -> None:
    params = {"loop": {"items": [1, 2, 3]}, "while": {"condition": "index < 3"}}[kind]
    body = [step("a", parent="l"), step("w", "wait.duration", {"seconds": 999}, parent="l"), step("z", parent="l")]
    ending = plan(step("l", f"flow.{kind}", params), *body, step("x"), step("y"), edges="a > w, w > z, l.done > y")
    why = Failure("test.no", "No.") if end is StepState.FAILED else None
    due = {"due": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    turn = [result(each, sequence=number, iteration=(0,)) for number, each in enumerate("awz", 1)]
    turn += [result("a", sequence=4, iteration=(1,))]
    turn += [result("w", StepState.WAITING, 5, iteration=(1,), metadata=due)]
    leave_behind(bench, *turn, result("x", end, 6, failure=why), run_plan=ending)
    bench.engine.recover()
    ended(bench, RunState.FAILED if why else RunState.CANCELLED)
    states = {key: row.state.value for key, row in bench.rows().items()}
    assert states == {
        **{(each, (0,)): "succeeded" for each in "awz"},
        ("a", (1,)): "succeeded",
        ("w", (1,)): "cancelled",
        ("z", (1,)): "skipped",
        ("l", ()): "cancelled",
        ("x", ()): end.value,
        ("y", ()): "skipped",
    }


def test_a_turn_that_waited_in_a_loop_that_cannot_be_opened_again_is_marked_too(bench: Workbench) -> None:
    gone = plan(step("l", "flow.loop", {"items": "{{ trigger.gone }}"}), step("w", "wait.duration", parent="l"))
    due = {"due": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    leave_behind(bench, result("w", StepState.WAITING, 1, iteration=(0,), metadata=due), run_plan=gone)
    bench.engine.recover()
    ended(bench, RunState.FAILED)
    assert bench.row("l").state is StepState.FAILED
    assert bench.row("w", (0,)).state is StepState.CANCELLED


@pytest.mark.logs("met a fault in the engine")
def test_a_row_that_makes_no_sense_fails_its_run_and_no_other(bench: Workbench) -> None:
    leave_behind(bench, result("a", StepState.WAITING, metadata={"due": "no time"}))
    bench.engine.recover()
    ended(bench, RunState.FAILED)
    assert bench.store.get("r1").failure.code == "engine.bug"
    assert bench.run(plan(step("a")), "r2").state is RunState.SUCCEEDED


def test_taking_up_twice_takes_up_once(bench: Workbench) -> None:
    bench.engine.submit(new_run(plan(step("w", "wait.duration", {"seconds": 60}))))
    assert bench.engine.recover() == 0


RUNS = 6
KILLS = 5


def test_after_kill_9_no_durable_step_is_executed_again(tmp_path: Path) -> None:
    database_file, ledger = tmp_path / "runs.db", tmp_path / "ledger"
    ledger.touch()
    rng = random.Random(4711)
    durable: set[str] = set()
    for _ in range(KILLS):
        lines_before = len(ledger.read_text().splitlines())
        child = start_child(database_file, ledger)
        kill_after(child, ledger, lines_before + rng.randint(1, 60))
        executed = ledger.read_text().splitlines()[lines_before:]
        assert not durable & set(executed), "a step with a durable result was executed again"
        durable = durable_results(database_file)
    lines_before = len(ledger.read_text().splitlines())
    assert start_child(database_file, ledger).wait(30) == 0
    assert not durable & set(ledger.read_text().splitlines()[lines_before:])
    assert final_outputs(database_file) == [list(range(12))] * RUNS


def start_child(database_file: Path, ledger: Path) -> "subprocess.Popen[bytes]":
    arguments = [sys.executable, "-m", "tests.engine.ledger_child", str(database_file), str(ledger), str(RUNS)]
    return subprocess.Popen(arguments, cwd=Path(__file__).parents[2])


def kill_after(child: "subprocess.Popen[bytes]", ledger: Path, lines: int) -> None:
    deadline, tick = monotonic() + 20, threading.Event()
    while len(ledger.read_text().splitlines()) < lines and child.poll() is None:
        assert monotonic() < deadline, "the child does not get on"
        tick.wait(0.002)
    child.kill()  # SIGKILL
    child.wait()


def durable_results(database_file: Path) -> set[str]:
    database = Database(f"sqlite:///{database_file}", "NORMAL")
    store = SqlRunStore(database)
    rows = [row for number in range(RUNS) for row in store.step_runs(f"r{number}")]
    database.close()
    return {f"{row.run_id} {row.step_id} {'.'.join(map(str, row.iteration))}" for row in rows if row.state in LASTING}


LASTING = {StepState.SUCCEEDED, StepState.FAILED, StepState.SKIPPED}


def final_outputs(database_file: Path) -> list[object]:
    database = Database(f"sqlite:///{database_file}", "NORMAL")
    store = SqlRunStore(database)
    runs = [store.get(f"r{number}") for number in range(RUNS)]
    outputs = [store.step_run(f"r{number}", "d", ()) for number in range(RUNS)]
    database.close()
    assert {run.state for run in runs if run} == {RunState.SUCCEEDED}
    return [row.output for row in outputs if row]
