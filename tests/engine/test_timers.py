"""The thread that waits for everybody."""

import threading
from collections.abc import Iterator

import pytest

from flowstudio.engine.timers import SWEEP_FLOOR, Timers
from tests.engine.workbench import SystemClock

PATIENCE_S = 5.0


@pytest.fixture
def timers() -> Iterator[Timers]:
    timers = Timers(SystemClock())
    timers.start()
    yield timers
    timers.close(PATIENCE_S)


def test_appointments_are_kept_in_order_of_time(timers: Timers) -> None:
    kept: list[str] = []
    done = threading.Event()
    timers.after(0.03, done.set)
    timers.after(0.02, lambda: kept.append("second"))
    timers.after(0.01, lambda: kept.append("first"))
    assert done.wait(PATIENCE_S)
    assert kept == ["first", "second"]


def test_a_cancelled_appointment_is_not_kept(timers: Timers) -> None:
    kept: list[str] = []
    done = threading.Event()
    timers.after(0.005, lambda: kept.append("cancelled")).cancel()
    timers.after(0.02, done.set)
    assert done.wait(PATIENCE_S)
    assert kept == []


@pytest.mark.logs("met a fault")
def test_one_that_raises_does_not_stop_the_others(timers: Timers, caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()
    timers.after(0.0, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    timers.after(0.005, done.set)
    assert done.wait(PATIENCE_S)
    assert "ZeroDivisionError" in caplog.text


def test_cancelled_appointments_do_not_pile_up(timers: Timers) -> None:
    for _ in range(10 * SWEEP_FLOOR):
        timers.after(3600.0, lambda: None).cancel()
    assert len(timers._heap) <= SWEEP_FLOOR


def test_an_appointment_at_the_end_of_time_leaves_the_thread_alive(timers: Timers) -> None:
    timers.after(1e308, lambda: None)
    done = threading.Event()
    timers.after(0.02, done.set)
    assert done.wait(PATIENCE_S)
    late = threading.Event()
    timers.after(0.01, late.set)  # by now the thread waits for the far one alone
    assert late.wait(PATIENCE_S)
