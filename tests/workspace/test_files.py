"""Plan files: whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from flowstudio.workspace import files
from flowstudio.workspace.errors import DiskFullError, FileUnreadableError, ReadOnlyError
from flowstudio.workspace.files import read_file, write_file


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_file(tmp_path / "a.flow", b"content")
    assert read_file(tmp_path / "a.flow") == b"content"


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.flow"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_file(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_file_is_readable_as_the_umask_allows(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_file(tmp_path / "a.flow", b"new")
    finally:
        os.umask(old)
    assert (tmp_path / "a.flow").stat().st_mode & 0o777 == 0o644


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.flow"
    path.write_bytes(b"old")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(DiskFullError, match="disk is full"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_may_not_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_options: object) -> tuple[int, str]:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(files.tempfile, "mkstemp", refused)
    with pytest.raises(ReadOnlyError, match=r"a\.flow"):
        write_file(tmp_path / "a.flow", b"new")


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match="There is no file"):
        read_file(tmp_path / "none.flow")


def test_a_folder_is_not_a_plan(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match="is a folder"):
        read_file(tmp_path)
