"""Where a run's attempts are: in flight, parked, or held by a pause. Guarded by its run's lock.

A parked attempt waits for a time, or for what comes from outside: a call, the end of another run. It holds no thread.
"""

from collections.abc import Callable, Sequence
from functools import partial

from flowstudio.engine.model import IterationPath
from flowstudio.engine.ports import Clock
from flowstudio.engine.step import Attempt, Awaits
from flowstudio.engine.timers import Timer, Timers
from flowstudio.plan.model import StepId

LONGEST_NAP_S = 30.0
"""A parked attempt looks at the wall clock at least this often: the monotonic one stands still in a sleeping laptop."""


class Attempts:
    """in_flight: given to a thread or queued for one. interrupted: under way when the run was ended."""

    def __init__(
        self, timers: Timers, clock: Clock, wake: Callable[[Attempt], None], attach: Callable[[Attempt], None]
    ) -> None:
        """wake is called on the timer thread, without the lock; attach with it, for one that awaits a run's end."""
        self._timers = timers
        self._clock = clock
        self._wake = wake
        self._attach = attach
        self._parked: dict[Attempt, Timer | None] = {}
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
            if self._must_wait(attempt):
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
        if attempt not in self._parked:
            return False
        timer = self._parked.pop(attempt)
        if timer is not None:
            timer.cancel()
        return True

    def take(self, attempt: Attempt) -> bool:
        """From parked to in flight, because what it awaits has come. True once."""
        if not self.unpark(attempt):
            return False
        self.in_flight.add(attempt)
        return True

    def awaiting_call(self, step_id: StepId | None, path: IterationPath | None) -> list[Attempt]:
        """Those parked until a call comes: of that step and iteration, or of any."""
        return [
            attempt
            for attempt in self._parked
            if attempt.awaits is Awaits.CALL
            and step_id in (None, attempt.node.step.id)
            and path in (None, attempt.walk.path)
        ]

    def drop_waiting(self) -> None:
        """Nothing that is parked or held will start any more."""
        for timer in self._parked.values():
            if timer is not None:
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

    def _must_wait(self, attempt: Attempt) -> bool:
        if attempt.due is not None:
            return attempt.due > self._clock.now()
        return attempt.awaits is not Awaits.TIME

    def _park(self, attempt: Attempt) -> None:
        if attempt.awaits is Awaits.RUN:
            self._attach(attempt)
        if attempt.due is None:
            self._parked[attempt] = None
            return
        remaining_s = (attempt.due - self._clock.now()).total_seconds()
        self._parked[attempt] = self._timers.after(min(remaining_s, LONGEST_NAP_S), partial(self._wake, attempt))
