"""Cancel ends whatever a run is blocked in, and every step says what became of it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from conftest import Serve
from faces import CommandLine, Server
from plans import chain, flow, step
from polling import until

QUICK_S = 1.0
"""How long all of it may take, from the request to the run's durable end; benchmarks/ has the figure."""

SLEEP = "import time\ntime.sleep(600)"


class StuckServer:
    """Takes connections and never answers; a dripping one sends a byte of its body now and then."""

    def __init__(self, drips: bool) -> None:
        self.reached = threading.Event()
        self._done = threading.Event()
        self._drips = drips
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._done.set()
        socket.create_connection(self._listener.getsockname()).close()  # for one that still waits for its caller
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, suppress(OSError):  # the other end hangs up in the middle: that is the point
            connection.recv(65536)
            if self._drips:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n")
            self.reached.set()
            while not self._done.wait(0.05):
                if self._drips:
                    connection.sendall(b".")


@pytest.fixture(params=[False, True], ids=["silent", "dripping"])
def stuck(request: Any) -> Iterator[StuckServer]:
    server = StuckServer(drips=request.param)
    yield server
    server.close()


@pytest.fixture
def server(serve: Serve, keyed: CommandLine, stuck: StuckServer, cli: CommandLine) -> Server:
    """A server whose OpenAI credential leads to the stuck one."""
    cli.environment.update(keyed.environment)
    values = f"sk-a-key-for-nobody\n{stuck.url}/v1\n"
    stored = cli("credentials", "set", "openai", "--field", "api_key", "--field", "base_url", stdin=values)
    assert stored.code == 0, stored.text
    return serve()


def start(server: Server, document: Any) -> str:
    stored = server.post("/api/execution-plans", document, 201)
    run_id: str = server.post("/api/execute-plan?wait=false", {"execution_plan_id": stored["id"]}, 202)["id"]
    return run_id


def cancel(server: Server, run_id: str) -> dict[str, str]:
    """Cancels and waits for the end; the states of the steps."""
    asked = time.monotonic()
    server.post(f"/api/runs/{run_id}/cancel", {})
    until(lambda: server.get(f"/api/runs/{run_id}")["state"], lambda state: state == "cancelled")
    assert time.monotonic() - asked < QUICK_S
    return {each["step_id"]: each["state"] for each in server.get(f"/api/runs/{run_id}/steps")["steps"]}


BLOCKED: dict[str, Callable[[str], Any]] = {
    "http call": lambda url: step("blocked", "http", "request", url=url),
    "openai call": lambda _url: step("blocked", "openai", "chat_completion", prompt="Hello?"),
}


@pytest.mark.parametrize("what", BLOCKED)
def test_cancel_ends_a_call_that_nobody_answers(server: Server, stuck: StuckServer, what: str) -> None:
    run_id = start(server, chain("p", BLOCKED[what](stuck.url), step("after", "logic", "transform", template=1)))
    assert stuck.reached.wait(30)
    assert cancel(server, run_id) == {"blocked": "cancelled", "after": "skipped"}


@pytest.mark.parametrize(
    "blocked",
    [step("blocked", "python_code", "run", code=SLEEP), step("blocked", "wait", "duration", seconds=3600)],
    ids=["subprocess", "wait"],
)
@pytest.mark.parametrize("stuck", [False], ids=[""], indirect=True)
def test_cancel_ends_what_takes_its_time(server: Server, blocked: Any) -> None:
    run_id = start(server, chain("p", blocked, step("after", "logic", "transform", template=1)))
    until(lambda: server.get(f"/api/runs/{run_id}")["state"], lambda state: state in ("running", "waiting"))
    assert cancel(server, run_id) == {"blocked": "cancelled", "after": "skipped"}


def test_cancel_reaches_every_branch(server: Server, stuck: StuckServer) -> None:
    steps = [
        step("begin", "logic", "transform", template=1),
        step("call", "http", "request", url=stuck.url),
        step("nap", "wait", "duration", seconds=3600),
        step("join", "flow", "merge"),
    ]
    run_id = start(server, flow("p", steps, "begin > call", "begin > nap", "call > join", "nap > join"))
    assert stuck.reached.wait(30)
    states = {"begin": "succeeded", "call": "cancelled", "nap": "cancelled", "join": "skipped"}
    assert cancel(server, run_id) == states
