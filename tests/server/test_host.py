"""The listening server: ports, refusals before the application, a clean stop. Real sockets."""

import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from flask import Flask, request

from flowstudio.server.host import Host, HostError, ServerInfo, bind

LIMIT = 10_000


def small_app() -> Flask:
    app = Flask(__name__)

    @app.post("/echo")
    def echo() -> bytes:
        return request.get_data()

    return app


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.stop()


def ask(info: ServerInfo, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", info.port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def raw(info: ServerInfo, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", info.port), timeout=10) as client:
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(4096), b""))


def test_it_serves_on_the_asked_port_without_a_message(host: Host) -> None:
    free = bind("127.0.0.1", 0)
    port = free.getsockname()[1]
    free.close()
    info = host.start("127.0.0.1", port, small_app(), LIMIT)
    assert (info.port, info.address, info.message) == (port, f"http://127.0.0.1:{port}", "")
    assert ask(info, "POST", "/echo", b"hello") == (200, b"hello")


def test_a_taken_port_gives_the_next_free_one_and_says_so(host: Host) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        info = host.start("127.0.0.1", port, small_app(), LIMIT)
        assert info.port > port
        assert info.message == f"Port {port} is taken; the server listens on {info.port} instead."
        assert ask(info, "POST", "/echo", b"x")[0] == 200


def test_an_address_that_is_not_ours_is_a_sentence(host: Host) -> None:
    with pytest.raises(HostError, match=r"cannot listen on 192\.0\.2\.1"):
        host.start("192.0.2.1", 5001, small_app(), LIMIT)


def test_stopping_ends_threads_and_frees_the_port() -> None:
    before = set(threading.enumerate())
    host = Host()
    info = host.start("127.0.0.1", 0, small_app(), LIMIT)
    assert ask(info, "POST", "/echo", b"x")[0] == 200
    host.stop()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before
    bind("127.0.0.1", info.port).close()


def test_stopping_closes_connections_that_are_kept_open() -> None:
    host = Host()
    info = host.start("127.0.0.1", 0, small_app(), LIMIT)
    connection = HTTPConnection("127.0.0.1", info.port, timeout=10)
    connection.request("POST", "/echo", b"x")
    connection.getresponse().read()
    idle = connection.sock
    host.stop()
    assert idle.recv(4096) == b""
    connection.close()


def test_stopping_twice_is_harmless(host: Host) -> None:
    host.start("127.0.0.1", 0, small_app(), LIMIT)
    host.stop()
    host.stop()


def test_what_is_not_http_is_refused_in_the_one_shape(host: Host) -> None:
    info = host.start("127.0.0.1", 0, small_app(), LIMIT)
    head, _, body = raw(info, b"GET / HTTP/1.1\r\nBad Header\r\n\r\n").partition(b"\r\n\r\n")
    assert b" 400 " in head.splitlines()[0]
    assert "error" in json.loads(body)


def test_a_body_beyond_all_measure_is_refused_before_it_is_read(host: Host) -> None:
    info = host.start("127.0.0.1", 0, small_app(), LIMIT)
    answer = raw(info, b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"error"' in answer
