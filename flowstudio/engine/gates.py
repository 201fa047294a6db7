"""Calls per time and calls at once, for all that share a vendor's limit: asked before an attempt takes a thread.

A gate lets calls pass while the limit has room and keeps the others in a line, first come first served: an entry in a
list each, no thread. A turn comes when a call ends, when the window has moved on, or when the pause is over that the
vendor asked for. Whose turn has come is called back without any lock held.

The window slides: a gate remembers when it let the last calls pass and never lets more than `calls` pass within any
`per_s` seconds, which a bucket that refills would do after a rest.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from enum import Enum, auto
from math import inf

from flowstudio.engine.ports import CallLimit, Clock
from flowstudio.engine.retry import MAX_RETRY_AFTER_S
from flowstudio.engine.timers import Timer, Timers

LimitOf = Callable[[str, str, str | None], CallLimit | None]
"""(user, provider, credential name) -> the limit that calls with them share; None when they share none."""


class _Stage(Enum):
    WAITS = auto()
    HAS_PASSED = auto()
    IS_OVER = auto()


class Permit:
    """A place in a gate's line, then leave to make one call. reason: what it waits for, "" when it never waited.

    expected_s: in how many seconds its turn should come, None when that depends on calls of unknown length.
    """

    __slots__ = ("_gate", "_on_turn", "_passed", "_stage", "asked", "expected_s", "reason")

    def __init__(self, gate: "Gate", on_turn: Callable[[], None], now: float) -> None:
        self._gate = gate
        self._on_turn = on_turn
        self._stage = _Stage.WAITS
        self._passed = now
        self.asked = now
        self.expected_s: float | None = None
        self.reason = ""

    @property
    def has_passed(self) -> bool:
        return self._stage is _Stage.HAS_PASSED

    @property
    def waited_s(self) -> float:
        """How long it took until its turn came; 0 until then."""
        return self._passed - self.asked

    def give_back(self, *, is_used: bool = True) -> None:
        """The call has ended, or will not be made: then it counts for nothing. Does nothing the second time."""
        self._gate.take_back(self, is_used=is_used)


class Gates:
    """One gate for each limit somebody met. Thread-safe."""

    def __init__(self, limit_of: LimitOf, timers: Timers, clock: Clock) -> None:
        self._limit_of = limit_of
        self._timers = timers
        self._clock = clock
        self._lock = threading.Lock()
        self._gates: dict[Hashable, Gate] = {}

    def ask(self, user_id: str, provider: str, credential: str | None, on_turn: Callable[[], None]) -> Permit | None:
        """None when nothing limits the call; else a permit, which has passed or waits and will call on_turn.

        on_turn: called once, from whichever thread made room, without a lock: it must be quick and hand work on.
        """
        limit = self._limit_of(user_id, provider, credential)
        if limit is None:
            return None
        gate = self._gates.get(limit.key)
        if gate is None:
            if limit.calls is None and limit.concurrent is None:
                return None  # no gate stands there until the vendor asks for a pause
            gate = self._gate(limit)
        return gate.ask(limit, on_turn)

    def close_for(self, seconds: float, user_id: str, provider: str, credential: str | None) -> None:
        """The vendor wants no call for so long from any who share the limit: at most MAX_RETRY_AFTER_S are heeded."""
        limit = self._limit_of(user_id, provider, credential)
        if limit is not None:
            self._gate(limit).close_for(min(seconds, MAX_RETRY_AFTER_S))

    def _gate(self, limit: CallLimit) -> "Gate":
        with self._lock:
            return self._gates.setdefault(limit.key, Gate(limit, self._timers, self._clock))


class Gate:
    """Where the calls wait that share one limit. Thread-safe."""

    def __init__(self, limit: CallLimit, timers: Timers, clock: Clock) -> None:
        self._timers = timers
        self._clock = clock
        self._lock = threading.Lock()
        self._limit = limit
        self._line: dict[Permit, None] = {}
        self._passed: deque[float] = deque()
        """When the calls of the last window passed, oldest first."""
        self._under_way = 0
        self._closed_until = -inf
        self._timer: Timer | None = None

    def ask(self, limit: CallLimit, on_turn: Callable[[], None]) -> Permit:
        """limit: as it is now; who waits already is let pass by it, too."""
        now = self._clock.monotonic()
        permit = Permit(self, on_turn, now)
        with self._lock:
            self._limit = limit
            self._line[permit] = None
            turns = self._let_pass(now)
            if permit in self._line:
                permit.reason, permit.expected_s = self._prospect(now)
        _call(turn for turn in turns if turn is not permit)
        return permit

    def take_back(self, permit: Permit, *, is_used: bool) -> None:
        now = self._clock.monotonic()
        with self._lock:
            stage, permit._stage = permit._stage, _Stage.IS_OVER
            if stage is _Stage.IS_OVER:
                return
            self._line.pop(permit, None)
            if stage is _Stage.HAS_PASSED:
                self._under_way -= 1
                if not is_used and permit._passed in self._passed:
                    self._passed.remove(permit._passed)
            turns = self._let_pass(now)
        _call(turns)

    def close_for(self, seconds: float) -> None:
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def _open_again(self) -> None:
        """On the timer thread."""
        now = self._clock.monotonic()
        with self._lock:
            self._timer = None
            turns = self._let_pass(now)
        _call(turns)

    def _let_pass(self, now: float) -> list[Permit]:
        """Takes from the line whose turn it is, and sees to it that the gate looks again in time."""
        turns: list[Permit] = []
        while self._line and (delay_s := self._delay(now)) == 0:
            permit = next(iter(self._line))
            del self._line[permit]
            permit._stage, permit._passed = _Stage.HAS_PASSED, now
            self._passed.append(now)
            self._under_way += 1
            turns.append(permit)
        if self._line and delay_s is not None and self._timer is None:
            self._timer = self._timers.after(delay_s, self._open_again)
        return turns

    def _delay(self, now: float) -> float | None:
        """Seconds until the next call may pass; None when another one must end first."""
        limit = self._limit
        while self._passed and (limit.calls is None or now - self._passed[0] >= limit.per_s):
            self._passed.popleft()
        if limit.concurrent is not None and self._under_way >= limit.concurrent:
            return None
        delay_s = max(self._closed_until - now, 0.0)
        if limit.calls is not None and len(self._passed) >= limit.calls:
            delay_s = max(delay_s, self._passed[-limit.calls] + limit.per_s - now)
        return delay_s

    def _prospect(self, now: float) -> tuple[str, float | None]:
        """What the last in line waits for, and when its turn should come."""
        limit, ahead = self._limit, len(self._line) - 1
        first = f"; {_calls(ahead)} before it" if ahead else ""
        closed_s = self._closed_until - now
        if closed_s > 0:
            sentence = f"Waits: {limit.title} allows no more calls for another {max(round(closed_s), 1)} s{first}."
            return sentence, closed_s + self._windows(ahead)
        if limit.calls is not None and len(self._passed) >= limit.calls:
            opens_s = self._passed[-limit.calls + ahead % limit.calls] + limit.per_s - now
            sentence = f"Waits: {limit.title} takes {_calls(limit.calls)} in {limit.per_s:g} s{first}."
            return sentence, max(opens_s, 0.0) + self._windows(ahead)
        concurrent = limit.concurrent or 0
        return f"Waits: {limit.title} takes {_calls(concurrent)} at once{first}.", None

    def _windows(self, ahead: int) -> float:
        """Seconds the calls that come first take up, by the rate alone."""
        return ahead // self._limit.calls * self._limit.per_s if self._limit.calls else 0.0


def _call(turns: Iterable[Permit]) -> None:
    for permit in turns:
        permit._on_turn()


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"
