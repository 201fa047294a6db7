"""The command as a process of its own: signals, pipes, start-up."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flowstudio.plan.model import Plan, Step

Save = Callable[[Any], Path]


def start(*arguments: str | Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "flowstudio", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy())


@pytest.fixture
def slow(httpserver: HTTPServer) -> Iterator[tuple[str, threading.Event]]:
    """The address of a server that does not answer, and the event of its first request."""
    asked, may_answer = threading.Event(), threading.Event()

    def answer(_request: Request) -> Response:
        asked.set()
        may_answer.wait(20)
        return Response("late")

    httpserver.expect_request("/slow").respond_with_handler(answer)
    yield httpserver.url_for("/slow"), asked
    may_answer.set()


def test_ctrl_c_cancels_the_run_and_is_exit_code_130(save: Save, slow: tuple[str, threading.Event]) -> None:
    address, asked = slow
    plan = Plan("p1", "Slow", steps=(Step("wait", "http", "request", params={"url": address}),))
    with start("run", save(plan), "--json") as process:
        assert asked.wait(20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert json.loads(out)["status"] == "cancelled"
    assert "Traceback" not in err


def test_serve_answers_until_it_is_told_to_stop(save: Save) -> None:
    with start("serve", "--port", "0") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "FlowStudio listens on http://127.0.0.1:" in line
        address = line.split()[3].rstrip(".")
        assert requests.get(f"{address}/api/health", timeout=10).json()["status"] == "healthy"
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "Traceback" not in err


def test_importing_the_command_line_imports_neither_qt_nor_flask_nor_openai() -> None:
    code = (
        "import sys, flowstudio.app, flowstudio.cli.program;"
        "print([name for name in ('PySide6', 'flask', 'openai', 'waitress', 'keyring') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
