"""Whatever a plan or a vendor brings, a run ends with a sentence that names the step, and others are served."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from faces import Server
from plans import Document, chain, flow, step
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

MEGABYTE = b"x" * 2**20
HEALTHY = chain("healthy", step("greet", "logic", "transform", template="hello"))


def execute(server: Server, document: Document, data: Any = None) -> Document:
    """The run of a plan the API stores, with the state and failure it ended with."""
    stored = server.post("/api/execution-plans", document, 201)
    request = {"execution_plan_id": stored["id"], "trigger_data": data}
    run_id = server.post("/api/execute-plan", request)["id"]
    run: Document = server.get(f"/api/runs/{run_id}")
    return run


@pytest.fixture(autouse=True)
def others(shared: Server) -> Iterator[None]:
    """After each of them a plain run works as ever."""
    yield
    assert execute(shared, HEALTHY)["state"] == "succeeded"


def refusal(server: Server, document: Document) -> str:
    """What the API says of a plan that cannot run."""
    stored = server.post("/api/execution-plans", document, 201)
    answer = server.request("POST", "/api/execute-plan", json={"execution_plan_id": stored["id"]})
    assert answer.status_code == 400, answer.text
    sentence: str = answer.json()["error"]
    return sentence


def failure(server: Server, document: Document, data: Any = None) -> Document:
    run = execute(server, document, data)
    assert run["state"] == "failed", run
    found: Document = run["failure"]
    return found


def test_a_circle_is_named(shared: Server) -> None:
    steps = [step("one", "logic", "transform", template=1), step("two", "logic", "transform", template=2)]
    sentence = refusal(shared, flow("circle", steps, "one > two", "two > one"))
    assert "one" in sentence
    assert "circle" in sentence


@pytest.mark.parametrize("parent", ["nobody", "plain"])
def test_a_body_without_its_loop_is_named(shared: Server, parent: str) -> None:
    steps = [
        step("plain", "logic", "transform", template=1),
        step("orphan", "logic", "transform", template=2, parent=parent, title="The orphan"),
    ]
    assert "The orphan" in refusal(shared, flow("orphans", steps))


def test_a_loop_over_a_number_is_named(shared: Server) -> None:
    loop = step("each", "flow", "loop", items="{{ trigger }}", title="Every order")
    body = step("inside", "logic", "transform", template=1, parent="each")
    found = failure(shared, flow("number", [loop, body], "each.body > inside"), data=12)
    assert "Every order" in found["sentence"]
    assert "a number" in found["sentence"]


def test_a_million_items_are_cut_at_the_loops_limit_and_the_log_says_so(shared: Server) -> None:
    loop = step("each", "flow", "loop", items="{{ trigger }}", max_iterations=10)
    body = step("inside", "logic", "transform", template="{{ item }}", parent="each")
    run = execute(shared, flow("million", [loop, body], "each.body > inside"), data=[1] * 10**6)
    (result,) = [each for each in shared.get(f"/api/runs/{run['id']}/steps")["steps"] if each["step_id"] == "each"]
    assert result["output"]["count"] == 10


BODIES: dict[str, tuple[bytes, str]] = {
    "NaN": (b'{"price": NaN}', "NaN is not a JSON number"),
    "infinity": (b'{"price": 1e999}', "too large a number"),
    "a pit": (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    "half an object": (b'{"name": "Ada', "is not"),
    "a page instead": (b"<html>Sorry</html>", "is not"),
    "a huge number": (b'{"n": ' + b"9" * 50_000 + b"}", "too many digits"),
}
"""What a vendor sends as JSON, and what the failure says of it."""


def asking(httpserver: HTTPServer, body: bytes) -> Document:
    httpserver.expect_request("/odd").respond_with_data(body, content_type="application/json")
    return chain("odd", step("ask", "http", "request", url=httpserver.url_for("/odd"), title="Ask the vendor"))


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_not_what_it_says_fails_the_step(shared: Server, httpserver: HTTPServer, body: str) -> None:
    content, words = BODIES[body]
    found = failure(shared, asking(httpserver, content))
    assert words in found["sentence"]
    assert "Ask the vendor" in found["sentence"]


def test_a_body_in_another_encoding_is_read_as_it_is(shared: Server, httpserver: HTTPServer) -> None:
    run = execute(shared, asking(httpserver, b'{"name": "Ren\xe9"}'))
    (result,) = shared.get(f"/api/runs/{run['id']}/steps")["steps"]
    assert result["output"]["body"] == {"name": "Ren\u00e9"}


def test_a_body_of_200_mb_is_refused_in_time(shared: Server, httpserver: HTTPServer) -> None:
    def endless(_request: Request) -> Response:
        return Response((MEGABYTE for _ in range(200)), content_type="application/octet-stream")

    httpserver.expect_request("/huge").respond_with_handler(endless)
    found = failure(
        shared, chain("huge", step("ask", "http", "request", url=httpserver.url_for("/huge"), title="Fetch it all"))
    )
    assert "Fetch it all" in found["sentence"]
    assert "MB" in found["sentence"]


@contextmanager
def speaking(answer: bytes) -> Iterator[str]:
    """A server that says these bytes to whoever calls, whatever was asked."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    thread.join()
    listener.close()


NOISE: dict[str, bytes] = {
    "no HTTP": b"220 mail.example.org ESMTP\r\n",
    "nothing": b"",
    "binary": bytes(range(256)) * 40,
    "a lying length": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
    "endless headers": b"HTTP/1.1 200 OK\r\n" + b"X-Header: value\r\n" * 10_000,
}


@pytest.mark.parametrize("noise", NOISE)
def test_a_server_that_speaks_nonsense_ends_the_step_with_a_sentence(shared: Server, noise: str) -> None:
    with speaking(NOISE[noise]) as url:
        found = failure(shared, chain("noise", step("ask", "http", "request", url=url, title="Ask the vendor")))
    assert "Ask the vendor" in found["sentence"]
    assert found["sentence"].endswith(".")


CRASHES: dict[str, str] = {
    "a crash in C": "import ctypes\nctypes.string_at(0)",
    "an abort": "import os\nos.abort()",
    "no value": "return object()",
    "a pit": "deep = []\nfor _ in range(100000):\n    deep = [deep]\nreturn deep",
    "not a number": "return float('nan')",
}


@pytest.mark.parametrize("crash", CRASHES)
def test_code_that_breaks_ends_its_step_alone(shared: Server, crash: str) -> None:
    found = failure(shared, chain("crash", step("code", "python_code", "run", code=CRASHES[crash], title="My code")))
    assert "My code" in found["sentence"]
    assert "Traceback" not in found["sentence"]
