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

from flowstudio.engine.lanes import Lane, Lanes

log = logging.getLogger(__name__)

TURN_S = 0.01
"""How long a run may keep a thread, step after step, while others wait for one. A hop costs 100 us."""
NOBODY: Lane = ("", "")


class Pool:
    """Runs functions on at most `size` threads; users and their runs take turns. Thread-safe."""

    def __init__(self, size: int, name: str = "flowstudio-step") -> None:
        self._tokens: SimpleQueue[bool] = SimpleQueue()
        """True for each call in line; False has a thread come to its end."""
        self._lanes: Lanes[tuple[Callable[..., object], tuple[Any, ...]]] = Lanes()
        self._lock = threading.Lock()
        self._size = size
        self._name = name
        self._free = 0  # idle threads minus queued calls
        self._threads: dict[int, threading.Thread] = {}
        self._stuck: set[int] = set()
        self._started = 0

    def submit(self, call: Callable[..., object], *arguments: Any, lane: Lane = NOBODY) -> None:
        """Queues call(*arguments) in the lane of a user's run. What it raises is logged."""
        with self._lock:
            self._free -= 1
            self._lanes.put(lane, (call, arguments))
            self._tokens.put(True)
            if self._free < 0 and len(self._threads) - len(self._stuck) < self._size:
                self._grow()

    def wants_back(self, since: float) -> bool:
        """Whether who has a thread since then should let others have it: its turn is over and they wait."""
        return self._free < 0 and monotonic() - since > TURN_S

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
                self._tokens.put(False)
        deadline = monotonic() + timeout_s
        for thread in threads:
            thread.join(max(deadline - monotonic(), 0.0))
        return not any(thread.is_alive() for thread in threads)

    def _grow(self) -> None:
        self._started += 1
        thread = threading.Thread(target=self._serve, name=f"{self._name}-{self._started}", daemon=True)
        thread.start()
        self._free += 1
        assert thread.ident is not None
        self._threads[thread.ident] = thread

    def _serve(self) -> None:
        while self._tokens.get():
            with self._lock:
                call, arguments = self._lanes.take()
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
