import threading
from collections.abc import Iterator

import pytest

from flowstudio.engine.inbox import Bell, Inbox

LONG_S = 60.0


@pytest.fixture
def lingering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowstudio.engine.inbox.LINGER_S", LONG_S)


class Taker:
    """Takes batch after batch on a thread of its own, as long as `may_take` lets it."""

    def __init__(self, inbox: "Inbox[int]") -> None:
        self.batches: list[list[int]] = []
        self.inbox = inbox
        self.arrived = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while (batch := self.inbox.take()) is not None:
            self.batches.append(batch)
            self.arrived.release()

    def await_batch(self) -> None:
        assert self.arrived.acquire(timeout=10.0)


@pytest.fixture
def inbox() -> Iterator["Inbox[int]"]:
    made: Inbox[int] = Inbox(100)
    yield made
    made.close()


def test_a_bell_rung_before_the_sleeper_comes_wakes_it_at_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    bell.wait(LONG_S)


def test_what_is_wanted_is_taken_at_once_with_all_before_it(lingering: None, inbox: "Inbox[int]") -> None:
    taker = Taker(inbox)
    for number in range(20):
        inbox.put(number)
    inbox.want()
    taker.await_batch()
    assert taker.batches == [list(range(20))]


def test_what_nobody_wants_is_taken_after_a_moment(inbox: "Inbox[int]") -> None:
    taker = Taker(inbox)
    inbox.put(1)
    taker.await_batch()
    assert taker.batches == [[1]]


def test_those_who_wanted_the_last_batch_share_the_next(
    lingering: None, inbox: "Inbox[int]", monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        inbox.put(number)
        inbox.want()
    taker = Taker(inbox)
    taker.await_batch()
    monkeypatch.setattr("flowstudio.engine.inbox.GATHER_S", LONG_S)
    for number in range(3, 6):
        inbox.put(number)
        inbox.want()
    taker.await_batch()
    assert taker.batches == [[0, 1, 2], [3, 4, 5]]


def test_a_batch_does_not_wait_for_those_who_do_not_come(lingering: None, inbox: "Inbox[int]") -> None:
    for number in range(3):
        inbox.put(number)
        inbox.want()
    taker = Taker(inbox)
    taker.await_batch()
    inbox.put(3)
    inbox.want()
    taker.await_batch()
    assert taker.batches == [[0, 1, 2], [3]]


def test_more_than_a_batch_is_taken_in_order_without_lingering(lingering: None) -> None:
    inbox: Inbox[int] = Inbox(4)
    for number in range(10):
        inbox.put(number)
    inbox.want()
    taker = Taker(inbox)
    for _ in range(3):
        taker.await_batch()
    inbox.close()
    assert taker.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_closing_hands_out_what_is_there_and_ends(lingering: None) -> None:
    inbox: Inbox[int] = Inbox(4)
    inbox.put(1)
    inbox.close()
    assert inbox.take() == [1]
    assert inbox.take() is None


def test_closing_wakes_a_taker_that_sleeps(inbox: "Inbox[int]") -> None:
    taker = Taker(inbox)
    inbox.close()
    taker.thread.join(10.0)
    assert not taker.thread.is_alive()


def test_the_rest_is_there_at_once(inbox: "Inbox[int]") -> None:
    for number in range(3):
        inbox.put(number)
    assert inbox.rest() == [0, 1, 2]
    assert len(inbox) == 0


def test_nothing_is_lost_or_out_of_order_between_many_threads(inbox: "Inbox[int]") -> None:
    taker = Taker(inbox)

    def put(first: int) -> None:
        for number in range(first, first + 2000):
            inbox.put(number)
            if number % 7 == 0:
                inbox.want()

    threads = [threading.Thread(target=put, args=(start * 10_000,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    inbox.close()
    taker.thread.join(10.0)
    taken = [number for batch in taker.batches for number in batch]
    assert len(taken) == 8000
    for start in range(4):
        own = [number for number in taken if number // 10_000 == start]
        assert own == sorted(own)
