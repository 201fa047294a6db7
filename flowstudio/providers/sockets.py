"""Sockets that a cancelled or overdue call can end from another thread.

`session.close()` interrupts no blocked read, and a read time-out never trips on a dripping body; shutting the socket
down ends both at once. A watch holds a duplicate of the descriptor, because TLS wrapping detaches the original socket.
"""

import heapq
import itertools
import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum

from flowstudio.providers.errors import (
    ActionCancelledError,
    ActionTimeoutError,
    ConnectionFailedError,
    ProviderError,
)
from flowstudio.providers.ports import Cancel


class Cut(Enum):
    """Why a call was ended from outside."""

    CANCELLED = "cancelled"
    OVERDUE = "overdue"


class Wire:
    """A connection's socket, claimed by one call at a time. Only the claimant may cut it.

    The duplicate outlives a connection that is closed while its answer is still being read (`Connection: close`), so
    that the call can be cut until it releases the wire.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._lock = threading.Lock()
        self._handle = sock.dup()
        self._owner: object | None = None
        self._is_done = False

    def claim(self, owner: object) -> None:
        with self._lock:
            self._owner = owner

    def release(self, owner: object) -> None:
        with self._lock:
            if self._owner is owner:
                self._owner = None
                self._close_if_unused()

    def cut(self, owner: object) -> None:
        """Ends both directions; whoever is blocked on the connection wakes up."""
        with self._lock:
            if self._owner is owner:
                with suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes the duplicate, as soon as no call has a claim on it."""
        with self._lock:
            self._is_done = True
            self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._is_done and self._owner is None:
            self._handle.close()


class Watch:
    """One call's sockets and its deadline. Use as a context manager around the call, in one thread."""

    def __init__(self, cancel: Cancel, total_s: float, deadlines: "Deadlines") -> None:
        self.total_s = total_s
        self._cancel = cancel
        self._deadlines = deadlines
        self._lock = threading.Lock()
        self._closers: dict[object, Callable[[], None]] = {}
        self._cut: Cut | None = None
        self._ends_at = time.monotonic() + total_s
        self._forget: list[Callable[[], None]] = []
        self._wires: set[Wire] = set()

    def __enter__(self) -> "Watch":
        self._forget.append(self._deadlines.at(self._ends_at, lambda: self._end(Cut.OVERDUE)))
        self._forget.append(self._cancel.on_cancel(lambda: self._end(Cut.CANCELLED)))
        return self

    def __exit__(self, *exc_info: object) -> None:
        for forget in self._forget:
            forget()
        for wire in list(self._wires):
            self.release(wire)

    @property
    def remaining_s(self) -> float:
        return max(0.001, self._ends_at - time.monotonic())

    def add(self, key: object, close: Callable[[], None]) -> None:
        """Calls close when the call is cut, at once if it was already."""
        with self._lock:
            self._closers[key] = close
            cut = self._cut
        if cut is not None:
            close()

    def remove(self, key: object) -> None:
        with self._lock:
            self._closers.pop(key, None)

    def claim(self, wire: Wire) -> None:
        wire.claim(self)
        self._wires.add(wire)
        self.add(wire, lambda: wire.cut(self))

    def release(self, wire: Wire) -> None:
        self.remove(wire)
        self._wires.discard(wire)
        wire.release(self)

    def fault(self, host: str) -> ProviderError | None:
        """The error of a call that was cut, None when it was not."""
        if self._cut is Cut.CANCELLED:
            return ActionCancelledError(f"The call to {host} was cancelled.")
        if self._cut is Cut.OVERDUE:
            sentence = f"{host} did not finish its answer within {self.total_s:g} s."
            return ActionTimeoutError(sentence, fix="Try again, or raise the step's time limit.")
        return None

    def _end(self, cut: Cut) -> None:
        with self._lock:
            if self._cut is not None:
                return
            self._cut = cut
            closers = list(self._closers.values())
        for close in closers:
            close()


