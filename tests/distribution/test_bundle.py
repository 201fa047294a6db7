"""The frozen app: it fits, it starts its window, runs a sample plan and answers its API."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from polling import until

ROOT = Path(__file__).parents[2]
LARGEST_BYTES = 200_000_000
pytestmark = pytest.mark.slow


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
def window(bundle: Path, environment: dict[str, str]) -> Iterator[str]:
    """The frozen app with its window open; its server's address."""
    process = subprocess.Popen([bundle / "flowstudio"], env=environment)
    try:
        yield f"http://127.0.0.1:{environment['FLOWSTUDIO_PORT']}"
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/api/health", timeout=2).status_code == 200
    except requests.ConnectionError:
        return False


def test_it_is_under_200_mb(bundle: Path) -> None:
    assert sum(path.lstat().st_size for path in bundle.rglob("*") if not path.is_dir()) < LARGEST_BYTES


def test_its_command_runs_the_sample(bundle: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [bundle / "flowstudio", "sample", "world-digits"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


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
