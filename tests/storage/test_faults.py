"""Faults of the world, made for real: what the person reads, and that nothing is half-written."""

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import insert

from flowstudio.settings import Settings
from flowstudio.storage.database import Database, open_database
from flowstudio.storage.tables import meta
from flowstudio.workspace.errors import (
    CorruptDatabaseError,
    DiskFullError,
    ReadOnlyError,
    StorageError,
    UnstorableValueError,
)


def put(database: Database, key: str, value: str = "x") -> None:
    with database.begin() as connection:
        connection.execute(insert(meta), {"key": key, "value": value})


def test_a_full_file_is_a_sentence_and_what_was_there_stays(sqlite: Database) -> None:
    put(sqlite, "before")
    limit = pages(sqlite)
    with sqlite.begin() as connection:  # the limit is the connection's own, and writers share theirs
        connection.exec_driver_sql(f"PRAGMA max_page_count = {limit}")
    with pytest.raises(DiskFullError, match=r"disk is full.*flow\.db"):
        put(sqlite, "after", "x" * 1_000_000)
    with sqlite.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM meta").scalar() == 1


def pages(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)


@pytest.fixture
def small_disk(tmp_path: Path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all the space that is left."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass
    return ballast


def test_a_really_full_disk_loses_nothing_and_heals_when_space_is_made(small_disk: Path) -> None:
    database = Database(f"sqlite:///{small_disk}/flow.db")
    database.upgrade()
    put(database, "before")
    ballast = fill(small_disk)
    with pytest.raises(DiskFullError):
        put(database, "during", "x" * 200_000)
    ballast.unlink()
    put(database, "after")
    with database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT key FROM meta ORDER BY key").scalars().all()
    database.close()
    assert kept == ["after", "before"]


def test_a_first_start_on_a_full_disk_is_a_sentence(small_disk: Path) -> None:
    fill(small_disk)
    database = Database(f"sqlite:///{small_disk}/flow.db")
    with pytest.raises(DiskFullError):
        database.upgrade()
    database.close()


def test_a_path_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = Database(f"sqlite:///{tmp_path}/file/data/flow.db")
    with pytest.raises(ReadOnlyError, match="FLOWSTUDIO_DATA_DIR"):
        database.upgrade()


def make_read_only(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)


def test_a_read_only_folder_at_the_first_start_is_a_sentence(small_disk: Path) -> None:
    make_read_only(small_disk)
    database = Database(f"sqlite:///{small_disk}/flow.db")
    with pytest.raises(ReadOnlyError, match=r"small/flow\.db cannot be opened or created.*write there"):
        database.upgrade()
    database.close()


def test_a_read_only_folder_that_must_be_made_is_a_sentence(small_disk: Path) -> None:
    make_read_only(small_disk)
    with pytest.raises(ReadOnlyError, match="cannot be opened or created"):
        open_database(Settings(data_dir=small_disk / "data"))


def test_a_database_that_became_read_only_is_a_sentence(small_disk: Path) -> None:
    database = Database(f"sqlite:///{small_disk}/flow.db")
    database.upgrade()
    put(database, "before")
    database.close()
    make_read_only(small_disk)
    with pytest.raises(ReadOnlyError, match=r"flow\.db"):
        put(database, "after")
    database.close()


def test_a_file_that_is_no_database_is_named(new_sqlite, tmp_path: Path) -> None:
    (tmp_path / "flow.db").write_bytes(b"This is a letter to my aunt, not a database. " * 100)
    with pytest.raises(CorruptDatabaseError, match=r"flow\.db is not a FlowStudio database"):
        new_sqlite().upgrade()


def test_a_damaged_page_is_named(new_sqlite, tmp_path: Path) -> None:
    database = new_sqlite()
    database.upgrade()
    for number in range(200):
        put(database, f"k{number}", "x" * 2000)
    database.close()
    file = tmp_path / "flow.db"
    content = bytearray(file.read_bytes())
    content[4096 * 2 :] = b"\xa5" * (len(content) - 4096 * 2)
    file.write_bytes(content)
    with pytest.raises(CorruptDatabaseError, match="is damaged"), new_sqlite().reading() as connection:
        connection.exec_driver_sql("SELECT sum(length(value)) FROM meta").scalar()


def test_a_character_no_database_holds_is_a_sentence(database: Database) -> None:
    with pytest.raises(UnstorableValueError):
        put(database, "a\ud800")


def test_sentences_tell_what_to_do(sqlite: Database) -> None:
    with pytest.raises(StorageError) as caught:
        put(sqlite, "\ud800")
    assert caught.value.fix.endswith(".")
    assert caught.value.facts == {"database": sqlite.place}
