"""Housekeeping: cleans the history after the start, every hour, and soon after it outgrew its cap."""

import logging
from threading import Event, Thread

from flowstudio.errors import FlowStudioError
from flowstudio.workspace.history_space import HistorySpace

log = logging.getLogger(__name__)

FIRST_AFTER_S = 10.0
"""The start belongs to the user."""

EVERY_S = 3600.0
LOOK_EVERY_S = 60.0


class Housekeeping:
    """One thread. A cleaning goes in small steps, so close() does not wait long for one."""

    def __init__(
        self,
        space: HistorySpace,
        *,
        first_after_s: float = FIRST_AFTER_S,
        every_s: float = EVERY_S,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._space = space
        self._first_after_s = first_after_s
        self._every_s = every_s
        self._look_every_s = look_every_s
        self._stop = Event()
        self._thread = Thread(target=self._work, name="flowstudio-housekeeping", daemon=True)

    def start(self) -> None:
        """Begins to look after the history; once is enough, a second start changes nothing."""
        if self._thread.ident is None:
            self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _work(self) -> None:
        if self._stop.wait(self._first_after_s):
            return
        while not self._stop.is_set():
            self._attempt()
            self._rest()

    def _rest(self) -> None:
        """Until the next hour, or until the history is over its cap."""
        remaining_s = self._every_s
        while remaining_s > 0 and not self._stop.wait(min(self._look_every_s, remaining_s)):
            remaining_s -= self._look_every_s
            if self._is_over():
                return

    def _attempt(self) -> None:
        try:
            self._space.clean(self._stop)
        except FlowStudioError as error:
            log.info("The history is cleaned later: %s", error)
        except Exception:
            log.exception("The history could not be cleaned")

    def _is_over(self) -> bool:
        try:
            return self._space.is_over()
        except FlowStudioError as error:
            log.info("The history's size is not known: %s", error)
            return False
