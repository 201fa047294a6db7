"""The composition root: what builds, starts and ends."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from cryptography.fernet import Fernet
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flowstudio import app
from flowstudio.app import Application
from flowstudio.engine.model import RunState
from flowstudio.plan.model import Plan, Step
from flowstudio.settings import load_settings
from flowstudio.vault.errors import WrongKeyError


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", Fernet.generate_key().decode())


def build() -> Application:
    return app.build(load_settings(synchronous="NORMAL"))


@pytest.fixture
def slow(httpserver: HTTPServer) -> Iterator[tuple[Plan, threading.Event, threading.Event]]:
    """A plan whose only step waits for a server; set when it was asked; what lets it answer."""
    asked, may_answer = threading.Event(), threading.Event()

    def answer(_request: Request) -> Response:
        asked.set()
        may_answer.wait(20)
        return Response("late")

    httpserver.expect_request("/slow").respond_with_handler(answer)
    step = Step("wait", "http", "request", params={"url": httpserver.url_for("/slow")})
    yield Plan("p1", "Slow", steps=(step,)), asked, may_answer
    may_answer.set()


def test_closing_ends_every_thread() -> None:
    before = set(threading.enumerate())
    application = build()
    application.start()
    info = application.serve(port=0)
    assert requests.get(f"{info.address}/api/health", timeout=10).status_code == 200
    application.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before


def test_building_alone_takes_no_runs_up_and_fires_nothing() -> None:
    application = build()
    assert application.services.health() == {
        "database": "",
        "scheduler": "The scheduler does not run.",
        "journal": "",
    }
    application.close()


def test_a_run_cut_off_by_closing_goes_on_at_the_next_start(
    slow: tuple[Plan, threading.Event, threading.Event],
) -> None:
    plan, asked, may_answer = slow
    first = build()
    run_id = first.services.runs.start("local", plan)
    assert asked.wait(10)
    first.close(timeout_s=0.2)
    may_answer.set()
    second = build()
    assert second.start() == 1
    run = second.services.runs.wait(run_id, 20)
    assert run is not None
    assert run.state is RunState.SUCCEEDED
    second.close()


def test_unfinished_runs_are_left_to_another_process_that_may_be_running_them(
    slow: tuple[Plan, threading.Event, threading.Event],
) -> None:
    plan, asked, may_answer = slow
    first, second = build(), build()
    run_id = first.services.runs.start("local", plan)
    assert asked.wait(10)
    assert second.start() == 0
    may_answer.set()
    assert first.services.runs.wait(run_id, 20) is not None
    second.close()
    first.close()


def test_a_client_that_waits_hears_202_when_the_application_closes(
    slow: tuple[Plan, threading.Event, threading.Event],
) -> None:
    plan, asked, _may_answer = slow
    application = build()
    info = application.serve(port=0)
    application.services.plans.save_plan("local", plan)
    body = {"execution_plan_id": "p1"}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(requests.post, f"{info.address}/api/execute-plan", json=body, timeout=30)
        assert asked.wait(10)
        application.close(timeout_s=0.2)
        answer = waiting.result(20)
    assert answer.status_code == 202
    assert answer.json()["status"] in ("pending", "running")


def test_a_key_that_does_not_fit_is_told_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    first = build()
    first.services.credentials.save("local", "slack", {"token": "xoxb-1"})
    first.close()
    monkeypatch.setenv("ENCRYPTION_KEY", Fernet.generate_key().decode())
    second = build()
    with pytest.raises(WrongKeyError):
        second.start()
    second.close()


def test_the_log_lies_in_the_data_folder_without_secrets(tmp_path: Path) -> None:
    application = build()
    application.services.credentials.save("local", "slack", {"token": "xoxb-very-secret"})
    data_dir = application.services.settings.data_dir
    application.close()
    text = (data_dir / "logs" / "flowstudio.log").read_text()
    assert "works on" in text
    assert "xoxb-very-secret" not in text


def test_a_start_imports_nothing_that_only_some_plans_need() -> None:
    slow = ("requests", "smtplib", "defusedxml", "feedparser", "openai", "alembic", "apscheduler", "flask", "numpy")
    code = f"import sys, flowstudio.app, flowstudio.cli.program; print(set({slow}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
