"""What a run's attempts wait for when all their inputs are there: their provider's limits, and a thread."""

from collections.abc import Callable
from functools import partial
from typing import Final

from flowstudio.engine.attempt import Attempt
from flowstudio.engine.dry import performs_dry
from flowstudio.engine.events import LogWritten
from flowstudio.engine.model import Run
from flowstudio.engine.progress import Progress
from flowstudio.engine.works import Works

LONG_WAIT_S: Final = 1.0
"""A step that waited longer than this for a thread says so in its run's log."""


class Turns:
    """Of one run."""

    def __init__(self, run: Run, works: Works, progress: Progress, come_back: Callable[[Attempt], None]) -> None:
        """come_back: called, with no lock held by us, when the turn of an attempt has come that had to wait."""
        self._run = run
        self._works = works
        self._progress = progress
        self._come_back = come_back

    def has_come(self, attempt: Attempt) -> bool:
        """Whether the provider takes a call now; if not, come_back is called in its turn. Under the run's lock."""
        step = attempt.node.step
        if self._run.options.is_dry and not performs_dry(attempt.node):
            return True
        come_back = partial(self._come_back, attempt)
        permit = self._works.gates.ask(self._run.user_id, step.provider, step.credential, come_back)
        attempt.permit = permit
        if permit is None or permit.has_passed:
            return True
        self._progress.queue_up(attempt, permit)
        return False

    def has_thread(self, attempt: Attempt, sent: float) -> None:
        """An attempt given to the pool at `sent`, on the monotonic clock, is on a thread now."""
        waited_s = self._works.clock.monotonic() - sent
        if waited_s > LONG_WAIT_S:
            text = f"Waited {waited_s:.1f} s for a thread: all {self._works.limits.threads} were at work."
            now, step_id = self._works.clock.now(), attempt.node.step.id
            self._works.journal.tell(LogWritten(self._run.id, now, "info", text, step_id, attempt.walk.path))
