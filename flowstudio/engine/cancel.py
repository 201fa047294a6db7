"""Tokens that end blocked work: sockets are shut down, processes killed, waits woken."""

import threading
from collections.abc import Callable


class CancelToken:
    """Set once, from any thread. What blocks registers how to end it.

    A closer registered after the token was set is called at once, so nothing slips through the gap.
    Closers run in the cancelling thread, must not block and must not raise.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._closers: dict[int, Callable[[], None]] = {}
        self._next = 0

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def cancel(self) -> None:
        with self._lock:
            self._event.set()
            closers = list(self._closers.values())
            self._closers.clear()
        for close in closers:
            close()

    def on_cancel(self, close: Callable[[], None]) -> Callable[[], None]:
        """Calls close when the token is set; the returned function takes it back."""
        with self._lock:
            if not self._event.is_set():
                key = self._next
                self._next += 1
                self._closers[key] = close
                return lambda: self._forget(key)
        close()
        return lambda: None

    def wait(self, seconds: float) -> bool:
        """Waits that long or until the token is set; True when it was set."""
        return self._event.wait(seconds)

    def _forget(self, key: int) -> None:
        with self._lock:
            self._closers.pop(key, None)
