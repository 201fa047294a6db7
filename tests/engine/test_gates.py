"""Calls per time and calls at once: never more than the limit says, first come first served, nobody starves."""

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstudio.engine.gates import Gates, Permit
from flowstudio.engine.timers import Timer
from flowstudio.providers.ratelimit import CallLimit

KEY = ("vendor", "local", None)


class Bell:
    """A clock and the timers on it; time passes when the test says so."""

    def __init__(self) -> None:
        self.time = 0.0
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Timer]] = []

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(call)
        heapq.heappush(self._due, (self.time + seconds, next(self._numbers), timer))
        return timer

    def pass_time(self, seconds: float) -> None:
        end = self.time + seconds
        while self._due and self._due[0][0] <= end:
            self.time, _, timer = heapq.heappop(self._due)
            if timer.call is not None:
                timer.call()
        self.time = end


class Vendor:
    """Callers of one vendor behind a gate: who passed, in which order, when."""

    def __init__(self, **limit: Any) -> None:
        self.bell = Bell()
        self.limit = CallLimit(KEY, "Vendor", **limit)
        self.gates = Gates(lambda *_: self.limit, self.bell, self.bell)  # type: ignore[arg-type]
        self.passed: list[int] = []
        self.times: list[float] = []
        self.permits: dict[int, Permit] = {}

    def ask(self, name: int = 0) -> Permit:
        permit = self.gates.ask("local", "vendor", None, lambda: self._passes(name))
        assert permit is not None
        self.permits[name] = permit
        if permit.has_passed:
            self._passes(name)
        return permit

    def _passes(self, name: int) -> None:
        self.passed.append(name)
        self.times.append(self.bell.time)


def test_calls_over_the_rate_wait_for_the_window_to_move_on() -> None:
    vendor = Vendor(calls=2, per_s=1.0)
    for name in range(5):
        vendor.ask(name)
    vendor.bell.pass_time(10)
    assert vendor.times == [0.0, 0.0, 1.0, 1.0, 2.0]


def test_a_rest_is_no_credit_for_a_burst() -> None:
    vendor = Vendor(calls=2, per_s=1.0)
    vendor.bell.pass_time(100)
    for name in range(3):
        vendor.ask(name)
    assert vendor.passed == [0, 1]


def test_a_call_that_ends_lets_the_next_one_pass_at_once() -> None:
    vendor = Vendor(concurrent=1)
    first, second = vendor.ask(1), vendor.ask(2)
    assert (first.has_passed, second.has_passed) == (True, False)
    first.give_back()
    assert vendor.passed == [1, 2]


def test_who_leaves_the_line_lets_the_next_one_up() -> None:
    vendor = Vendor(concurrent=1)
    first, second, _ = vendor.ask(1), vendor.ask(2), vendor.ask(3)
    second.give_back()
    first.give_back()
    assert vendor.passed == [1, 3]


def test_a_turn_that_was_not_used_counts_for_nothing() -> None:
    vendor = Vendor(calls=1, per_s=60.0)
    vendor.ask(1).give_back(is_used=False)
    vendor.ask(2)
    assert vendor.passed == [1, 2]


def test_a_permit_is_given_back_once() -> None:
    vendor = Vendor(concurrent=1)
    first = vendor.ask(1)
    for name in (2, 3):
        vendor.ask(name)
    first.give_back()
    first.give_back()
    assert vendor.passed == [1, 2]


def test_a_pause_the_vendor_asks_for_holds_back_all_who_share_the_limit() -> None:
    vendor = Vendor()
    vendor.gates.close_for(30.0, "local", "vendor", None)
    permit = vendor.ask()
    assert permit.reason == "Waits: Vendor allows no more calls for another 30 s."
    vendor.bell.pass_time(29.9)
    assert vendor.passed == []
    vendor.bell.pass_time(0.2)
    assert vendor.passed == [0]


def test_a_vendor_cannot_ask_for_a_pause_of_years() -> None:
    vendor = Vendor()
    vendor.gates.close_for(1e12, "local", "vendor", None)
    vendor.ask()
    vendor.bell.pass_time(901)
    assert vendor.passed == [0]


def test_without_a_limit_no_gate_stands_in_the_way() -> None:
    vendor = Vendor()
    assert vendor.gates.ask("local", "vendor", None, lambda: None) is None


