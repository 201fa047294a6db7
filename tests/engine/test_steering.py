"""Cancel, pause, resume, time limits, waits: a run can be steered while it is at work."""

import threading
from time import monotonic

import pytest

from flowstudio.engine.cancel import CancelToken
from flowstudio.engine.events import RunStateChanged, StepCancelled
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import RunState, StepState
from flowstudio.engine.ports import Invocation
from flowstudio.plan.model import OnError, Retry
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, step


class Blocking:
    """An action that blocks until its token is set, or until the test lets it go."""

    def __init__(self, *, listens: bool = True) -> None:
        self.entered = threading.Event()
        self.let_go = threading.Event()
        self.listens = listens

    def __call__(self, call: Invocation) -> str:
        forget = call.cancel.on_cancel(self.let_go.set) if self.listens else None
        self.entered.set()
        self.let_go.wait(PATIENCE_S)
        if forget is not None:
            forget()
        if call.cancel.is_set and self.listens:
            raise InterruptedError
        return "done"


def begin(bench: Workbench, action: Blocking, run_id: str = "r1", **fields: object) -> None:
    """A run of a blocking step and one after it, arrived at the first."""
    bench.invoker.functions["block"] = action
    chain = plan(step("a", "test.block", **fields), step("b"), edges="a > b")
    assert bench.engine.submit(new_run(chain, run_id))
    assert action.entered.wait(PATIENCE_S)


@pytest.mark.logs("broke")
def test_cancel_ends_a_blocked_step_within_100_ms(bench: Workbench) -> None:
    assert min(seconds_to_cancel(bench, f"r{number}") for number in range(3)) < 0.1, (
        "the best of three: others work too"
    )
    assert bench.engine.active() == []


def seconds_to_cancel(bench: Workbench, run_id: str) -> float:
    begin(bench, Blocking(), run_id)
    started = monotonic()
    assert bench.engine.cancel(run_id)
    run = bench.engine.wait(run_id, PATIENCE_S)
    assert run is not None
    assert run.state is RunState.CANCELLED
    return monotonic() - started


def test_cancel_marks_every_step(bench: Workbench) -> None:
    chain = plan(step("w", "wait.duration", {"seconds": 60}), step("b"), edges="w > b")
    bench.engine.submit(new_run(chain))
    until_state(bench, RunState.WAITING)
    bench.engine.cancel("r1")
    bench.engine.wait("r1", PATIENCE_S)
    assert bench.row("w").state is StepState.CANCELLED
    assert (bench.row("b").state, bench.row("b").message) == (StepState.SKIPPED, "the run ended before it")
    assert [event.step_id for event in bench.events if isinstance(event, StepCancelled)] == ["w"]
    assert bench.store.get("r1").state is RunState.CANCELLED


@pytest.mark.logs("does not end and is given up")
def test_a_step_that_ignores_cancel_is_given_up(quick_bench: Workbench) -> None:
    action = Blocking(listens=False)
    begin(quick_bench, action)
    quick_bench.engine.cancel("r1")
    run = quick_bench.engine.wait("r1", PATIENCE_S)
    action.let_go.set()
    assert run is not None
    assert run.state is RunState.CANCELLED
    assert quick_bench.row("a").state is StepState.CANCELLED


def test_an_unknown_run_cannot_be_steered(bench: Workbench) -> None:
    assert not bench.engine.cancel("nobody")
    assert not bench.engine.pause("nobody")
    assert not bench.engine.resume("nobody")
    assert bench.engine.wait("nobody", 0.01) is None


def test_cancel_all_ends_every_run(bench: Workbench) -> None:
    long = plan(step("w", "wait.duration", {"seconds": 60}))
    for number in range(5):
        bench.engine.submit(new_run(long, f"r{number}"))
    assert bench.engine.cancel_all() == 5
    ended = [bench.engine.wait(f"r{number}", PATIENCE_S) for number in range(5)]
    assert {run.state for run in ended if run} == {RunState.CANCELLED}


def test_a_failure_ends_the_other_branches(bench: Workbench) -> None:
    action = Blocking()
    bench.invoker.functions["block"] = action
    bench.invoker.functions["fail_then"] = lambda call: (
        action.entered.wait(PATIENCE_S) and bench.invoker.functions["fail"](call)
    )
    action.listens = True
    race = plan(step("a", "test.wait_politely"), step("b", "test.fail_then"))
    entered = threading.Event()

    def wait_politely(call: Invocation) -> object:
        entered.set()
        action.entered.set()
        call.cancel.wait(PATIENCE_S)
        return bench.invoker.functions["fail"](call)

    bench.invoker.functions["wait_politely"] = wait_politely
    run = bench.run(race)
    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert run.failure.step_id == "b"
    assert bench.row("a").state is StepState.CANCELLED


