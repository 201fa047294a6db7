"""Host: waitress in threads, on the asked port or the next free one; stops clean."""

import errno
import json
import logging
import os
import socket
from dataclasses import dataclass
from threading import Thread
from typing import Any, ClassVar

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask
from waitress.wasyncore import dispatcher

from flowstudio.errors import FlowStudioError
from flowstudio.server.crew import Crew

THREADS = 256
"""Requests at work at once, most; one that waits for a run's end holds its thread, asleep."""

CONNECTIONS = 1000
PORTS_TRIED = 50
STOP_S = 3.0
"""How long stopping waits for answers under way."""

log = logging.getLogger(__name__)


class HostError(FlowStudioError):
    """The server cannot listen where it was told to."""

    code: ClassVar[str] = "server.host"


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Where the server listens. message: what the user should know about it, "" for nothing."""

    address: str
    port: int
    message: str


class _JsonErrorTask(ErrorTask):
    """What waitress refuses before the application sees it, in the shape of every other error."""

    def execute(self) -> None:
        error = self.request.error
        body = json.dumps({"error": f"{error.reason}: {error.body}".strip(), "code": f"http.{error.code}"}).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)  # type: ignore[assignment]  # waitress declares None, no types
        self.write(body)  # type: ignore[no-untyped-call]


class _Task(WSGITask):
    """An answer that goes out in one piece: every system call lets other threads in before the next."""

    def write(self, data: bytes) -> None:
        if self.wrote_header:
            super().write(data)  # type: ignore[no-untyped-call]
            return
        self.channel.hold_back()
        try:
            super().write(data)  # type: ignore[no-untyped-call]
        finally:
            self.channel.let_go()


class _Channel(HTTPChannel):
    task_class = _Task
    error_task_class = _JsonErrorTask
    _held: list[bytes] | None = None

    def hold_back(self) -> None:
        """Collects what is written from now on, until it is let go."""
        self._held = []

    def let_go(self) -> None:
        held, self._held = self._held or [], None
        self.write_soon(b"".join(held))

    def write_soon(self, data: bytes) -> int:
        if self._held is not None:
            self._held.append(data)
            return len(data)
        written: int = super().write_soon(data)  # type: ignore[no-untyped-call]
        return written


class Host:
    """One listening server. Its methods are for one thread at a time."""

    def __init__(self) -> None:
        self._server: Any = None
        self._thread: Thread | None = None
        self._is_listening = False

    def start(self, host: str, port: int, app: Flask, max_body_bytes: int) -> ServerInfo:
        """Listens and returns at once. Raises HostError."""
        listener = bind(host, port)
        try:
            bound = listener.getsockname()[1]
            self._server = self._make(listener, app, max_body_bytes)
        except BaseException:
            listener.close()
            raise
        self._thread = Thread(target=self._server.run, name="server", daemon=True)
        self._thread.start()
        self._is_listening = True
        shown = f"[{host}]" if ":" in host else host
        taken = f"Port {port} is taken; the server listens on {bound} instead." if port not in (0, bound) else ""
        return ServerInfo(f"http://{shown}:{bound}", bound, taken)

    def refuse(self) -> None:
        """Takes no new connections; answers under way go on."""
        if self._server is not None and self._is_listening:
            self._is_listening = False
            server = self._server
            server.trigger.pull_trigger(lambda: dispatcher.close(server))  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        """Refuses new connections, lets answers under way finish, then closes everything. Nothing when not started."""
        if self._server is None or self._thread is None:
            return
        self.refuse()
        server, thread = self._server, self._thread
        self._server = self._thread = None
        server.task_dispatcher.shutdown(timeout=STOP_S)
        server.trigger.pull_trigger(lambda: _close_all(server._map))
        thread.join(STOP_S)

    def _make(self, listener: socket.socket, app: Flask, max_body_bytes: int) -> Any:
        server = create_server(  # type: ignore[no-untyped-call]
            app,
            sockets=[listener],
            _dispatcher=Crew(THREADS),
            connection_limit=CONNECTIONS,
            backlog=1024,
            ident="FlowStudio",
            # The application answers 413 with a sentence; this bound is for what should not even be spooled.
            max_request_body_size=max_body_bytes * 4,
            channel_timeout=60,
            clear_untrusted_proxy_headers=True,
        )
        server.channel_class = _Channel
        return server


def bind(host: str, port: int) -> socket.socket:
    """A bound socket on the asked port or the next free one. Raises HostError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                # Elsewhere this option would let two programs share the port.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, candidate))
            listener.listen(1024)  # two programs may bind one port with SO_REUSEADDR; only one may listen
        except OSError as error:
            listener.close()
            if error.errno in (errno.EADDRINUSE, errno.EACCES) and candidate >= 1024:
                continue
            raise HostError(
                f"The server cannot listen on {host}:{candidate}: {error.strerror or error}.",
                fix="Choose another host or a port above 1023.",
            ) from error
        listener.setblocking(False)
        return listener
    raise HostError(f"Ports {port} to {port + PORTS_TRIED - 1} are all taken.", fix="Choose another port.")


def _close_all(channels: dict[int, Any]) -> None:
    for each in list(channels.values()):
        each.close()