def test_keys_do_not_share_a_gate() -> None:
    bell = Bell()
    gates = Gates(lambda user, *_: CallLimit(("vendor", user, None), "Vendor", concurrent=1), bell, bell)  # type: ignore[arg-type]
    permits = [gates.ask(user, "vendor", None, lambda: None) for user in ("ann", "bob")]
    assert all(permit is not None and permit.has_passed for permit in permits)


def test_a_limit_that_was_loosened_lets_those_pass_who_wait() -> None:
    vendor = Vendor(concurrent=1)
    vendor.ask(1)
    vendor.ask(2)
    vendor.limit = CallLimit(KEY, "Vendor", concurrent=3)
    vendor.ask(3)
    assert sorted(vendor.passed) == [1, 2, 3]


@pytest.mark.parametrize(
    ("ahead", "reason", "expected_s"),
    [
        (0, "Waits: Vendor takes 2 calls in 1 s.", 1.0),
        (1, "Waits: Vendor takes 2 calls in 1 s; 1 call before it.", 1.0),
        (5, "Waits: Vendor takes 2 calls in 1 s; 5 calls before it.", 3.0),
    ],
)
def test_who_waits_is_told_for_what_and_until_when(ahead: int, reason: str, expected_s: float) -> None:
    vendor = Vendor(calls=2, per_s=1.0)
    for name in range(2 + ahead):
        vendor.ask(name)
    permit = vendor.ask(99)
    assert (permit.reason, permit.expected_s) == (reason, expected_s)
    vendor.bell.pass_time(expected_s)
    assert permit.has_passed
    assert permit.waited_s == expected_s


def test_who_waits_for_calls_of_unknown_length_is_promised_no_time() -> None:
    vendor = Vendor(concurrent=1)
    vendor.ask(1)
    permit = vendor.ask(2)
    assert (permit.reason, permit.expected_s) == ("Waits: Vendor takes 1 call at once.", None)


limits = st.builds(
    dict,
    calls=st.none() | st.integers(1, 4),
    per_s=st.sampled_from([0.3, 1.0, 2.5]),
    concurrent=st.none() | st.integers(1, 3),
)
moves = st.lists(
    st.tuples(st.just("ask"), st.just(0))
    | st.tuples(st.just("end"), st.integers(0, 20))
    | st.tuples(st.just("drop"), st.integers(0, 20))
    | st.tuples(st.just("wait"), st.integers(1, 9))
    | st.tuples(st.just("close"), st.integers(1, 5)),
    max_size=60,
)


@given(limits, moves)
def test_never_more_than_the_limit_in_order_and_nobody_starves(
    limit: dict[str, Any], moves: list[tuple[str, int]]
) -> None:
    vendor = Vendor(**limit)
    asked, dropped, ended = [], set(), set()
    if limit["calls"] is None and limit["concurrent"] is None:
        vendor.gates.close_for(0.5, "local", "vendor", None)
    for move, number in moves:
        under_way = [name for name in vendor.passed if name not in ended]
        waiting = [name for name in asked if name not in vendor.passed and name not in dropped]
        if move == "ask":
            asked.append(len(asked))
            vendor.ask(asked[-1])
        elif move == "end" and under_way:
            name = under_way[number % len(under_way)]
            ended.add(name)
            vendor.permits[name].give_back()
        elif move == "drop" and waiting:
            name = waiting[number % len(waiting)]
            dropped.add(name)
            vendor.permits[name].give_back()
        elif move == "wait":
            vendor.bell.pass_time(number / 10)
        elif move == "close":
            vendor.gates.close_for(number / 10, "local", "vendor", None)
        _keeps_to(vendor, limit, ended)
    for _ in asked:  # all calls end and time passes: everybody who stayed has had a turn
        for name in [name for name in vendor.passed if name not in ended]:
            ended.add(name)
            vendor.permits[name].give_back()
        vendor.bell.pass_time(10)
        _keeps_to(vendor, limit, ended)
    assert vendor.passed == [name for name in asked if name not in dropped], "first come first served"


def _keeps_to(vendor: Vendor, limit: dict[str, Any], ended: set[int]) -> None:
    if limit["concurrent"] is not None:
        assert len(set(vendor.passed) - ended) <= limit["concurrent"]
    if limit["calls"] is not None:
        for earlier, later in zip(vendor.times, vendor.times[limit["calls"] :], strict=False):
            assert later - earlier >= limit["per_s"] - 1e-9