def test_pause_lets_the_step_end_and_starts_no_other(bench: Workbench) -> None:
    action = Blocking(listens=False)
    begin(bench, action)
    assert bench.engine.pause("r1")
    action.let_go.set()
    until_state(bench, RunState.PAUSED)
    assert bench.invoker.called() == ["a"]
    assert bench.store.get("r1").state is RunState.PAUSED
    assert bench.engine.resume("r1")
    run = bench.engine.wait("r1", PATIENCE_S)
    assert run is not None
    assert run.state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["a", "b"]


def test_a_waiting_run_can_be_paused_and_cancelled(bench: Workbench) -> None:
    bench.engine.submit(new_run(plan(step("w", "wait.duration", {"seconds": 60}))))
    until_state(bench, RunState.WAITING)
    assert bench.engine.pause("r1")
    until_state(bench, RunState.PAUSED)
    assert bench.engine.cancel("r1")
    run = bench.engine.wait("r1", PATIENCE_S)
    assert run is not None
    assert run.state is RunState.CANCELLED


def test_a_run_paused_before_it_began_does_not_begin(bench: Workbench) -> None:
    blockers = [Blocking(listens=False) for _ in range(EngineLimits().threads)]
    bench.invoker.functions["block"] = lambda call: blockers[call.params["n"]](call)
    full = plan(*(step(f"s{n}", "test.block", {"n": n}) for n in range(len(blockers))))
    bench.engine.submit(new_run(full, "full"))
    assert all(blocker.entered.wait(PATIENCE_S) for blocker in blockers)
    bench.engine.submit(new_run(plan(step("a"))))
    assert bench.engine.pause("r1")
    for blocker in blockers:
        blocker.let_go.set()
    until_state(bench, RunState.PAUSED)
    assert bench.engine.resume("r1")
    assert bench.engine.wait("r1", PATIENCE_S) is not None


def test_a_wait_holds_no_thread(bench: Workbench) -> None:
    before = {thread.name for thread in threading.enumerate()}
    waiting = plan(step("w", "wait.duration", {"seconds": 0.1}))
    for number in range(200):
        bench.engine.submit(new_run(waiting, f"r{number}"))
    started = {thread.name for thread in threading.enumerate()} - before
    assert len(started) <= EngineLimits().threads
    ended = [bench.engine.wait(f"r{number}", PATIENCE_S) for number in range(200)]
    assert {run.state for run in ended if run} == {RunState.SUCCEEDED}


@pytest.fixture
def quick_bench(bench: Workbench) -> Workbench:
    """Gives up what does not come back after 50 ms."""
    bench.engine.close()
    bench.limits = EngineLimits(grace_s=0.05)
    bench.open()
    return bench


@pytest.mark.logs("ignores its time limit")
def test_a_step_that_ignores_its_time_limit_is_given_up(quick_bench: Workbench) -> None:
    action = Blocking(listens=False)
    begin(quick_bench, action, timeout_s=0.05)
    run = quick_bench.engine.wait("r1", PATIENCE_S)
    action.let_go.set()
    assert run is not None
    assert run.failure is not None
    assert run.failure.code == "engine.timeout"
    assert "time limit of 0.05 s" in run.failure.sentence


def test_a_time_limit_sets_the_attempts_token(bench: Workbench) -> None:
    tokens: list[CancelToken] = []

    def obedient(call: Invocation) -> object:
        tokens.append(call.cancel)
        call.cancel.wait(PATIENCE_S)
        return bench.invoker.functions["fail"](call)

    bench.invoker.functions["obedient"] = obedient
    late = step("a", "test.obedient", timeout_s=0.02, retry=Retry(2, 0.001), on_error=OnError.CONTINUE)
    assert bench.run(plan(late)).state is RunState.SUCCEEDED
    assert bench.row("a").failure.code == "engine.timeout"  # type: ignore[union-attr]
    assert len(tokens) == 2, "a timeout is worth another try"
    assert all(token.is_set for token in tokens)


def test_cancel_reaches_a_step_with_a_time_limit(bench: Workbench) -> None:
    entered = threading.Event()

    def obedient(call: Invocation) -> object:
        entered.set()
        call.cancel.wait(PATIENCE_S)
        return bench.invoker.functions["fail"](call)

    bench.invoker.functions["obedient"] = obedient
    bench.engine.submit(new_run(plan(step("a", "test.obedient", timeout_s=60))))
    assert entered.wait(PATIENCE_S)
    bench.engine.cancel("r1")
    run = bench.engine.wait("r1", PATIENCE_S)
    assert run is not None
    assert run.state is RunState.CANCELLED
    assert bench.row("a").state is StepState.CANCELLED


def until_state(bench: Workbench, state: RunState) -> None:
    """Waits until the run's move to that state has been told."""
    deadline = monotonic() + PATIENCE_S
    tick = threading.Event()
    while not any(isinstance(event, RunStateChanged) and event.state is state for event in bench.events):
        assert monotonic() < deadline, f"the run never was {state}"
        tick.wait(0.002)
