"""The frozen app: it fits, it starts its window, runs the sample plans and answers its API."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from polling import until
from pytest_httpserver import HTTPServer

ROOT = Path(__file__).parents[2]
LARGEST_BYTES = 200_000_000
NOT_FOR_STEPS = {
    "antigravity", "curses", "distutils", "ensurepip", "idlelib", "lib2to3", "msilib", "nis", "nt", "readline",
    "rlcompleter", "this", "tkinter", "turtle", "turtledemo", "venv", "winreg", "winsound",
}  # fmt: skip
PARTS = ("concurrent.futures", "email.mime.text", "importlib.resources", "logging.handlers", "multiprocessing.pool",
         "unittest.mock", "urllib.robotparser", "wsgiref.simple_server", "xml.etree.ElementTree")  # fmt: skip
FEED = """<rss version="2.0"><channel><title>News</title>
<item><title>Moon</title><link>https://example.org/moon</link></item></channel></rss>"""

pytestmark = pytest.mark.slow
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds what `make package` builds, into a folder of its own."""
    made = tmp_path_factory.mktemp("bundle")
    builder = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    folders = ["--distpath", str(made / "dist"), "--workpath", str(made / "build")]
    subprocess.run([*builder, *folders, str(ROOT / "packaging" / "flowstudio.spec")], cwd=ROOT, check=True)
    return made / "dist" / "flowstudio"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    own = {"FLOWSTUDIO_DATA_DIR": str(tmp_path / "data"), "FLOWSTUDIO_PORT": str(port), "HOME": str(tmp_path)}
    return {**kept, **own, "QT_QPA_PLATFORM": "offscreen"}


@pytest.fixture
def run(bundle: Path, environment: dict[str, str]) -> Run:
    """`flowstudio ...` of the bundle, to its end."""

    def command(*arguments: str, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [bundle / "flowstudio", *arguments],
            env=environment | more, input=stdin, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    return command


@pytest.fixture
def window(bundle: Path, environment: dict[str, str]) -> Iterator[str]:
    """The frozen app with its window open; its server's address."""
    process = subprocess.Popen([bundle / "flowstudio"], env=environment)
    try:
        yield f"http://127.0.0.1:{environment['FLOWSTUDIO_PORT']}"
    finally:
        process.terminate()
        assert process.wait(30) == 0


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/api/health", timeout=2).status_code == 200
    except requests.ConnectionError:
        return False


def _plan(folder: Path, *steps: dict[str, Any]) -> str:
    """A plan file; the steps do not wait for each other."""
    file = folder / "plan.flow"
    file.write_text(json.dumps({"flowstudio": 1, "id": "p", "name": "P", "steps": steps, "edges": []}), "utf-8")
    return str(file)


def test_it_is_under_200_mb(bundle: Path) -> None:
    assert sum(path.lstat().st_size for path in bundle.rglob("*") if not path.is_dir()) < LARGEST_BYTES


def test_it_holds_no_path_of_the_checkout(bundle: Path) -> None:
    texts = [path for path in bundle.rglob("*") if path.suffix in (".json", ".txt", ".pth", ".py", ".yaml", ".toml")]
    assert [path for path in texts if str(ROOT) in path.read_text("utf-8", "replace")] == []


def test_its_command_runs_the_sample(run: Run, tmp_path: Path) -> None:
    done = run("sample", "world-digits")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "FlowStudio" / "digits" / "digits.html").is_file()


def test_it_reads_a_feed(run: Run, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/feed").respond_with_data(FEED, content_type="application/rss+xml")
    done = run("sample", "news-digest", "--input", json.dumps({"feed_url": httpserver.url_for("/feed"), "words": ""}))
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_asks_a_chat_model(run: Run, httpserver: HTTPServer) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "We are on it."}, "finish_reason": "stop"}
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "m-1", "choices": [choice]}
    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_json(answer)
    httpserver.expect_request("/hook", method="POST").respond_with_json({})
    address = httpserver.url_for("/v1")
    kept = run("credentials", "set", "openai", "--field", "api_key", "--field", "base_url", stdin=f"sk-x\n{address}\n")
    assert kept.returncode == 0, kept.stdout + kept.stderr
    done = run("sample", "urgent-messages", "--input", json.dumps({"webhook_url": httpserver.url_for("/hook")}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert httpserver.log[-1][0].json["answer"] == "We are on it."


def test_python_code_imports_the_standard_library(run: Run, tmp_path: Path) -> None:
    public = {name for name in sys.stdlib_module_names if not name.startswith("_")} - NOT_FOR_STEPS
    code = "import importlib\nfor name in input: importlib.import_module(name)\nreturn len(input)"
    names = sorted(name for name in public if _is_here(name))
    step = {"id": "a", "provider": "python_code", "action": "run", "params": {"code": code, "input": [*names, *PARTS]}}
    done = run("run", _plan(tmp_path, step))
    assert done.returncode == 0, done.stdout + done.stderr


def _is_here(name: str) -> bool:
    """Whether this very Python has the module: winreg and its like are named on every system."""
    return subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


def test_it_brings_the_driver_for_postgresql(run: Run) -> None:
    done = run("sample", "world-digits", DATABASE_URL="postgresql://nobody@127.0.0.1:9/nothing")
    assert done.returncode != 0
    assert "psycopg2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "127.0.0.1" in done.stdout + done.stderr


def test_its_window_serves_the_api_and_runs_a_sample_plan(bundle: Path, window: str) -> None:
    until(lambda: _answers(window), bool, 60)
    sample = json.loads(
        next((bundle / "_internal" / "flowstudio" / "resources" / "samples").glob("*world_digits*")).read_text()
    )
    plan = requests.post(
        f"{window}/api/execution-plans", json={"name": sample["name"], "plan_json": sample}, timeout=30
    ).json()
    run = requests.post(f"{window}/api/execute-plan", json={"execution_plan_id": plan["id"]}, timeout=60).json()
    assert run["status"] == "success", run["error_message"]
