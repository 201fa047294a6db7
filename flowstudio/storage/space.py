"""How large a database is, and how it gives room back; SQLite and PostgreSQL differ in both."""

import logging
import os
import shutil
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any, Protocol

from sqlalchemy import Connection, func, select

from flowstudio.storage.database import Database
from flowstudio.storage.pace import Pace
from flowstudio.storage.tables import exchanges, execution_logs, metadata, plan_revisions, run_log_lines, step_runs
from flowstudio.workspace.errors import StorageError

log = logging.getLogger(__name__)

PAGES = 200
"""Pages given back in the first transaction; the pace finds out how many this disk takes in time."""

ROW_BYTES = 120
"""What a row costs on PostgreSQL beside its texts: its header, its short columns, its places in indexes."""

_TEXTS = (
    (step_runs, (step_runs.c.output, step_runs.c.metadata, step_runs.c.failure, step_runs.c.message)),
    (execution_logs, (execution_logs.c.trigger_data, execution_logs.c.output, execution_logs.c.failure)),
    (run_log_lines, (run_log_lines.c.text,)),
    (exchanges, (exchanges.c.document,)),
    (plan_revisions, (plan_revisions.c.document,)),
)


class Space(Protocol):
    """note: what a person should know about how room comes back here."""

    @property
    def note(self) -> str: ...

    def on_disk(self) -> int:
        """Bytes, with what holds nothing at the moment."""
        ...

    def free(self) -> int:
        """Bytes within them that hold nothing."""
        ...

    def live(self) -> int:
        """Bytes that hold something: what falls at once when rows are deleted."""
        ...

    def give_back(self, stop: Event, pace: Pace) -> None:
        """Returns free room to the disk, where that is ours to do."""
        ...


def space_of(database: Database) -> Space:
    return SqliteSpace(database) if database.is_sqlite else PostgresSpace(database)


class SqliteSpace:
    """One file and its write-ahead log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file = database.place

    @property
    def note(self) -> str:
        if self._pragma("auto_vacuum"):
            return ""
        return "The file cannot give free pages back yet; it is rebuilt at the next start that finds room for a copy."

    def on_disk(self) -> int:
        return sum(_size(f"{self._file}{ending}") for ending in ("", "-wal"))

    def free(self) -> int:
        return self._pragma("freelist_count") * self._pragma("page_size")

    def live(self) -> int:
        pages, free = self._pragma("page_count"), self._pragma("freelist_count")
        return (pages - free) * self._pragma("page_size")

    def give_back(self, stop: Event, pace: Pace) -> None:
        """Moves free pages to the end of the file and cuts it, then empties the write-ahead log into it."""
        if not self._pragma("auto_vacuum"):
            return
        pace.begin(PAGES)
        while not stop.is_set() and self._pragma("freelist_count"):
            with pace.step(stop), self._database.outside_transactions() as connection:
                # SQLite frees one page each time it is asked to go on, and only executescript asks to the end.
                connection.executescript(f"BEGIN IMMEDIATE; PRAGMA incremental_vacuum({pace.size}); COMMIT")
        if not stop.is_set():
            self._truncate_log()

    def _truncate_log(self) -> None:
        """Best effort: somebody who reads just now keeps the log as it is until the next cleaning.

        Who truncates keeps writers waiting for as long as readers keep it waiting, so its patience is short.
        """
        with self._database.outside_transactions() as connection:
            connection.execute("PRAGMA busy_timeout = 5")
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _pragma(self, name: str) -> int:
        return int(self._database.rows(f"PRAGMA {name}", ())[0][0])


def make_shrinkable(database: Database) -> None:
    """Rebuilds a SQLite file from before it could shrink, once. One that cannot be rebuilt now works on as it is."""
    if not database.is_sqlite or database.rows("PRAGMA auto_vacuum", ())[0][0]:
        return
    size, started = _size(database.place), perf_counter()
    if shutil.disk_usage(Path(database.place).parent).free < 2 * size:
        log.info("The database keeps its free pages: there is no room to rebuild it")
        return
    try:
        with database.outside_transactions() as connection:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA temp_store = FILE")  # the copy must not be made in memory
            connection.execute("VACUUM")
    except StorageError as error:
        log.info("The database keeps its free pages for now: %s", error)
        return
    log.info("The database was rebuilt so that it can shrink: %d bytes, %.1f s", size, perf_counter() - started)


class PostgresSpace:
    """The tables with their indexes. The server itself decides when pages go back to the disk."""

    note: str = (
        "PostgreSQL uses the room of deleted runs again, and autovacuum frees it; files shrink only by VACUUM FULL, "
        "which locks the tables and is left to the server's owner."
    )

    def __init__(self, database: Database) -> None:
        self._database = database

    def on_disk(self) -> int:
        names = ", ".join(f"('{table.name}')" for table in metadata.sorted_tables)
        query = f"SELECT sum(pg_total_relation_size(name::regclass)) FROM (VALUES {names}) AS tables (name)"  # noqa: S608
        return int(self._database.rows(query, ())[0][0] or 0)

    def free(self) -> int:
        return max(0, self.on_disk() - self.live())

    def live(self) -> int:
        """Added up from the rows: what the files hold does not tell, and statistics lag behind."""
        with self._database.reading() as connection:
            return sum(self._table_bytes(connection, table, texts) for table, texts in _TEXTS)

    def give_back(self, stop: Event, pace: Pace) -> None:
        """Left to autovacuum."""

    def _table_bytes(self, connection: Connection, table: Any, texts: Any) -> int:
        stored = sum((func.coalesce(func.pg_column_size(text), 0) for text in texts), ROW_BYTES)
        return int(connection.execute(select(func.coalesce(func.sum(stored), 0)).select_from(table)).scalar_one())


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
