"""Bus events -> GUI thread, in batches of 16 ms.

Queued signals stall the window at ten thousand events a second; a deque drained by a timer does not. One queued wake-up
per batch starts the timer, so an idle window has no timer running.
"""

from collections import deque

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from flowstudio.bus import Bus
from flowstudio.engine.events import RunEvent

INTERVAL_MS = 16
BATCH_LIMIT = 4000  # events shown in one go; the rest waits one interval so that input is handled in between


class Bridge(QObject):
    """Emits `run_events` with lists of RunEvent and `other_events` with lists of anything else, in order."""

    run_events = Signal(list)
    other_events = Signal(list)
    _woken = Signal()

    def __init__(self, bus: Bus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[object] = deque()
        self._is_awake = False
        self._timer = QTimer(self, singleShot=True, interval=INTERVAL_MS)
        self._timer.timeout.connect(self._drain)
        self._woken.connect(self._timer.start, Qt.ConnectionType.QueuedConnection)
        self._unsubscribe = bus.subscribe(self._receive)

    def close(self) -> None:
        """Ends delivery. What still waits is dropped: the database has it."""
        self._unsubscribe()
        self._timer.stop()
        self._waiting.clear()

    def _receive(self, event: object) -> None:
        """In the publisher's thread."""
        self._waiting.append(event)
        if not self._is_awake:
            self._is_awake = True
            self._woken.emit()

    @Slot()
    def _drain(self) -> None:
        # The flag falls before the queue is emptied: an event in between wakes us once more, never not at all.
        self._is_awake = False
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_LIMIT))]
        runs: list[object] = [event for event in batch if isinstance(event, RunEvent)]
        others = [event for event in batch if not isinstance(event, RunEvent)]
        if self._waiting:
            self._is_awake = True
            self._timer.start()
        if runs:
            self.run_events.emit(runs)
        if others:
            self.other_events.emit(others)
