"""Values that were read from files lately."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from flowstudio.plan.model import Json

BUDGET = 48 * 1024 * 1024
"""Bytes of memory, as far as they can be told."""
WEIGHT = 5
"""A list or an object takes some five times the bytes of its JSON."""


class LoadedValues:
    """The latest few that fit the budget together, least recently used first to go. Thread-safe."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._values: OrderedDict[str, tuple[Json, int]] = OrderedDict()
        self._weight = 0

    def get(self, key: str, size: int, read: Callable[[], Json]) -> Json:
        """The value, read if it is not at hand; two threads may read it at once. size: bytes of its JSON."""
        with self._lock:
            known = self._values.get(key)
            if known is not None:
                self._values.move_to_end(key)
                return known[0]
        value = read()
        weight = size if isinstance(value, str) else size * WEIGHT
        if weight <= self._budget:
            self._put(key, value, weight)
        return value

    def _put(self, key: str, value: Json, weight: int) -> None:
        with self._lock:
            if key in self._values:
                return
            self._values[key] = (value, weight)
            self._weight += weight
            while self._weight > self._budget:
                _, (_, gone) = self._values.popitem(last=False)
                self._weight -= gone
