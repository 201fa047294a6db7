"""What a run answers its caller, which may be known long before the run's end."""

import threading

from flowstudio.engine.ports import Clock
from flowstudio.engine.tickets import Ticket
from flowstudio.plan.model import Json


class Reply:
    """The answer of the first respond step. The caller gets it as soon as it is durable; the run goes on meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._came = threading.Event()
        self._ticket: Ticket | None = None
        self.response: Json = None

    def give(self, response: Json, ticket: Ticket) -> None:
        """ticket: the way to the disk of the step that responds. Of several answers the first one counts."""
        if self._ticket is None:
            self.response, self._ticket = response, ticket
            self._came.set()

    def close(self) -> None:
        """The run has ended, whether it has answered or not."""
        self._came.set()

    def wait(self, timeout_s: float) -> Json:
        """The answer once it is durable; None when there is none by then, or the run ended without one.

        Raises why it could not be stored.
        """
        began = self._clock.monotonic()
        self._came.wait(timeout_s)
        left_s = max(0.0, timeout_s - (self._clock.monotonic() - began))
        if self._ticket is None or not self._ticket.wait_for(left_s):
            return None
        return self.response
