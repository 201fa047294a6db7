"""How long a cancel takes, to the run's durable end, while 50 other runs are at work.

What is cancelled blocks in a call that is never answered, in a body that comes drop by drop, in a process, in a wait.
"""

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import Row
from flowstudio import app
from flowstudio.engine.engine import Engine
from flowstudio.engine.model import Run, RunState, TriggerEvent
from flowstudio.plan.model import Edge, Plan, Step
from flowstudio.settings import Settings

AT_WORK = 50
EACH = 5
"""Runs of each kind that are cancelled."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n"
SETTLE_S = 4.0
"""Until all of them are blocked, processes started."""


def rows() -> Iterator[Row]:
    folder = Path(tempfile.mkdtemp(prefix="flowstudio-bench-"))
    application = app.build(Settings(folder))
    try:
        with vendor(drips=False) as silent, vendor(drips=True) as dripping:
            taken = sorted(cancels(application._machinery.engine, blocked(silent, dripping)))
    finally:
        application.close(1.0)
        shutil.rmtree(folder, ignore_errors=True)
    yield Row("cancel, p95", taken[int(len(taken) * 0.95)] * 1000, "ms", 100, is_least=False)
    yield Row("cancel, longest of 20", taken[-1] * 1000, "ms")


def cancels(engine: Engine, plans: list[Plan]) -> Iterator[float]:
    for number in range(AT_WORK):
        engine.submit(run(f"busy{number}", busy()))
    ids = [f"{plan.id}{number}" for plan in plans for number in range(EACH)]
    for plan in plans:
        for number in range(EACH):
            engine.submit(run(f"{plan.id}{number}", plan))
    threading.Event().wait(SETTLE_S)
    for run_id in ids:
        asked = time.perf_counter()
        assert engine.cancel(run_id), f"{run_id} did not block"
        ended = engine.wait(run_id, 30.0)
        yield time.perf_counter() - asked
        assert ended is not None
        assert ended.state is RunState.CANCELLED, ended.failure
    assert all(engine.is_active(f"busy{number}") for number in range(AT_WORK)), "the others were at work no more"


def blocked(silent: str, dripping: str) -> list[Plan]:
    sleep = {"code": "import time\ntime.sleep(600)"}
    steps = {
        "silent": Step("s", "http", "request", params={"url": silent}),
        "dripping": Step("s", "http", "request", params={"url": dripping}),
        "process": Step("s", "python_code", "run", params=sleep),
        "wait": Step("s", "wait", "duration", params={"seconds": 600}),
    }
    return [Plan(name, name, steps=(step,)) for name, step in steps.items()]


def busy() -> Plan:
    """A loop in a loop over pure steps, for minutes."""
    items = list(range(1000))
    outer = Step("outer", "flow", "loop", params={"items": items})
    inner = Step("inner", "flow", "loop", params={"items": items}, parent="outer")
    asks = Step("asks", "flow", "condition", params={"condition": "{{ item > 3 }}"}, parent="inner")
    return Plan(
        "busy",
        "Busy",
        steps=(outer, inner, asks),
        edges=(Edge("outer", "body", "inner"), Edge("inner", "body", "asks")),
    )


def run(run_id: str, plan: Plan) -> Run:
    return Run(run_id, "local", plan, RunState.QUEUED, TriggerEvent(), datetime.now(UTC))


@contextmanager
def vendor(*, drips: bool) -> Iterator[str]:
    """The address of a server that never ends its answer."""
    over, listener = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while not over.is_set():
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            if drips:
                connection.sendall(HEAD)
            while not over.wait(0.05):
                if drips:
                    connection.sendall(b".")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.close()
