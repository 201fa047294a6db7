"""Thread-safe publish and subscribe of frozen events. The bus knows no event type."""

import logging
import threading
from collections.abc import Callable

Subscriber = Callable[[object], None]

log = logging.getLogger(__name__)


class Bus:
    """Delivers each event to every subscriber, in the publisher's thread, in order of publication per thread.

    Subscribers must be quick and must not block: the window's subscriber only appends to a deque.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: tuple[Subscriber, ...] = ()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Starts delivery to subscriber; the returned function ends it."""
        with self._lock:
            self._subscribers = (*self._subscribers, subscriber)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(each for each in self._subscribers if each is not subscriber)

        return unsubscribe

    def publish(self, event: object) -> None:
        """Hands event to all current subscribers; one that raises is logged and does not stop the others."""
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception:
                log.exception("A subscriber failed on %s", type(event).__name__)
