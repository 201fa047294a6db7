"""The shared threads on which steps run: daemon, started when needed, kept until close.

concurrent.futures joins its threads at interpreter exit, so that one action that never returns would keep the
process alive; here threads are daemons, and one that is stuck can be written off and replaced.
"""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic
from typing import Any

log = logging.getLogger(__name__)


class Pool:
    """Runs functions on at most `size` threads, first come first served. Thread-safe."""

    def __init__(self, size: int, name: str = "flowstudio-step") -> None:
        self._queue: SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._size = size
        self._name = name
        self._free = 0  # idle threads minus queued calls
        self._threads: dict[int, threading.Thread] = {}
        self._stuck: set[int] = set()
        self._started = 0

    def submit(self, call: Callable[..., None], *arguments: Any) -> None:
        """Queues call(*arguments). What it raises is logged."""
        with self._lock:
            self._free -= 1
            self._queue.put((call, arguments))
            if self._free < 0 and len(self._threads) - len(self._stuck) < self._size:
                self._grow()

    def write_off(self, thread_id: int) -> None:
        """That thread is stuck in an action: another one may take its place until it comes back."""
        with self._lock:
            if thread_id in self._threads and thread_id not in self._stuck:
                self._stuck.add(thread_id)
                if self._free < 0:
                    self._grow()

    def close(self, timeout_s: float) -> bool:
        """Lets queued calls run, ends the threads and waits that long; False when some did not end."""
        with self._lock:
            threads = [thread for ident, thread in self._threads.items() if ident not in self._stuck]
            for _ in self._threads:
                self._queue.put(None)
        deadline = monotonic() + timeout_s
        for thread in threads:
            thread.join(max(deadline - monotonic(), 0.0))
        return not any(thread.is_alive() for thread in threads)

    def _grow(self) -> None:
        self._started += 1
        self._free += 1
        thread = threading.Thread(target=self._serve, name=f"{self._name}-{self._started}", daemon=True)
        thread.start()
        assert thread.ident is not None
        self._threads[thread.ident] = thread

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            call, arguments = job
            del job
            try:
                call(*arguments)
            except Exception:
                log.exception("A step thread met a fault in the engine")
            del call, arguments  # an idle thread keeps nothing of a run alive
            if not self._is_wanted():
                return

    def _is_wanted(self) -> bool:
        """False for a thread that was replaced while it was stuck: it leaves, its successor stays."""
        ident = threading.get_ident()
        with self._lock:
            if ident in self._stuck:
                self._stuck.discard(ident)
                self._threads.pop(ident, None)
                return False
            self._free += 1
            return True
