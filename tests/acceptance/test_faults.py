"""The world's faults: a full disk, a read-only folder, a locked database. A sentence, and nothing lost.

What is proven here, in the product's words: a full disk (a small tmpfs), a read-only data folder, a locked database.
"""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faces import CommandLine
from plans import chain, save, step

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


def test_a_full_disk_ends_the_run_with_a_sentence_and_keeps_what_was_there(mount: Mount, tmp_path: Path) -> None:
    folder = mount("small", "-t", "tmpfs", "-o", "size=3m", "tmpfs")
    command = CommandLine(folder / "data")
    assert command("run", hello(tmp_path)).code == RUN_OK
    free = os.statvfs(folder)
    (folder / "ballast").write_bytes(b"x" * (free.f_bavail * free.f_frsize - 256 * 1024))
    big = save(tmp_path, chain("big", step("a", "python_code", "run", code="result = 'x' * 2_000_000")), "big.flow")
    answer = command("run", big)
    assert answer.code in (RUN_FAILED, CANNOT_START)
    assert "Traceback" not in answer.text
    assert "disk" in answer.text.lower()
    (folder / "ballast").unlink()
    assert command("run", hello(tmp_path)).code == RUN_OK


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
