"""A vendor on the loopback interface that keeps a ledger of what it was asked."""

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Vendor:
    """Answers GET and POST /<name> with {"name": name}, or as told by `answers`.

    A name in `held` is answered only when released.
    """

    def __init__(self) -> None:
        self.ledger: Counter[str] = Counter()
        self.replies: dict[str, list[tuple[Any, ...]]] = {}
        self.bodies: list[tuple[str, bytes]] = []
        self.keys: defaultdict[str, list[str]] = defaultdict(list)
        self.held: set[str] = set()
        self._arrived = threading.Condition()
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._requests())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def answers(self, name: str, *replies: tuple[int, Any] | tuple[int, Any, dict[str, str]]) -> str:
        """Status, JSON and maybe headers of each next answer of /name, the last one for good; the address of /name."""
        self.replies[name] = list(replies)
        return self.url(name)

    def wait_for(self, name: str, times: int = 1, timeout: float = 30) -> None:
        """Returns when /name was asked for that many times."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.ledger[name] >= times, timeout), dict(self.ledger)

    def release(self) -> None:
        self.held = set()
        self._released.set()

    def close(self) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _requests(self) -> type[BaseHTTPRequestHandler]:
        vendor = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                name = self.path.strip("/").partition("?")[0]
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with vendor._arrived:
                    vendor.ledger[name] += 1
                    vendor.bodies.append((name, body))
                    vendor.keys[name].append(self.headers.get("Idempotency-Key", ""))
                    vendor._arrived.notify_all()
                    replies = vendor.replies.get(name, [(200, {"name": name})])
                    status, value, *more = replies.pop(0) if len(replies) > 1 else replies[0]
                if name in vendor.held:
                    vendor._released.wait(60)
                answer = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                for header, text in (more[0] if more else {}).items():
                    self.send_header(header, text)
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True  # the client was killed: that is what these tests do

        return Request


@contextmanager
def vendor_running() -> Iterator[Vendor]:
    vendor = Vendor()
    try:
        yield vendor
    finally:
        vendor.close()
