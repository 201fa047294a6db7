"""The world's faults: a full disk, a read-only folder, a locked database. A sentence, and nothing lost.

What is proven here, in the product's words: a full disk (a small tmpfs), a read-only data folder, a locked database.
"""

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from faces import CommandLine, Server
from plans import chain, save, step
from polling import until
from vendor import Vendor

Mount = Callable[..., Path]
RUN_OK, RUN_FAILED, CANNOT_START = 0, 1, 1


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts small file systems; skips where the tests may not."""
    mounted: list[Path] = []

    def make(name: str, *options: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"this needs the right to mount: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def hello(folder: Path) -> str:
    return save(folder, chain("hello", step("a", "logic", "transform", template="hello")))


def test_a_read_only_data_folder_is_told(mount: Mount, tmp_path: Path) -> None:
    folder = mount("readonly", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs")
    answer = CommandLine(folder / "data")("run", hello(tmp_path))
    assert answer.code == CANNOT_START
    assert "Traceback" not in answer.text
    assert str(folder) in answer.text


def test_an_existing_folder_that_became_read_only_is_told(mount: Mount, tmp_path: Path) -> None:
    folder = mount("later", "-t", "tmpfs", "-o", "size=8m", "tmpfs")
    command = CommandLine(folder / "data")
    assert command("run", hello(tmp_path)).code == RUN_OK
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    answer = command("run", hello(tmp_path))
    assert answer.code == CANNOT_START
    assert "Traceback" not in answer.text
    assert "write" in answer.text.lower()
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
    assert command("run", hello(tmp_path)).code == RUN_OK


def filled(folder: Path) -> Path:
    """A file that leaves the file system no space."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return ballast


def stored(server: Server, plan: dict[str, Any]) -> str:
    return str(server.post("/api/execution-plans", {"name": plan["name"], "plan_json": plan}, 201)["id"])


def start(server: Server, plan_id: str) -> str:
    return str(server.post("/api/execute-plan?wait=false", {"execution_plan_id": plan_id}, 202)["id"])


def state_of(server: Server, run_id: str) -> str:
    return str(server.get(f"/api/runs/{run_id}")["state"])


def calling(vendor: Vendor, *names: str) -> dict[str, Any]:
    """Writes one after the other, and what they gave."""
    calls = [step(name, "http", "request", method="POST", url=vendor.url(name)) for name in names]
    return chain("calling", *calls, step("end", "logic", "transform", template="done"))


@pytest.fixture
def small(mount: Mount) -> Path:
    return mount("small", "-t", "tmpfs", "-o", "size=8m", "tmpfs")


@pytest.fixture
def cramped(small: Path) -> Iterator[Server]:
    """A server on a small disk."""
    server = Server(CommandLine(small / "data"))
    yield server
    server.stop()


def test_a_full_disk_pauses_runs_until_there_is_space(cramped: Server, small: Path, vendor: Vendor) -> None:
    plan_id = stored(cramped, calling(vendor, "first", "second"))
    vendor.held.add("first")
    run_id = start(cramped, plan_id)
    vendor.wait_for("first")
    ballast = filled(small)
    vendor.release()

    health = until(lambda: cramped.request("GET", "/api/health"), lambda answer: answer.status_code == 503).json()
    assert (health["status"], health["journal"]) == ("degraded", "stalled")
    assert "disk is full" in health["problems"][0]
    stalled = cramped.get(f"/api/runs/{run_id}")["stalled"]
    assert "disk is full" in stalled["sentence"]
    assert "by themselves" in stalled["sentence"]
    assert stalled["fix"]
    refused = cramped.request("POST", "/api/execute-plan?wait=false", json={"execution_plan_id": plan_id})
    assert refused.status_code == 503
    assert "disk is full" in refused.json()["error"]
    assert vendor.ledger["second"] == 0, "nothing is sent whose reason could be lost"
    ballast.unlink()

    assert until(lambda: state_of(cramped, run_id), lambda state: state != "running") == "succeeded"
    assert cramped.get(f"/api/runs/{run_id}")["stalled"] is None
    assert vendor.ledger == {"first": 1, "second": 1}
    assert until(lambda: cramped.request("GET", "/api/health").status_code, lambda status: status == 200)
    assert any("can be stored again" in line["text"] for line in cramped.get(f"/api/runs/{run_id}/log")["lines"])
    assert start(cramped, plan_id)