class Deadlines:
    """Calls functions at monotonic times, in one thread that starts with the first of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._live: set[int] = set()
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def at(self, when: float, call: Callable[[], None]) -> Callable[[], None]:
        """Arranges the call; the returned function takes it back."""
        with self._changed:
            number = next(self._numbers)
            self._live.add(number)
            heapq.heappush(self._heap, (when, number, call))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            if self._heap[0][1] == number:
                self._changed.notify()
        return lambda: self._forget(number)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _forget(self, number: int) -> None:
        with self._changed:
            self._live.discard(number)
            while self._heap and self._heap[0][1] not in self._live:
                heapq.heappop(self._heap)

    def _run(self) -> None:
        while (due := self._next_due()) is not None:
            due()

    def _next_due(self) -> Callable[[], None] | None:
        """Waits for the next call that is due; None when closed."""
        with self._changed:
            while not self._is_closed:
                if not self._heap:
                    self._changed.wait()
                    continue
                when, number, call = self._heap[0]
                delay_s = when - time.monotonic()
                if delay_s > 0:
                    self._changed.wait(delay_s)
                    continue
                heapq.heappop(self._heap)
                if number in self._live:
                    self._live.discard(number)
                    return call
        return None


def connect(host: str, port: int, watch: Watch, connect_s: float) -> tuple[socket.socket, Wire]:
    """A connected TCP socket, claimed by the watch. Tries every address of the host within connect_s together.

    Raises ConnectionFailedError, ActionTimeoutError, ActionCancelledError.
    """
    give_up_at = time.monotonic() + min(connect_s, watch.remaining_s)
    fault: OSError | None = None
    addresses = resolve(host, port, watch, connect_s)
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        # An address that swallows packets, as IPv6 does on some networks, must leave time for the others.
        left_s = (give_up_at - time.monotonic()) / (len(addresses) - number)
        if left_s <= 0:
            break
        sock = socket.socket(family, kind, protocol)
        wire = Wire(sock)
        watch.claim(wire)
        try:
            sock.settimeout(left_s)
            sock.connect(address)
        except OSError as error:
            fault = error
            watch.release(wire)
            wire.close()
            sock.close()
            if cut := watch.fault(host):
                raise cut from error
            continue
        sock.settimeout(connect_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock, wire
    raise _unreachable(host, port, fault, connect_s) from fault


Address = tuple[
    socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]


def resolve(host: str, port: int, watch: Watch, limit_s: float) -> Sequence[Address]:
    """The host's addresses. The resolver cannot be interrupted, so it works in a thread that may be left behind."""
    answers: queue.SimpleQueue[Sequence[Address] | OSError | UnicodeError | None] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    watch.add(answers, lambda: answers.put(None))
    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=min(limit_s, watch.remaining_s + 1.0))
    except queue.Empty:
        sentence = f"The address of {host} could not be looked up within {limit_s:g} s."
        raise ActionTimeoutError(sentence, fix="Check the network connection.") from None
    finally:
        watch.remove(answers)
    if cut := watch.fault(host):
        raise cut
    if answer is None or isinstance(answer, OSError | UnicodeError):
        sentence = f"There is no host named {host}, or the network is down."
        raise ConnectionFailedError(sentence, fix="Check the address and the network connection.") from answer
    return answer


def _unreachable(host: str, port: int, fault: OSError | None, connect_s: float) -> ProviderError:
    where = f"{host}, port {port}"
    if fault is None or isinstance(fault, TimeoutError):
        sentence = f"{where} did not answer within {connect_s:g} s."
        return ActionTimeoutError(sentence, fix="Check the address, the network and the firewall.")
    if isinstance(fault, ConnectionRefusedError):
        sentence = f"{where} refused the connection."
        return ConnectionFailedError(sentence, fix="Check that the service runs and that address and port are right.")
    reason = fault.strerror or type(fault).__name__
    return ConnectionFailedError(f"{where} cannot be reached: {reason}.", fix="Check the address and the network.")
