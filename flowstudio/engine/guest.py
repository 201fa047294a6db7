"""A caller's own thread, lent to the run it waits for.

A hop to a thread of the pool and back costs more than a short run. So whoever waits for a new run performs the pure
beginning of it; what may block or takes long goes to the pool, for the caller's patience has an end.
"""

from threading import get_ident
from typing import Final

from flowstudio.engine.attempt import Attempt
from flowstudio.engine.ports import Clock

LENT_S: Final = 0.05
"""How long a thread is lent; the step under way then is still done on it."""


class Guest:
    """Made on the thread that is lent."""

    def __init__(self, clock: Clock) -> None:
        self._thread = get_ident()
        self._clock = clock
        self._until = clock.monotonic() + LENT_S

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is the lent one."""
        return get_ident() == self._thread

    def leaves(self, attempt: Attempt) -> bool:
        """Whether the calling thread is the lent one and this step is none for it."""
        if not self.is_here:
            return False
        return not attempt.node.is_repeatable or self._clock.monotonic() > self._until
