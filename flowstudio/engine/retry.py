"""When a failed attempt is tried again. Pure: the clock and the dice come from outside."""

from random import Random

from flowstudio.engine.model import Failure
from flowstudio.plan.model import Backoff, Retry

MAX_RETRY_AFTER_S = 900.0
"""The longest wait a vendor's Retry-After can ask of a run."""
LONGEST_DELAY_S = 366 * 24 * 3600.0


def next_delay(failure: Failure, retry: Retry, attempt: int, rng: Random) -> float | None:
    """Seconds to wait before the next attempt, or None to give up.

    attempt counts from 1, the one that just failed. The delay doubles from `delay_s` up to `max_delay_s` and, with
    jitter, is drawn from 0 to that ("full jitter"). What the vendor asked for with Retry-After wins, up to 900 s.
    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    if not failure.retryable or attempt >= retry.tries:
        return None
    if failure.retry_after_s is not None:
        return max(0.0, min(MAX_RETRY_AFTER_S, failure.retry_after_s))  # in this order NaN is the limit
    delay = _grown(retry, attempt)
    return rng.uniform(0.0, delay) if retry.jitter else delay


def _grown(retry: Retry, attempt: int) -> float:
    """From 0 to LONGEST_DELAY_S, whatever a file asks for."""
    return min(max(_asked(retry, attempt), 0.0), LONGEST_DELAY_S)


def _asked(retry: Retry, attempt: int) -> float:
    if retry.backoff is Backoff.FIXED:
        return min(retry.delay_s, retry.max_delay_s)
    doublings = min(attempt - 1, 60)  # 2**60 s is past any limit; without the cap a float overflows
    return min(float(retry.delay_s * 2**doublings), retry.max_delay_s)
