"""Calls wait for their turn, and waiting ends on cancel."""

import threading
from collections.abc import Callable

import pytest

from flowstudio.engine.cancel import CancelToken
from flowstudio.providers.errors import ActionCancelledError
from flowstudio.providers.manifest import RateLimit
from flowstudio.providers.ratelimit import RateLimiter


class Waits:
    """A cancel token that only notes how long it should wait, on a clock that stands still."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.is_set = False

    def on_cancel(self, close: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return self.is_set


def test_calls_over_the_limit_wait_for_their_token() -> None:
    limiter, cancel = RateLimiter(lambda: 0.0), Waits()
    for _ in range(4):
        with limiter.hold("a", RateLimit(calls=2, per_s=1.0), cancel):
            pass
    assert cancel.seconds == [0.5, 1.0]


def test_tokens_come_back_with_time() -> None:
    now = [0.0]
    limiter, cancel = RateLimiter(lambda: now[0]), Waits()
    for at in (0.0, 0.0, 1.0, 1.0):
        now[0] = at
        with limiter.hold("a", RateLimit(calls=2, per_s=1.0), cancel):
            pass
    assert cancel.seconds == []


def test_keys_do_not_share_a_limit() -> None:
    limiter, cancel = RateLimiter(lambda: 0.0), Waits()
    for key in "ab":
        with limiter.hold(key, RateLimit(calls=1, per_s=60), cancel):
            pass
    assert cancel.seconds == []


def test_cancel_ends_the_wait_and_gives_the_token_back() -> None:
    limiter, cancel = RateLimiter(lambda: 0.0), Waits()
    rate = RateLimit(calls=1, per_s=10.0)
    with limiter.hold("a", rate, cancel):
        pass
    cancel.is_set = True
    with pytest.raises(ActionCancelledError), limiter.hold("a", rate, cancel):
        pass
    cancel.is_set = False
    with limiter.hold("a", rate, cancel):
        pass
    assert cancel.seconds == [10.0, 10.0]


def test_only_so_many_run_at_once() -> None:
    limiter, rate = RateLimiter(), RateLimit(concurrent=1)
    inside, release, second = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with limiter.hold("a", rate, CancelToken()):
            inside.set()
            release.wait(5)

    def follower() -> None:
        with limiter.hold("a", rate, CancelToken()):
            second.set()

    threads = [threading.Thread(target=first), threading.Thread(target=follower)]
    threads[0].start()
    assert inside.wait(5)
    threads[1].start()
    assert not second.wait(0.05)
    release.set()
    assert second.wait(5)
    for thread in threads:
        thread.join(5)


def test_cancel_ends_the_wait_for_a_slot() -> None:
    limiter, rate, cancel = RateLimiter(), RateLimit(concurrent=1), CancelToken()
    with limiter.hold("a", rate, CancelToken()):
        threading.Timer(0.02, cancel.cancel).start()
        with pytest.raises(ActionCancelledError), limiter.hold("a", rate, cancel):
            pass
    with limiter.hold("a", rate, CancelToken()):
        pass
