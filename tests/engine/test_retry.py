"""When a failed attempt is tried again."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from flowstudio.engine.model import Failure
from flowstudio.engine.retry import LONGEST_DELAY_S, MAX_RETRY_AFTER_S, next_delay
from flowstudio.plan.model import Backoff, Retry

PASSING = Failure("provider.connection", "No connection.", retryable=True)
LASTING = Failure("provider.bad_param", "The address is empty.")


def delays(retry: Retry, failure: Failure = PASSING, seed: int = 1) -> list[float]:
    rng = Random(seed)
    found = (next_delay(failure, retry, attempt, rng) for attempt in range(1, retry.tries + 2))
    return [delay for delay in found if delay is not None]


def test_a_failure_that_cannot_pass_is_not_tried_again() -> None:
    assert delays(Retry(tries=5), LASTING) == []


def test_one_try_means_no_retry() -> None:
    assert delays(Retry(tries=1)) == []


def test_the_delay_doubles_up_to_its_limit() -> None:
    assert delays(Retry(6, 1.0, Backoff.EXPONENTIAL, 6.0, jitter=False)) == [1, 2, 4, 6, 6]


def test_a_fixed_delay_stays() -> None:
    assert delays(Retry(4, 2.0, Backoff.FIXED, jitter=False)) == [2, 2, 2]


def test_the_vendors_retry_after_wins_over_backoff() -> None:
    asked = Failure("provider.rate_limited", "Slow down.", retryable=True, retry_after_s=7.5)
    assert delays(Retry(2, 1.0), asked) == [7.5]


def test_a_retry_after_of_a_day_is_cut() -> None:
    asked = Failure("provider.rate_limited", "Slow down.", retryable=True, retry_after_s=86400.0)
    assert delays(Retry(2), asked) == [MAX_RETRY_AFTER_S]


@given(st.integers(2, 2000), st.floats(0.001, 1e6), st.floats(0.001, 1e6), st.integers())
def test_jitter_stays_between_nothing_and_the_limit(tries: int, delay: float, limit: float, seed: int) -> None:
    found = delays(Retry(tries, delay, Backoff.EXPONENTIAL, limit), seed=seed)
    assert len(found) == tries - 1
    assert all(0 <= each <= limit for each in found)


def test_delays_that_no_clock_can_hold_are_cut_to_what_one_can() -> None:
    assert delays(Retry(2, 1e308, Backoff.EXPONENTIAL, 1e308, jitter=False)) == [LONGEST_DELAY_S]
    assert delays(Retry(3, -5.0, Backoff.EXPONENTIAL, jitter=False)) == [0, 0]


def test_a_retry_after_that_is_no_number_is_the_longest_one() -> None:
    asked = Failure("provider.rate_limited", "Slow down.", retryable=True, retry_after_s=float("nan"))
    assert delays(Retry(2), asked) == [MAX_RETRY_AFTER_S]
