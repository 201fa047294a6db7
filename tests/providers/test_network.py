"""Network over real loopback sockets: limits hold, cancel ends what blocks, credentials stay with their host."""

import gzip
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flowstudio.engine.cancel import CancelToken
from flowstudio.providers.errors import (
    ActionCancelledError,
    ActionTimeoutError,
    BadAnswerError,
    BadParamError,
    ConnectionFailedError,
    ProviderError,
)
from flowstudio.providers.network import MAX_REDIRECTS, Network, redirected
from flowstudio.providers.ports import HttpCall, Limits

PROMPT_S = 0.1
"""How soon a cut call ends; tests allow for two busy cores."""
PATIENCE_S = PROMPT_S * 10
SECRET = "s3cret-value"

Behaviour = Callable[[socket.socket, threading.Event], None]


@contextmanager
def serving(answer: Behaviour) -> Iterator[str]:
    """The address of a server that hands each connection to answer, with an event that is set at the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=serve, args=(sock,), daemon=True)
            threads.append(thread)
            thread.start()

    def serve(sock: socket.socket) -> None:
        with sock, suppress(OSError):
            answer(sock, over)

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)
        for thread in threads:
            thread.join(5)


def read_request(sock: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        more = sock.recv(65536)
        if not more:
            raise OSError("gone")
        received += more
    return received


def silent(sock: socket.socket, over: threading.Event) -> None:
    """Takes the request and says nothing."""
    read_request(sock)
    over.wait(30)


def dripping_body(sock: socket.socket, over: threading.Event) -> None:
    """A byte every 20 ms, for ever."""
    read_request(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not over.wait(0.02):
        sock.sendall(b"x")


def dripping_headers(sock: socket.socket, over: threading.Event) -> None:
    read_request(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not over.wait(0.02):
        sock.sendall(b"x")


def open_ended(sock: socket.socket, over: threading.Event) -> None:
    """A body whose end is the connection's end, which never comes."""
    read_request(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf an answer")
    over.wait(30)


def truncated(sock: socket.socket, over: threading.Event) -> None:
    read_request(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def hanging_up(sock: socket.socket, over: threading.Event) -> None:
    read_request(sock)


def not_http(sock: socket.socket, over: threading.Event) -> None:
    read_request(sock)
    sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def never_greeting(sock: socket.socket, over: threading.Event) -> None:
    """Accepts and neither reads nor writes: a TLS handshake waits for ever."""
    over.wait(30)


def send(
    network: Network, url: str, *, cancel: CancelToken | None = None, limits: Limits | None = None, **more: object
):
    call = HttpCall("GET", url, **more)
    return network.send(call, cancel=cancel or CancelToken(), limits=limits or Limits())


def fault_of(network: Network, url: str, limits: Limits | None = None) -> tuple[ProviderError, float]:
    """The error and how long it took, in seconds."""
    started = time.monotonic()
    with pytest.raises(ProviderError) as caught:
        send(network, f"{url}/{SECRET}?key={SECRET}", limits=limits, headers={"Authorization": SECRET})
    assert SECRET not in f"{caught.value} {caught.value.facts}"
    return caught.value, time.monotonic() - started


def test_an_answer_comes_whole(network: Network, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a", query_string="x=1&y=%C3%BC").respond_with_data("hällo", status=418)
    answer = send(network, httpserver.url_for("/a?x=1"), query=(("y", "ü"),))
    assert (answer.status, answer.content.decode()) == (418, "hällo")
    assert answer.headers["content-length"] == "6"
    assert answer.elapsed_ms > 0


@pytest.mark.parametrize("claim", [{"Content-Length": "999"}, {"transfer-encoding": "chunked"}])
def test_a_size_that_a_plan_claims_is_not_sent(network: Network, httpserver: HTTPServer, claim: dict[str, str]) -> None:
    httpserver.expect_request("/", method="POST", data="hello").respond_with_data("all of it")
    call = HttpCall("POST", httpserver.url_for("/"), claim, (), b"hello")
    answer = network.send(call, cancel=CancelToken(), limits=Limits(total_s=5.0))
    assert (answer.status, answer.content) == (200, b"all of it")


def test_a_compressed_answer_is_unpacked(network: Network, httpserver: HTTPServer) -> None:
    packed = gzip.compress(b"plain" * 1000)
    httpserver.expect_request("/").respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    assert send(network, httpserver.url_for("/")).content == b"plain" * 1000


def test_a_decompression_bomb_meets_the_size_limit(network: Network, httpserver: HTTPServer) -> None:
    packed = gzip.compress(b"\0" * 20_000_000)
    httpserver.expect_request("/").respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    with pytest.raises(BadAnswerError, match=r"localhost is larger than 1 MB"):
        send(network, httpserver.url_for("/"), limits=Limits(max_bytes=1024 * 1024))


def test_an_announced_size_over_the_limit_is_refused_unread(network: Network, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"x" * 5000)
    with pytest.raises(BadAnswerError, match="larger than"):
        send(network, httpserver.url_for("/"), limits=Limits(max_bytes=4999))


def test_connections_are_kept(network: Network) -> None:
    connections = []

    def two_answers(sock: socket.socket, over: threading.Event) -> None:
        connections.append(sock)
        while True:
            read_request(sock)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serving(two_answers) as url:
        for _ in range(3):
            assert send(network, url).content == b"ok"
        network.close()
    assert len(connections) == 1


@pytest.mark.parametrize("behaviour", [silent, dripping_body, dripping_headers, open_ended])
def test_cancel_ends_a_blocked_call(network: Network, behaviour: Behaviour) -> None:
    cancel = CancelToken()
    with serving(behaviour) as url:
        timer = threading.Timer(0.1, cancel.cancel)
        timer.start()
        started = time.monotonic()
        with pytest.raises(ActionCancelledError, match="cancelled"):
            send(network, url, cancel=cancel)
        assert time.monotonic() - started < 0.1 + PATIENCE_S


@pytest.mark.parametrize("behaviour", [silent, dripping_body, dripping_headers, open_ended])
def test_the_total_limit_holds(network: Network, behaviour: Behaviour) -> None:
    with serving(behaviour) as url:
        fault, elapsed_s = fault_of(network, url, Limits(total_s=0.2, read_s=30))
    assert isinstance(fault, ActionTimeoutError)
    assert fault.retryable
    assert "within 0.2 s" in str(fault)
    assert elapsed_s < 0.2 + PATIENCE_S


def test_the_total_limit_ends_a_tls_handshake(network: Network) -> None:
    with serving(never_greeting) as url:
        fault, elapsed_s = fault_of(network, url.replace("http", "https"), Limits(total_s=0.2))
    assert isinstance(fault, ActionTimeoutError)
    assert elapsed_s < 0.2 + PATIENCE_S


def test_the_read_limit_holds(network: Network) -> None:
    with serving(silent) as url:
        fault, _ = fault_of(network, url, Limits(read_s=0.1))
    assert isinstance(fault, ActionTimeoutError)
    assert "sent nothing for 0.1 s" in str(fault)


def test_a_cancelled_token_sends_nothing(network: Network, httpserver: HTTPServer) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(ActionCancelledError):
        send(network, httpserver.url_for("/"), cancel=cancel)
    assert httpserver.log == []


def test_a_call_that_ended_cannot_cut_the_next_one(network: Network) -> None:
    cancel = CancelToken()

    def answering(sock: socket.socket, over: threading.Event) -> None:
        while True:
            request = read_request(sock)
            if b"/second" in request:
                cancel.cancel()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serving(answering) as url:
        send(network, url, cancel=cancel)
        assert send(network, f"{url}/second").content == b"ok"
        network.close()


@pytest.mark.parametrize("behaviour", [truncated, hanging_up, not_http])
def test_an_incomplete_answer_is_a_sentence(network: Network, behaviour: Behaviour) -> None:
    with serving(behaviour) as url:
        fault, _ = fault_of(network, url)
    assert isinstance(fault, ConnectionFailedError)
    assert "closed the connection before" in str(fault)


def test_a_refused_connection_is_a_sentence(network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    fault, _ = fault_of(network, f"http://127.0.0.1:{port}")
    assert isinstance(fault, ConnectionFailedError)
    assert fault.retryable
    assert str(fault).startswith(f"127.0.0.1, port {port} refused the connection.")


def test_an_unknown_host_is_a_sentence(network: Network) -> None:
    fault, _ = fault_of(network, "http://no-such-host.invalid")
    assert isinstance(fault, ConnectionFailedError | ActionTimeoutError)
    assert "no-such-host.invalid" in str(fault)


def test_cancel_does_not_wait_for_a_slow_resolver(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    cancel, over = CancelToken(), threading.Event()

    def slow(*args: object, **kwargs: object) -> list:
        cancel.cancel()
        over.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    started = time.monotonic()
    with pytest.raises(ActionCancelledError):
        send(network, "http://slow.test", cancel=cancel)
    over.set()
    assert time.monotonic() - started < PATIENCE_S


def test_plain_http_behind_https_is_a_sentence(network: Network, httpserver: HTTPServer) -> None:
    fault, _ = fault_of(network, httpserver.url_for("").replace("http", "https").rstrip("/"))
    assert isinstance(fault, ConnectionFailedError)
    assert "does not speak TLS" in str(fault)


def test_a_self_signed_certificate_is_not_trusted(network: Network, tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def greeting(sock: socket.socket, over: threading.Event) -> None:
        with suppress(ssl.SSLError):
            context.wrap_socket(sock, server_side=True).close()

    with serving(greeting) as url:
        fault, _ = fault_of(network, url.replace("http", "https"))
    assert isinstance(fault, ConnectionFailedError)
    assert not fault.retryable
    assert "certificate of 127.0.0.1 is not trusted" in str(fault)


@pytest.mark.parametrize("url", ["http://exa mple.test", "http://[::1", "http://a.test:99999/"])
def test_an_address_that_is_none_is_a_bad_param(network: Network, url: str) -> None:
    with pytest.raises(BadParamError):
        send(network, url)


def test_credentials_do_not_follow_to_another_host(network: Network, httpserver: HTTPServer) -> None:
    seen: list[Request] = []

    def end(request: Request) -> Response:
        seen.append(request)
        return Response("end")

    httpserver.expect_request("/end").respond_with_handler(end)
    elsewhere = httpserver.url_for("/end").replace("127.0.0.1", "localhost")
    httpserver.expect_request("/away").respond_with_data(status=302, headers={"Location": elsewhere})
    httpserver.expect_request("/near").respond_with_data(status=302, headers={"Location": "/end"})
    headers = {"Authorization": SECRET, "X-Api-Key": SECRET, "Cookie": SECRET, "Accept": "application/json"}

    for start in ("/away", "/near"):
        assert send(network, httpserver.url_for(start).replace("localhost", "127.0.0.1"), headers=headers).status == 200

    assert SECRET not in str(seen[0].headers)
    assert seen[0].headers["Accept"] == "application/json"
    assert seen[1].headers["X-Api-Key"] == SECRET


def test_redirects_end(network: Network, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/loop").respond_with_data(status=302, headers={"Location": "/loop"})
    with pytest.raises(BadAnswerError, match=f"redirected more than {MAX_REDIRECTS} times"):
        send(network, httpserver.url_for("/loop"))


def test_a_redirect_to_a_file_is_refused(network: Network, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(status=302, headers={"Location": "file:///etc/passwd"})
    with pytest.raises(BadAnswerError, match="no web address"):
        send(network, httpserver.url_for("/"))


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [("POST", 301, "GET"), ("POST", 302, "GET"), ("PUT", 303, "GET"), ("POST", 307, "POST"), ("PUT", 302, "PUT")],
)
def test_a_redirect_changes_the_method_as_browsers_do(method: str, status: int, expected: str) -> None:
    call = HttpCall(method, "https://a.test/", {"Content-Type": "text/plain"}, (), b"body")
    following = redirected(call, status, "https://a.test/b")
    assert following.method == expected
    assert following.body == (b"body" if expected == method else None)


@pytest.mark.parametrize("target", ["http://a.test/", "https://a.test:444/", "https://b.test/", "https://x.a.test/"])
def test_another_place_gets_no_credential(target: str) -> None:
    following = redirected(HttpCall("GET", "https://a.test/", {"X-Key": SECRET}), 302, target)
    assert following.headers == {}


def test_cookies_are_not_kept(network: Network, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("ok", headers={"Set-Cookie": "session=1"})
    for _ in range(2):
        send(network, httpserver.url_for("/"))
    assert all("Cookie" not in request.headers for request, _ in httpserver.log)


def test_netrc_is_not_read(
    network: Network, httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text(f"machine localhost login a password {SECRET}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    httpserver.expect_request("/").respond_with_data("ok")
    send(network, httpserver.url_for("/"))
    assert "Authorization" not in httpserver.log[0][0].headers


def test_a_proxy_from_the_environment_is_used(
    network: Network, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request(re.compile(".*")).respond_with_data("from the proxy")
    monkeypatch.setenv("http_proxy", httpserver.url_for(""))
    monkeypatch.delenv("no_proxy", raising=False)
    assert send(network, "http://vendor.test/a").content == b"from the proxy"


def test_threads_share_a_network(network: Network, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(send(network, httpserver.url_for("/")).status))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 20