def test_a_run_can_be_cancelled_while_the_disk_is_full(cramped: Server, small: Path, vendor: Vendor) -> None:
    plan_id = stored(cramped, calling(vendor, "first", "second"))
    vendor.held.add("first")
    run_id = start(cramped, plan_id)
    vendor.wait_for("first")
    ballast = filled(small)
    vendor.release()
    until(lambda: cramped.request("GET", "/api/health").status_code, lambda status: status == 503)
    assert cramped.request("POST", f"/api/runs/{run_id}/cancel").status_code == 200
    ballast.unlink()
    assert until(lambda: state_of(cramped, run_id), lambda state: state != "running") == "cancelled"
    assert vendor.ledger["second"] == 0


def test_a_server_stops_on_a_full_disk_and_damages_nothing(cramped: Server, small: Path, vendor: Vendor) -> None:
    plan_id = stored(cramped, calling(vendor, "first", "second"))
    vendor.held.add("first")
    run_id = start(cramped, plan_id)
    vendor.wait_for("first")
    ballast = filled(small)
    vendor.release()
    until(lambda: cramped.request("GET", "/api/health").status_code, lambda status: status == 503)
    cramped.stop()
    ballast.unlink()
    (database,) = (small / "data").glob("*.db")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    again = Server(CommandLine(small / "data"))
    try:
        asked = until(lambda: again.get(f"/api/runs/{run_id}"), lambda run: run["state"] != "running")
        assert asked["state"] == "interrupted", "its answer could not be stored, so nobody knows"
        again.post(f"/api/runs/{run_id}/answer", {"answer": "done"})
        open_states = ("interrupted", "running")  # for a moment the answer is stored and the run not yet under way
        assert until(lambda: state_of(again, run_id), lambda state: state not in open_states) == "succeeded"
    finally:
        again.stop()
    assert vendor.ledger == {"first": 1, "second": 1}


@pytest.mark.slow  # the journal has a patience of fifteen seconds
def test_a_database_that_is_locked_for_long_pauses_runs_until_it_is_not(
    cramped: Server, small: Path, vendor: Vendor
) -> None:
    plan_id = stored(cramped, calling(vendor, "first", "second"))
    vendor.held.add("first")
    run_id = start(cramped, plan_id)
    vendor.wait_for("first")
    (database,) = (small / "data").glob("*.db")
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        vendor.release()
        answer = until(lambda: cramped.request("GET", "/api/health"), lambda answer: answer.status_code == 503, 60)
        assert "Another program is holding" in answer.json()["problems"][0]
        assert vendor.ledger["second"] == 0
        holder.execute("ROLLBACK")
    assert until(lambda: state_of(cramped, run_id), lambda state: state != "running") == "succeeded"
    assert vendor.ledger == {"first": 1, "second": 1}


def test_the_command_line_says_why_a_run_pauses_and_ends_it_when_there_is_space(
    small: Path, tmp_path: Path, vendor: Vendor
) -> None:
    vendor.held.add("first")
    plan = save(tmp_path, calling(vendor, "first", "second"))
    process = CommandLine(small / "data").start("run", plan)
    vendor.wait_for("first")
    ballast = filled(small)
    vendor.release()
    assert process.stdout is not None
    said = next(line for line in process.stdout if "paused" in line)
    assert "disk is full" in said
    ballast.unlink()
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == RUN_OK, rest
    assert vendor.ledger == {"first": 1, "second": 1}


def test_a_locked_database_is_told(cli: CommandLine, tmp_path: Path) -> None:
    assert cli("run", hello(tmp_path)).code == RUN_OK
    (database,) = cli.data_dir.glob("*.db")
    holder = sqlite3.connect(database, isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        answer = cli("run", hello(tmp_path))
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert answer.code in (RUN_FAILED, CANNOT_START)
    assert "Traceback" not in answer.text
    assert "another" in answer.text.lower()
    assert cli("run", hello(tmp_path)).code == RUN_OK


def test_a_file_that_is_no_database_is_told_and_kept(cli: CommandLine, tmp_path: Path) -> None:
    assert cli("run", hello(tmp_path)).code == RUN_OK
    (database,) = cli.data_dir.glob("*.db")
    for rest in cli.data_dir.glob("*.db-*"):
        rest.unlink()
    database.write_bytes(b"this is not a database" * 500)
    answer = cli("run", hello(tmp_path))
    assert answer.code == CANNOT_START
    assert "Traceback" not in answer.text
    assert database.name in answer.text
    assert database.read_bytes().startswith(b"this is not a database")
