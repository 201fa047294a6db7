"""Clients that ask, and a vendor that takes its time: the same for us and for every peer."""

import asyncio
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

VENDOR_DELAY_S = 0.05
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


def load(port: int, path: str, clients: int, seconds: float, expected: bytes = b"") -> list[float]:
    """Seconds each request took, from that many clients for that long; every answer is checked."""
    taken: list[float] = []
    end = time.perf_counter() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        mine: list[float] = []
        while (started := time.perf_counter()) < end:
            ask(connection, path, expected)
            mine.append(time.perf_counter() - started)
        connection.close()
        taken.extend(mine)

    _at_once(clients, client)
    return taken


def burst(port: int, path: str, clients: int, expected: bytes = b"") -> tuple[float, int]:
    """One request of each client, all at once: seconds until the last answer, and how many failed."""
    failures: list[str] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            ask(connection, path, expected)
        except (OSError, AssertionError, http.client.HTTPException) as error:
            failures.append(str(error))
        finally:
            connection.close()

    started = time.perf_counter()
    _at_once(clients, client)
    return time.perf_counter() - started, len(failures)


def ask(connection: http.client.HTTPConnection, path: str, expected: bytes = b"") -> None:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    assert expected in body, body


@contextmanager
def slow_vendor() -> Iterator[int]:
    """A server on the loopback interface that answers every GET after 50 ms; its port."""
    loop = asyncio.new_event_loop()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(VENDOR_DELAY_S)
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = loop.run_until_complete(asyncio.start_server(converse, "127.0.0.1", 0, backlog=1000))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _at_once(count: int, call: Callable[[], None]) -> None:
    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
