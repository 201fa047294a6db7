"""Task(fn).success(...).failure(...): a call in the background, its answer on the GUI thread."""

import logging
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, QRunnable, Qt, QThreadPool, Signal, Slot
from shiboken6 import isValid

from flowstudio.errors import FlowStudioError

T = TypeVar("T")
log = logging.getLogger(__name__)


class UnexpectedError(FlowStudioError):
    """A bug of ours, told calmly; its traceback is in the log."""

    code = "desktop.unexpected"


class Task(QObject, Generic[T]):
    """Runs call in Qt's thread pool. Create, connect and start it on the GUI thread.

    owner: when this widget is gone by the time the answer comes, nobody is called.
    failure receives a FlowStudioError always: any other exception is a bug, logged, and wrapped in UnexpectedError.
    """

    _answered = Signal(object, object)

    def __init__(self, call: Callable[[], T], owner: QObject | None = None) -> None:
        super().__init__(QCoreApplication.instance())  # keeps it alive until the answer is delivered
        self._call = call
        self._owner = owner
        self._success: Callable[[T], object] = _ignore
        self._failure: Callable[[FlowStudioError], object] = _report
        self._answered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def success(self, receive: Callable[[T], object]) -> "Task[T]":
        self._success = receive
        return self

    def failure(self, receive: Callable[[FlowStudioError], object]) -> "Task[T]":
        self._failure = receive
        return self

    def start(self) -> "Task[T]":
        QThreadPool.globalInstance().start(_Job(self))
        return self

    def work(self) -> None:
        """Called in a pool thread."""
        result: T | None = None
        error: FlowStudioError | None = None
        try:
            result = self._call()
        except FlowStudioError as known:
            error = known
        except Exception as bug:
            log.exception("A background call failed")
            sentence = f"Something went wrong inside FlowStudio: {type(bug).__name__}."
            error = UnexpectedError(sentence, fix="The log has the details; nothing was changed.")
        if isValid(self):  # the application may have ended meanwhile
            self._answered.emit(result, error)

    @Slot(object, object)
    def _deliver(self, result: T, error: FlowStudioError | None) -> None:
        self.deleteLater()
        if self._owner is not None and not isValid(self._owner):
            return
        if error is None:
            self._success(result)
        else:
            self._failure(error)


class _Job(QRunnable):
    def __init__(self, task: "Task[Any]") -> None:
        super().__init__()
        self._task = task

    def run(self) -> None:
        self._task.work()


def _ignore(_: object) -> None:
    """A task whose answer nobody waits for."""


def _report(error: FlowStudioError) -> None:
    log.warning("%s (%s)", error, error.code)
