"""From the start of a process to what a person waits for: a line in the terminal, an answer, the window.

Each is measured from outside, on a data folder that an earlier start has made. The best of some starts counts: other
programs only ever make one slower.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.peers import beside
from benchmarks.process import memory_mb, serving
from benchmarks.report import Row

STARTS = 5
PLAN = {
    "name": "Hello",
    "plan_json": [{"order": 1, "provider": "logic", "action_id": "transform", "params": {"template": "Hello"}}],
}
WINDOW = """
from PySide6.QtCore import QThreadPool
from PySide6.QtWidgets import QApplication
from flowstudio import app
from flowstudio.settings import load_settings
from flowstudio.ui.application import open_window
application = app.build(load_settings(port=0))
qt = QApplication([])
window = open_window(application, qt)
window.show()
qt.processEvents()
print("shown", flush=True)
QThreadPool.globalInstance().waitForDone()
application.close()
"""


def rows() -> Iterator[Row]:
    folder = Path(tempfile.mkdtemp(prefix="flowstudio-bench-"))
    environment = {
        **os.environ,
        "HOME": str(folder),
        "FLOWSTUDIO_DATA_DIR": str(folder / "data"),
        "PYTHONUNBUFFERED": "1",
        "QT_QPA_PLATFORM": "offscreen",
    }
    try:
        yield Row("serve on an empty data folder, first answer", answer_s(environment), "s")
        plan = folder / "plan.json"
        plan.write_text(json.dumps(PLAN))
        yield _row("run FILE, first line", lambda: line_s(environment, "-m", "flowstudio", "run", str(plan)), 1.0)
        yield _row("serve, first answer", lambda: answer_s(environment), 1.5, beside("start"))
        yield Row("serve, idle memory", idle_mb(), "MB", 120, False, beside("memory"))
        yield _row("window shown", lambda: line_s(environment, "-c", WINDOW), 3.0)
    finally:
        shutil.rmtree(folder)


def _row(name: str, measure: Callable[[], float], goal_s: float, peers: str = "") -> Row:
    return Row(name, min(measure() for _ in range(STARTS)), "s", goal_s, False, peers)


def idle_mb() -> float:
    """What `flowstudio serve` holds after its first answer."""
    with serving() as (port, process):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/api/health")
        connection.getresponse().read()
        connection.close()
        return memory_mb(process.pid)


def line_s(environment: Mapping[str, str], *arguments: str) -> float:
    """Seconds until Python with these arguments prints its first line; it has to end well."""
    started = time.perf_counter()
    with _python(environment, *arguments) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        taken = time.perf_counter() - started
        rest = process.stdout.read()
    assert process.returncode == 0, first + rest
    return taken


def answer_s(environment: Mapping[str, str]) -> float:
    """Seconds until `flowstudio serve` has answered a request."""
    started = time.perf_counter()
    with _python(environment, "-m", "flowstudio", "serve", "--port", "0") as process:
        assert process.stdout is not None
        address = next(found for line in process.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
        connection = http.client.HTTPConnection("127.0.0.1", int(address.group(1)))
        connection.request("GET", "/api/health")
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        taken = time.perf_counter() - started
        connection.close()
        process.terminate()
        process.stdout.read()
    return taken


def _python(environment: Mapping[str, str], *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
