"""Thread-safe publish and subscribe of frozen events. The bus knows no event type."""

import logging
import threading
from collections.abc import Callable

Subscriber = Callable[[object], None]

log = logging.getLogger(__name__)


class Bus:
    """Delivers each event to every subscriber of its kind, in the publisher's thread, in order of publication there.

    Subscribers must be quick and must not block: the window's subscriber only appends to a deque.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: tuple[tuple[Subscriber, tuple[type, ...]], ...] = ()
        self._by_kind: dict[type, tuple[Subscriber, ...]] = {}

    def subscribe(self, subscriber: Subscriber, *kinds: type) -> Callable[[], None]:
        """Starts delivery to subscriber of events of these types, of all when none is named; returns how to end it."""
        entry = (subscriber, kinds or (object,))
        with self._lock:
            self._set((*self._subscribers, entry))

        def unsubscribe() -> None:
            with self._lock:
                self._set(tuple(each for each in self._subscribers if each is not entry))

        return unsubscribe

    def is_heard(self, kind: type) -> bool:
        """Whether anybody wants events of that type now; who has many to make may ask first."""
        return bool(self._wanting(kind))

    def publish(self, event: object) -> None:
        """Hands event to all who want it; one that raises is logged and does not stop the others."""
        for subscriber in self._wanting(type(event)):
            try:
                subscriber(event)
            except Exception:
                log.exception("A subscriber failed on %s", type(event).__name__)

    def _wanting(self, kind: type) -> tuple[Subscriber, ...]:
        by_kind = self._by_kind  # before the subscribers: what is found among new ones must not be kept with the old
        found = by_kind.get(kind)
        if found is None:
            found = by_kind[kind] = tuple(each for each, kinds in self._subscribers if issubclass(kind, kinds))
        return found

    def _set(self, subscribers: tuple[tuple[Subscriber, tuple[type, ...]], ...]) -> None:
        self._subscribers = subscribers
        self._by_kind = {}
