import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from flowstudio.settings import Settings
from flowstudio.storage.database import Database, database_url, open_database
from flowstudio.storage.pragmas import pragmas
from flowstudio.storage.tables import meta
from flowstudio.workspace.errors import DatabaseLockedError, StorageError, UnreachableError


def put(database: Database, key: str, value: str = "x") -> None:
    with database.begin() as connection:
        connection.execute(insert(meta), {"key": key, "value": value})


def keys(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(connection.execute(select(meta.c.key)).scalars())


def test_a_transaction_is_kept_at_the_end_of_its_block(database: Database) -> None:
    put(database, "a")
    assert keys(database) == ["a"]


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    def half() -> None:
        with database.begin() as connection:
            connection.execute(insert(meta), {"key": "a", "value": "x"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert keys(database) == []


def test_a_bug_of_ours_is_not_dressed_up_as_a_fault_of_the_world(database: Database) -> None:
    put(database, "a")
    with pytest.raises(IntegrityError):
        put(database, "a")


def test_an_error_does_not_repeat_the_values(database: Database) -> None:
    put(database, "a", "p4ssw0rd")
    with pytest.raises(IntegrityError) as caught:
        put(database, "a", "p4ssw0rd")
    assert "p4ssw0rd" not in str(caught.value)


def test_many_threads_write_without_meeting_a_lock(database: Database) -> None:
    def work(name: str) -> None:
        for number in range(10):
            put(database, f"{name}{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys(database)) == 80


def test_two_programs_write_one_file_in_turns(new_sqlite) -> None:
    databases = [new_sqlite(busy_timeout_s=10) for _ in range(2)]
    databases[0].upgrade()

    def work(number: int) -> None:
        for count in range(20):
            put(databases[number], f"{number}-{count}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys(databases[0])) == 40


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    put(database, "a")
    with database.begin() as connection:
        connection.execute(insert(meta), {"key": "b", "value": "x"})
        assert keys(database) == ["a"]


def test_it_says_that_it_is_healthy(database: Database) -> None:
    assert database.health()


def test_every_connection_has_its_pragmas(sqlite: Database) -> None:
    with sqlite.reading() as one, sqlite.engine.connect() as two:
        for connection in (one, two):
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1


def test_full_is_the_default(tmp_path: Path) -> None:
    database = open_database(Settings(data_dir=tmp_path / "data"))
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    database.close()


def test_an_unknown_synchronous_is_refused() -> None:
    with pytest.raises(ValueError, match="FULL or NORMAL"):
        pragmas("OFF")


def test_the_first_start_creates_folder_and_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "deep" / "data")
    open_database(settings).close()
    assert (settings.data_dir / "flowstudio.db").is_file()


def test_a_closed_database_leaves_one_file(tmp_path: Path) -> None:
    open_database(Settings(data_dir=tmp_path)).close()
    assert [each.name for each in tmp_path.iterdir()] == ["flowstudio.db"]


def test_a_path_with_odd_characters_is_taken_as_it_is(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "a b%20#?é")
    open_database(settings).close()
    assert (settings.data_dir / "flowstudio.db").is_file()


def test_database_url_wins_over_the_file(tmp_path: Path) -> None:
    assert database_url(Settings(data_dir=tmp_path, database_url="postgresql://h/d")) == "postgresql://h/d"


def test_another_process_holding_the_file_is_a_sentence(sqlite: Database) -> None:
    other = sqlite3.connect(sqlite.place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLockedError, match=r"flow\.db.*Close other programs"):
        put(sqlite, "a")
    other.execute("ROLLBACK")
    other.close()
    put(sqlite, "a")


def test_a_server_that_is_not_there_is_a_sentence_without_the_password() -> None:
    database = Database("postgresql://me:hidden@127.0.0.1:9/flow")
    with pytest.raises(UnreachableError) as caught:
        database.upgrade()
    database.close()
    assert "127.0.0.1:9/flow" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert not database.health()


def test_a_wrong_database_name_says_so(postgres_url: str) -> None:
    database = Database(postgres_url.replace("/postgres?", "/nowhere?"))
    with pytest.raises(UnreachableError, match="refused the sign-in"):
        database.upgrade()
    database.close()


@pytest.mark.parametrize("url", ["mysql://h/d", "nonsense", "postgresql+asyncpg://h/d"])
def test_an_address_without_a_driver_is_a_sentence(url: str) -> None:
    with pytest.raises(StorageError, match="postgresql://"):
        Database(url)


def test_the_old_scheme_of_postgres_is_understood(postgres_url: str) -> None:
    database = Database(postgres_url.replace("postgresql://", "postgres://"))
    assert database.health()
    database.close()


def test_a_connection_that_the_server_cut_is_replaced(postgres_schema: str) -> None:
    database = Database(postgres_schema)
    assert database.health()
    other = Database(postgres_schema)
    with other.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
    assert database.health()
    database.close()
    other.close()


def test_rows_come_as_the_driver_has_them_and_see_what_is_committed(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(insert(meta), {"key": "a", "value": "1"})
        assert database.rows("SELECT key, value FROM meta WHERE key = 'a'", ()) == []
    assert [tuple(row) for row in database.rows("SELECT key, value FROM meta WHERE key = 'a'", ())] == [("a", "1")]


def test_a_query_that_the_world_stops_is_a_sentence(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/none/flow.db")
    with pytest.raises(StorageError, match="cannot be opened"):
        database.rows("SELECT 1", ())
