"""The driver's errors as sentences: one place where SQLite's result codes and PostgreSQL's SQLSTATEs are read.

Sources: sqlite.org/rescode.html; PostgreSQL manual, appendix A "Error Codes". Only the world's faults are translated;
a broken constraint or a wrong statement is a bug of ours and passes through as SQLAlchemy raised it.
"""

import errno
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from flowstudio.workspace.errors import (
    CorruptDatabaseError,
    DatabaseLockedError,
    DiskFullError,
    ReadOnlyError,
    StorageError,
    UnreachableError,
    UnstorableValueError,
)

Fault = Callable[[str], StorageError]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """How to build one error. {place} in sentence is the file, or the server without its password."""

    error: type[StorageError]
    sentence: str
    fix: str

    def __call__(self, place: str) -> StorageError:
        return self.error(self.sentence.format(place=place), fix=self.fix, facts={"database": place})


FULL = _Sentence(
    DiskFullError, "The disk is full: {place} could not be written.", "Free some space and try again; nothing was lost."
)
LOCKED = _Sentence(
    DatabaseLockedError,
    "Another program is holding {place}.",
    "Close other programs that have it open (a database browser, a backup) and try again.",
)
READ_ONLY = _Sentence(
    ReadOnlyError,
    "{place} may not be written.",
    "Give yourself write permission on the file and its folder, or choose another folder with FLOWSTUDIO_DATA_DIR.",
)
CANNOT_OPEN = _Sentence(
    ReadOnlyError,
    "{place} cannot be opened or created.",
    "Check that its folder exists and that you may write there, or choose another with FLOWSTUDIO_DATA_DIR.",
)
CORRUPT = _Sentence(
    CorruptDatabaseError, "{place} is damaged.", "Keep a copy of the file, then restore the latest backup in its place."
)
NOT_A_DATABASE = _Sentence(
    CorruptDatabaseError,
    "{place} is not a FlowStudio database.",
    "Move that file away, or choose another folder with FLOWSTUDIO_DATA_DIR.",
)
IO = _Sentence(
    StorageError, "The disk reported an error on {place}.", "Check the disk and its connection, then try again."
)
BUSY_POOL = _Sentence(
    DatabaseLockedError, "All connections to {place} are in use.", "Wait for running plans to finish and try again."
)
UNREACHABLE = _Sentence(
    UnreachableError,
    "The database server at {place} does not answer.",
    "Check that it is running and that DATABASE_URL names it rightly.",
)
REFUSED = _Sentence(
    UnreachableError,
    "The database server at {place} refused the sign-in.",
    "Check user, password and database name in DATABASE_URL.",
)
UNSTORABLE = _Sentence(
    UnstorableValueError,
    "A text holds a character that {place} cannot store.",
    "Remove NUL characters and halves of broken emoji from it.",
)

SQLITE_FAULTS = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_IOERR: IO,
    sqlite3.SQLITE_CORRUPT: CORRUPT,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_CANTOPEN: CANNOT_OPEN,
    sqlite3.SQLITE_NOTADB: NOT_A_DATABASE,
}

POSTGRES_FAULTS = {
    "53100": FULL,
    "53300": BUSY_POOL,
    "55P03": LOCKED,
    "40P01": LOCKED,
    "40001": LOCKED,
    "25006": READ_ONLY,
    "42501": READ_ONLY,
    "28": REFUSED,
    "3D": REFUSED,
    "08": UNREACHABLE,
    "57P": UNREACHABLE,
    "58": IO,
    "XX001": CORRUPT,
    "XX002": CORRUPT,
}
"""By SQLSTATE; a shorter key stands for its class."""


def storage_fault(error: Exception, place: str) -> StorageError | None:
    """The StorageError that error means, or None when it is no fault of the world."""
    if isinstance(error, PoolTimeoutError):
        return BUSY_POOL(place)
    if isinstance(error, StatementError) and isinstance(error.orig, StorageError):
        return type(error.orig)(error.orig.sentence, fix=error.orig.fix)  # a column type's own; SQLAlchemy wrapped it
    if isinstance(error, DBAPIError) and error.orig is not None:
        return _driver_fault(error.orig, place)
    if isinstance(error, sqlite3.Error) or hasattr(error, "pgcode"):
        return _driver_fault(error, place)
    if isinstance(error, OSError):
        return _folder_fault(error, place)
    if isinstance(error, UnicodeEncodeError) or (isinstance(error, ValueError) and "NUL" in str(error)):
        return UNSTORABLE(place)
    return None


def _driver_fault(original: BaseException, place: str) -> StorageError | None:
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None:
        fault = SQLITE_FAULTS.get(code & 0xFF)
        return fault(place) if fault else None
    if isinstance(original, sqlite3.Error | sqlite3.Warning):
        return None
    return _postgres_fault(original, place)


def _postgres_fault(original: BaseException, place: str) -> StorageError | None:
    state = getattr(original, "pgcode", None)
    if state is None:
        return _without_state(str(original), place)
    for length in (5, 3, 2):
        fault = POSTGRES_FAULTS.get(state[:length])
        if fault is not None:
            return fault(place)
    return None


def _without_state(text: str, place: str) -> StorageError | None:
    """psycopg2 gives no SQLSTATE for what happens before the session exists or when the socket breaks."""
    if "authentication failed" in text or "does not exist" in text:
        return REFUSED(place)
    if any(sign in text for sign in ("could not connect", "connection", "could not translate host name")):
        return UNREACHABLE(place)
    return None


def _folder_fault(error: OSError, place: str) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FULL(place)
    return CANNOT_OPEN(place)
