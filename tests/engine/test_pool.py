"""The shared threads."""

import threading
from collections.abc import Iterator

import pytest

from flowstudio.engine.pool import Pool

PATIENCE_S = 5.0


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(2, "pool-test")
    yield pool
    pool.close(PATIENCE_S)


def test_calls_run_side_by_side_up_to_its_size(pool: Pool) -> None:
    meeting = threading.Barrier(2)
    met = threading.Semaphore(0)

    def meet() -> None:
        meeting.wait(PATIENCE_S)
        met.release()

    for _ in range(4):
        pool.submit(meet)
    assert all(met.acquire(timeout=PATIENCE_S) for _ in range(4))


def test_no_more_threads_than_its_size(pool: Pool) -> None:
    threads: set[int] = set()
    done = threading.Semaphore(0)

    def note() -> None:
        threads.add(threading.get_ident())
        done.release()

    for _ in range(50):
        pool.submit(note)
    assert all(done.acquire(timeout=PATIENCE_S) for _ in range(50))
    assert len(threads) <= 2


@pytest.mark.logs("met a fault")
def test_a_call_that_raises_is_logged_and_its_thread_goes_on(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()
    for _ in range(2):
        pool.submit(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    pool.submit(done.set)
    assert done.wait(PATIENCE_S)
    assert "ZeroDivisionError" in caplog.text


def test_a_thread_written_off_is_replaced() -> None:
    pool = Pool(1, "pool-test")
    release, stuck, done = threading.Event(), threading.Event(), threading.Event()
    idents: list[int] = []

    def hang() -> None:
        idents.append(threading.get_ident())
        stuck.set()
        release.wait(PATIENCE_S)

    pool.submit(hang)
    assert stuck.wait(PATIENCE_S)
    pool.submit(done.set)
    pool.write_off(idents[0])
    assert done.wait(PATIENCE_S)
    release.set()
    assert pool.close(PATIENCE_S)


def test_closing_lets_queued_calls_run() -> None:
    pool = Pool(1, "pool-test")
    done: list[int] = []
    for number in range(20):
        pool.submit(done.append, number)
    assert pool.close(PATIENCE_S)
    assert done == list(range(20))
