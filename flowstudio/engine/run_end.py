"""The end of one run: written down, durable, and only then told to all who wait for it."""

import threading
from collections.abc import Callable
from dataclasses import replace

from flowstudio.engine.errors import StalledError
from flowstudio.engine.model import Run
from flowstudio.engine.progress import Progress, Verdict
from flowstudio.engine.record import RunRecord
from flowstudio.engine.works import Works
from flowstudio.errors import FlowStudioError


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

    def wait_for_reply(self, timeout_s: float) -> Run | None:
        """The run with its answer, once that is durable, or in its final state; None when there is neither by then."""
        reply = self._progress.reply
        if reply is None:
            return self.wait(timeout_s)
        try:
            response = reply.wait(timeout_s)
        except FlowStudioError:
            return self.wait(timeout_s)  # an answer that could not be stored fails its run
        return self.wait(0) if response is None else replace(self._record.run, response=response)

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
