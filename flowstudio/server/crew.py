"""The threads that answer requests: started when needed, the one that rested last takes the next task.

waitress wakes the thread that rested longest, so that 10 clients go round all of its threads and each finds its caches
cold; and it starts all of them at once, however many requests ever come at the same time.
"""

import logging
import threading
from collections import deque
from typing import Protocol

log = logging.getLogger(__name__)


class Task(Protocol):
    """What waitress hands over: a connection with a whole request."""

    def service(self) -> None: ...

    def cancel(self) -> None: ...


class _Rest:
    """Where one thread sleeps until it is handed a task, or None to leave."""

    __slots__ = ("_bell", "_task")

    def __init__(self) -> None:
        self._task: Task | None = None
        self._bell = threading.Lock()
        self._bell.acquire()

    def hand(self, task: Task | None) -> None:
        self._task = task
        self._bell.release()

    def take(self) -> Task | None:
        self._bell.acquire()
        task, self._task = self._task, None
        return task


class Crew:
    """At most `size` threads; requests beyond that wait in line. In place of waitress' own dispatcher, by its shape."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._resting: list[_Rest] = []
        self._line: deque[Task] = deque()
        self._count = 0
        self._is_over = False
        self._all_left = threading.Event()

    def add_task(self, task: Task) -> None:
        """Called on the server's thread."""
        with self._lock:
            if self._resting:
                self._resting.pop().hand(task)
            elif self._count < self._size and not self._is_over:
                self._count += 1
                threading.Thread(target=self._work, args=(task,), name=f"server-{self._count}", daemon=True).start()
            else:
                self._line.append(task)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5.0) -> bool:
        """Ends the threads as they come to rest; what waits in line is cancelled. True when it all ended in time."""
        with self._lock:
            self._is_over = True
            pending, self._line = self._line, deque()
            for rest in self._resting:
                rest.hand(None)
            self._resting.clear()
            if self._count == 0:
                self._all_left.set()
        for task in pending:
            task.cancel()
        if not self._all_left.wait(timeout):
            log.warning("Requests still being answered: %d", self._count)
            return False
        return True

    def _work(self, task: "Task | None") -> None:
        rest = _Rest()
        while task is not None:
            try:
                task.service()
            except Exception:
                log.exception("A request could not be answered")
            task = self._next(rest)
        with self._lock:
            self._count -= 1
            if self._count == 0 and self._is_over:
                self._all_left.set()

    def _next(self, rest: _Rest) -> "Task | None":
        with self._lock:
            if self._line:
                return self._line.popleft()
            if self._is_over:
                return None
            self._resting.append(rest)
        return rest.take()
