"""Work in small transactions that leave room for those of others between them."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from time import perf_counter

AIM_MS = 5.0
"""How long one transaction should keep other writers waiting."""

LONGEST_PAUSE_S = 0.5
LARGEST = 20_000


class Pace:
    """size: how much the next transaction should do; it grows and shrinks with what the last ones took.

    After each step it pauses as long as the step took, so the writers of runs have at least half of the time.
    """

    def __init__(self) -> None:
        self.size = 1
        self.longest_ms = 0.0

    def begin(self, size: int) -> None:
        """A new kind of work, of unknown speed."""
        self.size = size

    @contextmanager
    def step(self, stop: Event) -> Iterator[None]:
        """Around one transaction."""
        started = perf_counter()
        yield
        took_s = perf_counter() - started
        self._learn(took_s * 1000)
        stop.wait(min(took_s, LONGEST_PAUSE_S))

    def _learn(self, took_ms: float) -> None:
        self.longest_ms = max(self.longest_ms, took_ms)
        if took_ms > AIM_MS:
            self.size = max(1, int(self.size * max(AIM_MS / took_ms, 0.25)))
        elif took_ms < AIM_MS / 2:
            self.size = min(self.size * 2, LARGEST)
