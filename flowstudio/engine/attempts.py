"""Where a run's attempts are: in flight, parked, or held by a pause. Guarded by its run's lock.

A parked attempt waits for a time, or for what comes from outside: a call, the end of another run. It holds no thread.
"""

from collections.abc import Callable, Sequence
from functools import partial

from flowstudio.engine.attempt import Attempt, Awaits
from flowstudio.engine.errors import NotWaitingError
from flowstudio.engine.model import IterationPath
from flowstudio.engine.ports import Clock
from flowstudio.engine.timers import Timer, Timers
from flowstudio.plan.model import StepId

LONGEST_NAP_S = 30.0
"""A parked attempt looks at the wall clock at least this often: the monotonic one stands still in a sleeping laptop."""


class Attempts:
    """in_flight: given to a thread or queued for one. interrupted: under way when the run was ended."""

    def __init__(
        self,
        timers: Timers,
        clock: Clock,
        wake: Callable[[Attempt], None],
        attach: Callable[[Attempt], None],
        has_turn: Callable[[Attempt], bool],
    ) -> None:
        """wake is called on the timer thread, without the lock; attach with it, for one that awaits a run's end.

        has_turn is called with the lock: whether its provider takes the call now. If not, take() it when it does.
        """
        self._timers = timers
        self._clock = clock
        self._wake = wake
        self._attach = attach
        self._has_turn = has_turn
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
            elif attempt.node.calls_out and not self._has_turn(attempt):
                self._parked[attempt] = None
            else:
                startable.append(attempt)
        self.in_flight.update(startable)
        return startable

    def land(self, attempt: Attempt, *, is_used: bool = True) -> None:
        """Takes an attempt out of flight; who waits to call its provider may have its turn now, if it was used."""
        self.in_flight.discard(attempt)
        if attempt.permit is not None:
            attempt.permit.give_back(is_used=is_used)

    def hold(self, attempt: Attempt) -> None:
        """Takes an attempt back that was on its way to a thread."""
        self.land(attempt, is_used=False)
        self._held.append(attempt)

    def release(self) -> list[Attempt]:
        """What a pause held."""
        held, self._held = self._held, []
        return held

    def release_one(self, step_id: StepId | None, path: IterationPath) -> Attempt | None:
        """The held attempt at that step in that iteration; for None the one a run stopped before first, else any."""
        held = sorted(self._held, key=lambda each: each.steered is None)
        is_it = (each for each in held if step_id is None or (each.node.step.id, each.walk.path) == (step_id, path))
        attempt = next(is_it, None)
        if attempt is not None:
            self._held.remove(attempt)
        return attempt

    @property
    def is_stepped_over(self) -> bool:
        """Whether the one step that was let go has come to its end, and others are held still."""
        return bool(self._held) and not any(
            each.steered is not None and each.steered.is_let_go for each in self._parked
        )

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

    def waiting_for_call(self, step_id: StepId | None, path: IterationPath | None) -> Attempt:
        """The one that is parked until a call comes, of that step and iteration or of any. Raises NotWaitingError."""
        waiting = [
            attempt
            for attempt in self._parked
            if attempt.awaits is Awaits.CALL
            and step_id in (None, attempt.node.step.id)
            and path in (None, attempt.walk.path)
        ]
        if not waiting:
            sentence = "No step of the run waits for a call now."
            if step_id is not None or path is not None:
                sentence = "The step of the run that this address names does not wait for a call now."
            raise NotWaitingError(sentence, fix="It has gone on already, or has not come that far.")
        if len(waiting) > 1:
            names = sorted({_address_of(attempt) for attempt in waiting})
            fix = f"Name one of them in the address: {', '.join(names[:8])}{' …' if len(names) > 8 else ''}."
            raise NotWaitingError(f"{len(waiting)} steps of the run wait for a call.", fix=fix)
        return waiting[0]

    def drop_waiting(self) -> None:
        """Nothing that is parked or held will start any more."""
        for attempt, timer in self._parked.items():
            if timer is not None:
                timer.cancel()
            if attempt.permit is not None:
                attempt.permit.give_back(is_used=False)
        self.interrupted.extend(self._parked)
        self._parked.clear()
        self._held.clear()

    def give_up(self) -> list[Attempt]:
        """Whoever is still in flight is not waited for."""
        stuck = list(self.in_flight)
        for attempt in stuck:
            self.land(attempt)
        self.interrupted.extend(stuck)
        return stuck

    def _must_wait(self, attempt: Attempt) -> bool:
        if attempt.due is not None:
            return attempt.due > self._clock.now()
        return attempt.awaits not in (Awaits.TIME, Awaits.TURN)

    def _park(self, attempt: Attempt) -> None:
        if attempt.awaits is Awaits.RUN:
            self._attach(attempt)
        if attempt.due is None:
            self._parked[attempt] = None
            return
        remaining_s = (attempt.due - self._clock.now()).total_seconds()
        self._parked[attempt] = self._timers.after(min(remaining_s, LONGEST_NAP_S), partial(self._wake, attempt))


def _address_of(attempt: Attempt) -> str:
    """How a caller names the step it means: its id, and its iteration when it stands in a loop."""
    path = ".".join(map(str, attempt.walk.path))
    return f"{attempt.node.step.id}?iteration={path}" if path else attempt.node.step.id
