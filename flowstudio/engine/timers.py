"""One thread that waits for everybody: waits, retry delays and time limits hold no thread of their own."""

import heapq
import itertools
import logging
import threading
from collections.abc import Callable

from flowstudio.engine.ports import Clock

log = logging.getLogger(__name__)

SWEEP_FLOOR = 256
"""Below this many appointments cancelled ones are left to fall due."""
LONGEST_NAP_S = 3600.0
"""The thread looks up at least this often: a wait of more than some centuries does not fit the system's clock."""


class Timer:
    """An appointment. cancel() may come too late: then the call happens once more or is under way."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class Timers:
    """Calls functions when their time has come, on its own thread: they must be quick and hand real work on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wake = threading.Condition()
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        self._is_closed = False
        self._sweep_at = SWEEP_FLOOR
        self._thread = threading.Thread(target=self._serve, name="flowstudio-timers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(call)
        entry = (self._clock.monotonic() + max(seconds, 0.0), next(self._numbers), timer)
        with self._wake:
            self._sweep()
            heapq.heappush(self._heap, entry)
            if self._heap[0] is entry:
                self._wake.notify()
        return timer

    def close(self, timeout_s: float) -> None:
        """Forgets all appointments and ends the thread."""
        with self._wake:
            self._is_closed = True
            self._wake.notify()
        self._thread.join(timeout_s)

    def _sweep(self) -> None:
        """Drops cancelled appointments once they are many: a time limit outlives the quick step it watched."""
        if len(self._heap) < self._sweep_at:
            return
        self._heap = [entry for entry in self._heap if entry[2].call is not None]
        heapq.heapify(self._heap)
        self._sweep_at = max(SWEEP_FLOOR, 2 * len(self._heap))

    def _serve(self) -> None:
        while (timer := self._next_due()) is not None:
            call = timer.call
            if call is None:
                continue
            try:
                call()
            except Exception:
                log.exception("The timer thread met a fault in the engine")

    def _next_due(self) -> Timer | None:
        """Blocks until an appointment is due; None when closed. Cancelled ones at the head are dropped unwaited."""
        with self._wake:
            while not self._is_closed:
                while self._heap and self._heap[0][2].call is None:
                    heapq.heappop(self._heap)
                delay = self._heap[0][0] - self._clock.monotonic() if self._heap else None
                if delay is not None and delay <= 0:
                    return heapq.heappop(self._heap)[2]
                self._wake.wait(None if delay is None else min(delay, LONGEST_NAP_S))
            return None
