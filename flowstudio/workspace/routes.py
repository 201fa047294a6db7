"""Which plan answers a webhook's path, asked of the store once and then known for a moment.

A busy path would otherwise cost a look into the database at every request, and each gives the interpreter away several
times. What changes in this process is known at once; another process's change is seen when the moment is over.
"""

from collections import OrderedDict
from typing import Final

from flowstudio.engine.ports import Clock
from flowstudio.workspace.ports import PlanStore, WebhookRoute

KNOWN_S: Final = 0.5
KNOWN: Final = 256


class Routes:
    """Thread-safe: at worst two threads ask the store for the same path."""

    def __init__(self, plans: PlanStore, clock: Clock) -> None:
        self._plans = plans
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, WebhookRoute]] = OrderedDict()

    def find(self, path: str) -> WebhookRoute | None:
        """The enabled trigger that owns the path. Paths that nobody owns are asked for every time."""
        known = self._known  # forgetting replaces it: what was asked for before is not known afterwards
        found, now = known.get(path), self._clock.monotonic()
        if found is not None and found[0] > now:
            return found[1]
        route = self._plans.webhook(path)
        if route is None:
            known.pop(path, None)
            return None
        known[path] = (now + KNOWN_S, route)
        if len(known) > KNOWN:
            known.popitem(last=False)
        return route

    def forget(self, event: object) -> None:
        """Some plan has changed."""
        self._known = OrderedDict()
