"""What many threads hand to one, which sleeps until somebody wants an answer.

Items that nobody waits for may linger for some milliseconds: a chain of a hundred pure steps then wakes the journal's
writer once and not a hundred times, and every waking costs all threads a fight for the interpreter.
"""

import threading
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

LINGER_S = 0.005
"""How long an item that nobody waits for stays here, at most."""
GATHER_S = 0.0001
"""A batch waits for those who are expected to want one until a pause as long as a quick fsync takes brings none."""
NONE_EXPECTED = 2**62


class Bell:
    """Wakes one sleeper; rung while nobody sleeps, it wakes the next at once. A tenth of an Event's cost."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def ring(self) -> None:
        with suppress(RuntimeError):  # it was rung already
            self._lock.release()

    def wait(self, timeout_s: float = -1) -> None:
        self._lock.acquire(timeout=timeout_s)


class Inbox(Generic[T]):
    """Any thread puts and wants; one thread takes. Items come out in the order they went in."""

    def __init__(self, batch: int) -> None:
        """batch: most items taken at once."""
        self._batch = batch
        self._items: deque[T] = deque()
        self._wants: deque[None] = deque()
        """One for each thread that waits for its item, until the next batch is taken."""
        self._bell = Bell()
        self._is_idle = False
        self._is_closed = False
        self._last_wants = 0
        self._expected = NONE_EXPECTED

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        self._items.append(item)
        if self._is_idle:
            self._is_idle = False  # the sleeper may take long to get the interpreter: one ring is enough
            self._bell.ring()

    def want(self) -> None:
        """What was put so far is waited for: it is taken at once."""
        self._wants.append(None)
        if len(self._wants) >= self._expected:
            self._expected = NONE_EXPECTED
            self._bell.ring()

    def close(self) -> None:
        """The taker comes to its end when all is taken."""
        self._is_closed = True
        self._bell.ring()

    def take(self) -> list[T] | None:
        """Blocks until an item is wanted or has lingered, then takes all up to a batch; None when closed and empty."""
        if not self._await_items():
            return None
        self._expected = 1
        if not self._wants and not self._is_closed:
            self._bell.wait(LINGER_S)
        self._gather(self._last_wants)
        self._last_wants = len(self._wants)
        self._wants.clear()  # before the items: who wants one has put it before
        items = [self._items.popleft() for _ in range(min(len(self._items), self._batch))]
        if self._items:
            self._wants.append(None)  # what did not fit may be wanted as well
        return items

    def rest(self) -> list[T]:
        """All that are there now, without waiting."""
        items: list[T] = []
        with suppress(IndexError):  # once the taker is gone, several threads may empty it at once
            for _ in range(len(self._items)):
                items.append(self._items.popleft())  # noqa: PERF401 - what was taken must not be lost with the error
        return items

    def _await_items(self) -> bool:
        while not self._items:
            if self._is_closed:
                return False
            self._is_idle = True
            if not self._items:  # else one came before its putter could see that nobody is awake
                self._bell.wait()
            self._is_idle = False
        return True

    def _gather(self, expected: int) -> None:
        """Gives those who wanted the batch before a moment to want the next: eight runs then share one transaction
        instead of two that take turns. Woken by the last of them, not by every one."""
        self._expected = expected
        before = 0
        while before < (wanted := len(self._wants)) < expected and not self._is_closed:
            before = wanted
            self._bell.wait(GATHER_S)
        self._expected = NONE_EXPECTED
