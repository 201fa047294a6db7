"""What every SQLite connection is told before its first use. Source: sqlite.org/pragma.html."""

import sqlite3
import threading
from collections.abc import Sequence
from time import monotonic

WAL = "PRAGMA journal_mode = WAL"
SHRINKABLE = "PRAGMA auto_vacuum = INCREMENTAL"
"""Lets the file give free pages back. Before WAL, which writes the first page: after that only a VACUUM changes it."""
PAUSE_S = 0.005


def pragmas(synchronous: str) -> tuple[str, ...]:
    """In order. synchronous: FULL or NORMAL. fullfsync is for macOS alone, where fsync does not reach the platter."""
    if synchronous not in ("FULL", "NORMAL"):
        raise ValueError(f"synchronous is FULL or NORMAL, not {synchronous!r}")
    return (
        f"PRAGMA synchronous = {synchronous}",
        f"PRAGMA fullfsync = {int(synchronous == 'FULL')}",
        "PRAGMA foreign_keys = ON",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA journal_size_limit = 67108864",
    )


def prepare(connection: sqlite3.Connection, statements: Sequence[str], patience_s: float) -> None:
    """Sets them, or closes the connection and raises."""
    try:
        if connection.execute("PRAGMA page_count").fetchone()[0] == 0:  # a file that has pages would be written to
            connection.execute(SHRINKABLE)
        _switch_to_wal(connection, patience_s)
        for statement in statements:
            connection.execute(statement)
    except sqlite3.Error:
        connection.close()
        raise


def _switch_to_wal(connection: sqlite3.Connection, patience_s: float) -> None:
    """The first connection ever turns the file to WAL; SQLite does not wait when two try at once, so this does."""
    deadline = monotonic() + patience_s
    pause = threading.Event()
    while True:
        try:
            connection.execute(WAL)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
        pause.wait(PAUSE_S)
