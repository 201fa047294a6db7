"""The engine as a whole: many runs at once, refusals, an orderly end."""

import threading
from time import monotonic
from typing import Any

import pytest

from flowstudio.engine.errors import EngineClosedError, NotRunnableError
from flowstudio.engine.events import RunEnded, RunEvent
from flowstudio.engine.model import RunState
from flowstudio.plan.model import Plan
from tests.engine.test_steering import until_state
from tests.engine.workbench import PATIENCE_S, Functions, Workbench, new_run, plan, step


def mixed_plan() -> Plan:
    return plan(
        step("a", params={"value": "{{ trigger }}"}),
        step("if", "flow.condition", {"condition": "{{ steps.a.output > 4 }}"}),
        step("big", params={"value": "big"}),
        step("small", params={"value": "small"}),
        step("l", "flow.loop", {"items": [1, 2, 3], "parallel": 2}),
        step("w", params={"value": "{{ item * steps.a.output }}"}, parent="l"),
        step("m", "flow.merge"),
        edges="a > if, if.true > big, if.false > small, a > l, l.body > w, big > m, small > m, l.done > m",
    )


def test_many_runs_from_many_threads_all_end_with_their_own_results(bench: Workbench) -> None:
    def submit(first: int) -> None:
        for number in range(first, first + 10):
            bench.engine.submit(new_run(mixed_plan(), f"r{number}", number % 10))

    threads = [threading.Thread(target=submit, args=(first,)) for first in range(0, 60, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    for number in range(60):
        run = bench.engine.wait(f"r{number}", PATIENCE_S)
        assert run is not None
        assert run.state is RunState.SUCCEEDED, run.failure
        n = number % 10
        side = {"big": "big"} if n > 4 else {"small": "small"}
        assert bench.outputs(f"r{number}")["m"] == {**side, "l": {"results": [n, 2 * n, 3 * n], "count": 3}}
    assert sum(isinstance(event, RunEnded) for event in bench.events) == 60
    assert bench.engine.active() == []


def test_a_plan_that_cannot_run_stores_nothing(bench: Workbench) -> None:
    with pytest.raises(NotRunnableError):
        bench.engine.submit(new_run(plan(step("a"), edges="a > ghost")))
    assert bench.store.get("r1") is None
    assert bench.engine.active() == []


def test_closing_ends_every_thread_and_keeps_what_waits(bench: Workbench) -> None:
    bench.run(plan(step("a")))
    bench.engine.submit(new_run(plan(step("w", "wait.duration", {"seconds": 60})), "r2"))
    until_state(bench, RunState.WAITING)
    started = monotonic()
    assert bench.engine.close(5.0)
    assert monotonic() - started < 1.0
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("flowstudio-")] == []
    assert bench.store.get("r2").state is RunState.WAITING


def test_who_waits_for_a_run_is_woken_by_closing(bench: Workbench) -> None:
    bench.engine.submit(new_run(plan(step("w", "wait.duration", {"seconds": 60}))))
    answers: list[object] = []
    waiter = threading.Thread(target=lambda: answers.append(bench.engine.wait("r1", PATIENCE_S)))
    waiter.start()
    until_state(bench, RunState.WAITING)
    bench.engine.close()
    waiter.join(PATIENCE_S)
    assert answers == [None]


def test_a_closed_engine_starts_no_more_runs(bench: Workbench) -> None:
    bench.engine.close()
    with pytest.raises(EngineClosedError, match="closing"):
        bench.engine.submit(new_run(plan(step("a"))))


def test_the_end_of_a_run_of_an_earlier_day_is_found_in_the_store(bench: Workbench) -> None:
    bench.run(plan(step("a")))
    bench.engine.close()
    run = bench.open().wait("r1", 0.0)
    assert run is not None
    assert run.state is RunState.SUCCEEDED


def test_closing_while_a_run_writes_its_end_waits_for_that_alone(store: Any) -> None:
    bench = Workbench(store, Functions())
    closer = threading.Thread(target=lambda: bench.engine.close(PATIENCE_S))

    class ClosedAtTheEnd(list[RunEvent]):
        """Hears of the end on the journal's thread, when it is durable and the run does not know it yet."""

        def append(self, event: RunEvent) -> None:
            if isinstance(event, RunEnded):
                runner = bench.engine._runners["r1"]
                closer.start()
                while not runner._is_halted:
                    runner._idle.wait(0.001)

    bench.engine.close()
    bench.events = ClosedAtTheEnd()
    bench.open()
    started = monotonic()
    bench.engine.submit(new_run(plan(step("a"))))
    assert bench.engine.wait("r1", PATIENCE_S) is not None
    closer.join(PATIENCE_S)
    assert monotonic() - started < PATIENCE_S / 4
