"""The end of one run: written down, durable, and only then told to all who wait for it."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from flowstudio.engine.errors import StalledError
from flowstudio.engine.model import Performed, Run
from flowstudio.engine.progress import Progress, Verdict
from flowstudio.engine.record import RunRecord
from flowstudio.engine.works import Works
from flowstudio.errors import FlowStudioError

log = logging.getLogger(__name__)


class RunEnd:
    """Thread-safe, but for `write`: one thread calls it, last. idle: set when nothing is at work any more."""

    def __init__(self, record: RunRecord, progress: Progress, works: Works, on_end: Callable[[str], None]) -> None:
        self._record = record
        self._progress = progress
        self._works = works
        self._on_end = on_end
        self._came = threading.Event()
        self.idle = threading.Event()

    def wait(self, timeout_s: float | None) -> Run | None:
        """The run in its final state, durable; None when it has not ended by then."""
        self._came.wait(timeout_s)
        return self._record.run if self._record.state.is_final else None

    def wait_for_reply(self, timeout_s: float) -> Performed:
        """The run with its answer, once that is durable, or in its final state, if either comes by then."""
        reply = self._progress.reply
        if reply is not None:
            with suppress(FlowStudioError):  # an answer that could not be stored fails its run
                response = reply.wait(timeout_s)
                if response is not None:
                    return Performed(replace(self._record.run, response=response))
                timeout_s = 0
        run, kept = self.wait(timeout_s), self._progress.kept
        return Performed(run, None if run is None or kept is None else tuple(kept))

    def write(self, verdict: Verdict, *, is_patient: bool = True) -> bool:
        """False when the journal stalls and the caller is not patient: it is to be called again then."""
        progress, error_plans = self._progress, self._works.error_plans
        error_run = error_plans.prepare(self._record.run, verdict, progress.last_ticket)
        response = progress.reply.response if progress.reply is not None else None
        try:
            self._record.end(verdict.state, verdict.failure, response, progress.steps_done, is_patient=is_patient)
        except StalledError:
            return False
        self.let_go()
        if error_run is not None:
            error_plans.start(error_run)
        return True

    def stand_still(self) -> None:
        """Lets go of an interrupted run once that is durable: until its answers come it is rows, not an object."""
        try:
            self._works.journal.outlast(self._record.last_ticket)
        except FlowStudioError as error:
            log.error("Run %s is interrupted, and that could not be stored: %s", self._record.run.id, error)
        self.let_go()

    def let_go(self) -> None:
        """Nothing is at work any more, whether the run came to its end or was lost: all who wait go on."""
        self.idle.set()
        self.wake_all()
        self._on_end(self._record.run.id)

    def wake_all(self) -> None:
        """Wakes all who wait for the run, ended or not."""
        self._came.set()
        if self._progress.reply is not None:
            self._progress.reply.close()
