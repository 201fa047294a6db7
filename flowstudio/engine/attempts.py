"""Where a run's attempts are: in flight, parked until a time, or held by a pause. Guarded by its run's lock."""

from collections.abc import Callable, Sequence
from functools import partial

from flowstudio.engine.ports import Clock
from flowstudio.engine.step import Attempt
from flowstudio.engine.timers import Timer, Timers

LONGEST_NAP_S = 30.0
"""A parked attempt looks at the wall clock at least this often: the monotonic one stands still in a sleeping laptop."""


class Attempts:
    """in_flight: given to a thread or queued for one. interrupted: under way when the run was ended."""

    def __init__(self, timers: Timers, clock: Clock, wake: Callable[[Attempt], None]) -> None:
        """wake is called on the timer thread, without the lock."""
        self._timers = timers
        self._clock = clock
        self._wake = wake
        self._parked: dict[Attempt, Timer] = {}
        self._held: list[Attempt] = []
        self.in_flight: set[Attempt] = set()
        self.interrupted: list[Attempt] = []

    @property
    def has_parked(self) -> bool:
        return bool(self._parked)

    def admit(self, ready: Sequence[Attempt], *, is_paused: bool) -> list[Attempt]:
        """Parks what is not due and holds all else while paused; the rest is in flight and returned."""
        startable: list[Attempt] = []
        for attempt in ready:
            if attempt.due is not None and attempt.due > self._clock.now():
                self._park(attempt)
            elif is_paused:
                self._held.append(attempt)
            else:
                startable.append(attempt)
        self.in_flight.update(startable)
        return startable

    def hold(self, attempt: Attempt) -> None:
        """Takes an attempt back that was on its way to a thread."""
        self.in_flight.discard(attempt)
        self._held.append(attempt)

    def release(self) -> list[Attempt]:
        """What a pause held."""
        held, self._held = self._held, []
        return held

    def unpark(self, attempt: Attempt) -> bool:
        """True once: an attempt that was dropped meanwhile stays asleep."""
        return self._parked.pop(attempt, None) is not None

    def drop_waiting(self) -> None:
        """Nothing that is parked or held will start any more."""
        for timer in self._parked.values():
            timer.cancel()
        self.interrupted.extend(self._parked)
        self._parked.clear()
        self._held.clear()

    def give_up(self) -> list[Attempt]:
        """Whoever is still in flight is not waited for."""
        stuck = list(self.in_flight)
        self.in_flight.clear()
        self.interrupted.extend(stuck)
        return stuck

    def _park(self, attempt: Attempt) -> None:
        assert attempt.due is not None
        remaining_s = (attempt.due - self._clock.now()).total_seconds()
        self._parked[attempt] = self._timers.after(min(remaining_s, LONGEST_NAP_S), partial(self._wake, attempt))
