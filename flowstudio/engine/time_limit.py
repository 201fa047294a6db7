"""The engine's own watch over an attempt, for actions that do not keep their time limit themselves."""

import threading
from collections.abc import Callable
from functools import partial

from flowstudio.engine.cancel import CancelToken
from flowstudio.engine.timers import Timer, Timers


class TimeLimit:
    """Ends an attempt that takes too long: first its token is set, and if that does not help it is given up."""

    def __init__(self, limit_s: float, grace_s: float, timers: Timers, parent: CancelToken) -> None:
        self.token = CancelToken()
        self.is_over = False
        self._limit_s = limit_s
        self._grace_s = grace_s
        self._timers = timers
        self._lock = threading.Lock()
        self._is_left = False
        self._timer: Timer | None = None
        self._unlink = parent.on_cancel(self.token.cancel)

    def __enter__(self) -> "TimeLimit":
        return self

    def __exit__(self, *_: object) -> None:
        self._unlink()
        with self._lock:
            self._is_left = True
            if self._timer is not None:
                self._timer.cancel()

    def watch(self, give_up: Callable[[], None]) -> None:
        self._timer = self._timers.after(self._limit_s, partial(self._expire, give_up))

    def _expire(self, give_up: Callable[[], None]) -> None:
        with self._lock:
            if self._is_left:
                return
            self.is_over = True
            self._timer = self._timers.after(self._grace_s, give_up)
        self.token.cancel()
