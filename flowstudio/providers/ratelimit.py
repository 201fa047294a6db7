"""Calls per time and calls at once, for each provider and credential. Waiting ends on cancel."""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from flowstudio.providers.errors import ActionCancelledError
from flowstudio.providers.manifest import RateLimit
from flowstudio.providers.ports import Cancel


class RateLimiter:
    """Thread-safe. Keys name who shares a limit; a key keeps the limit it was first seen with."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._limits: dict[Hashable, tuple[_Bucket, _Slots]] = {}

    @contextmanager
    def hold(self, key: Hashable, rate: RateLimit, cancel: Cancel) -> Iterator[None]:
        """Waits for a turn and keeps a slot until the end of the block. Raises ActionCancelledError."""
        if rate.calls is None and rate.concurrent is None:
            yield
            return
        with self._lock:
            bucket, slots = self._limits.setdefault(key, (_Bucket(rate, self._monotonic()), _Slots(rate.concurrent)))
        slots.take(cancel)
        try:
            delay_s = bucket.reserve(self._monotonic())
            if delay_s > 0 and cancel.wait(delay_s):
                bucket.give_back()
                raise _cancelled()
            yield
        finally:
            slots.give_back()


class _Bucket:
    """A token bucket that may go into debt: each caller reserves its token and learns how long to wait for it."""

    def __init__(self, rate: RateLimit, now: float) -> None:
        self._lock = threading.Lock()
        self._capacity = float(rate.calls) if rate.calls is not None else None
        self._per_s = (self._capacity or 0.0) / rate.per_s
        self._tokens = self._capacity or 0.0
        self._at = now

    def reserve(self, now: float) -> float:
        """Seconds until the token that is now taken exists."""
        if self._capacity is None:
            return 0.0
        with self._lock:
            self._tokens = min(self._capacity, self._tokens + (now - self._at) * self._per_s)
            self._at = now
            self._tokens -= 1.0
            return max(0.0, -self._tokens / self._per_s)

    def give_back(self) -> None:
        with self._lock:
            self._tokens += 1.0


class _Slots:
    """A fair semaphore whose waiting ends on cancel."""

    def __init__(self, count: int | None) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._waiting: deque[threading.Event] = deque()

    def take(self, cancel: Cancel) -> None:
        turn = threading.Event()
        with self._lock:
            if self._free is None:
                return
            if self._free > 0:
                self._free -= 1
                return
            self._waiting.append(turn)
        forget = cancel.on_cancel(turn.set)
        turn.wait()
        forget()
        if cancel.is_set:
            self._leave(turn)
            raise _cancelled()

    def give_back(self) -> None:
        with self._lock:
            if self._free is None:
                return
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _leave(self, turn: threading.Event) -> None:
        """Out of the queue; a turn that came at the same moment goes to the next."""
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self.give_back()


def _cancelled() -> ActionCancelledError:
    return ActionCancelledError("The call was cancelled while it waited for its turn.")
