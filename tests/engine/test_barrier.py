"""What must be on disk before a step starts: everything that leads to an effect, nothing for a pure step."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from flowstudio.engine.engine import Engine
from flowstudio.engine.events import RunEnded, StepFailed, StepStarted, StepSucceeded
from flowstudio.engine.model import RunState, StepRun
from flowstudio.plan.model import Json
from flowstudio.storage.run_store import SqlRunStore
from tests.engine.workbench import PATIENCE_S, Functions, Info, SystemClock, Workbench, new_run, plan, step


class Effects:
    """An action table in which `test.<effect>` has that effect."""

    def find(self, provider: str, action: str) -> Info | None:
        return Info(provider, action, action) if action in ("pure", "read", "write", "costs") else None

    def suggest(self, provider: str, action: str) -> str:
        return ""


class SlowDisk:
    """The store, on a disk that takes step results only once it is released."""

    def __init__(self, store: SqlRunStore) -> None:
        self.store = store
        self.gate = threading.Event()

    def write(self, entries: Any, new_runs: Any = (), seeds: Any = ()) -> Any:
        if any(isinstance(each, StepRun) for each in entries):
            self.gate.wait(PATIENCE_S)
        return self.store.write(entries, new_runs, seeds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


EFFECTS = Effects()


class Bench(Workbench):
    def open(self) -> Engine:
        self.engine = Engine(
            self.store, self.invoker, lambda _user: EFFECTS, self.events.append, SystemClock(), self.limits
        )
        self.engine.start()
        return self.engine


@pytest.fixture
def disk(store: SqlRunStore) -> SlowDisk:
    return SlowDisk(store)


@pytest.fixture
def seen() -> dict[str, threading.Event]:
    return {}


@pytest.fixture
def slow(disk: SlowDisk, seen: dict[str, threading.Event]) -> Iterator[Bench]:
    def note(call: Any) -> Json:
        seen[call.step_id].set()
        return call.step_id

    bench = Bench(disk, Functions(pure=note, read=note, write=note, costs=note))
    yield bench
    disk.gate.set()
    bench.engine.close()


def start(bench: Bench, seen: dict[str, threading.Event], *actions: str) -> None:
    """A chain s0 > s1 > ... of those actions."""
    steps = [step(f"s{number}", f"test.{action}") for number, action in enumerate(actions)]
    seen.update({each.id: threading.Event() for each in steps})
    edges = ", ".join(f"s{number} > s{number + 1}" for number in range(len(steps) - 1))
    assert bench.engine.submit(new_run(plan(*steps, edges=edges)))


def test_pure_steps_do_not_wait_for_the_disk(slow: Bench, seen: dict[str, threading.Event]) -> None:
    start(slow, seen, "pure", "pure", "pure")
    assert seen["s2"].wait(PATIENCE_S)
    assert not any(isinstance(each, StepSucceeded) for each in slow.events)


@pytest.mark.parametrize("effect", ["read", "write", "costs"])
def test_an_effect_waits_for_all_that_leads_to_it(
    slow: Bench, disk: SlowDisk, seen: dict[str, threading.Event], effect: str
) -> None:
    start(slow, seen, "write", "pure", effect)
    assert seen["s1"].wait(PATIENCE_S)
    assert not seen["s2"].wait(0.1)
    disk.gate.set()
    assert seen["s2"].wait(PATIENCE_S)
    durable = [row.step_id for row in disk.store.step_runs("r1")]
    assert durable[:2] == ["s0", "s1"]


def test_a_run_ends_only_when_its_results_are_durable(
    slow: Bench, disk: SlowDisk, seen: dict[str, threading.Event]
) -> None:
    start(slow, seen, "pure", "pure")
    assert seen["s1"].wait(PATIENCE_S)
    assert slow.engine.wait("r1", 0.1) is None
    disk.gate.set()
    run = slow.engine.wait("r1", PATIENCE_S)
    assert run is not None
    assert run.state is RunState.SUCCEEDED


def test_the_end_of_a_step_is_told_before_the_start_of_the_next(
    slow: Bench, disk: SlowDisk, seen: dict[str, threading.Event]
) -> None:
    disk.gate.set()
    start(slow, seen, "pure", "pure", "write", "pure")
    assert slow.engine.wait("r1", PATIENCE_S) is not None
    told = [
        (type(each).__name__, each.step_id)
        for each in slow.events
        if isinstance(each, StepStarted | StepSucceeded | StepFailed)
    ]
    assert told == [(name, f"s{n}") for n in range(4) for name in ("StepStarted", "StepSucceeded")]
    assert isinstance(slow.events[-1], RunEnded)
