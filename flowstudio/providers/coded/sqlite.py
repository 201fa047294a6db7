"""sqlite.query: one SQL statement with bound parameters on a SQLite file, read-only unless the step says otherwise."""

import base64
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from flowstudio.plan.model import Json
from flowstudio.providers.coded.files.faults import told
from flowstudio.providers.coded.files.reading import path_of
from flowstudio.providers.coded.params import Params, as_text
from flowstudio.providers.errors import (
    ActionCancelledError,
    ActionTimeoutError,
    BadAnswerError,
    BadParamError,
    NotFoundError,
    ProviderError,
)
from flowstudio.providers.ports import ActionContext, Cancel
from flowstudio.providers.result import ProviderResult

Cell: TypeAlias = str | int | float | bytes | None

STEPS_BETWEEN_CHECKS: Final = 10_000
LOCK_WAIT_MS: Final = 50


class DatabaseFaultError(ProviderError):
    """SQLite refused: the statement, the file, or a lock."""

    code = "provider.database"


def query(ctx: ActionContext) -> ProviderResult:
    """Output: a list of objects, one a row; for a statement without rows {"changed", "last_id"}."""
    params = Params(ctx)
    path, sql = path_of(params, "path"), params.required_text("sql")
    read_only, limit = params.flag("read_only", True), params.integer("limit", 10_000, minimum=1)
    values = _bound(params.value("parameters"))
    guard = _Guard(ctx.call.cancel, ctx.limits.total_s)
    with closing(_connect(path, read_only, params)) as database, guard.watching(database), _told(path, guard):
        cursor = _executed(database, sql, values, guard)
        if cursor.description is None:
            database.commit()
            changed: dict[str, Json] = {"changed": max(cursor.rowcount, 0), "last_id": cursor.lastrowid}
            return ProviderResult(True, changed, f"{changed['changed']} rows changed in {path.name}")
        rows, more = _rows(cursor, limit, ctx.limits.max_bytes)
        database.commit()
    if more:
        ctx.log("warning", f"Only the first {limit} rows are returned; the query has more.")
    return ProviderResult(True, rows, f"{len(rows)} rows from {path.name}", {"truncated": more})


class _Guard:
    """Interrupts the statement when the run is cancelled or its time is up, and knows which."""

    def __init__(self, cancel: Cancel, total_s: float) -> None:
        self._cancel = cancel
        self._end = time.monotonic() + total_s
        self._total_s = total_s

    @property
    def is_cancelled(self) -> bool:
        return self._cancel.is_set

    @property
    def is_over(self) -> bool:
        return self.is_cancelled or time.monotonic() > self._end

    @contextmanager
    def watching(self, database: sqlite3.Connection) -> Iterator[None]:
        database.set_progress_handler(lambda: self.is_over, STEPS_BETWEEN_CHECKS)
        forget = self._cancel.on_cancel(lambda: _interrupt(database))
        try:
            yield
        finally:
            forget()

    def wait_for_lock(self) -> None:
        """Waits a moment before the next try, or not at all when it is over."""
        self._cancel.wait(LOCK_WAIT_MS / 1000)

    def fault(self) -> ProviderError:
        if self.is_cancelled:
            return ActionCancelledError("The query was cancelled.")
        fix = "Add an index, ask for less, or raise the step's time limit."
        return ActionTimeoutError(f"The query took longer than {self._total_s:g} s.", fix=fix)


def _interrupt(database: sqlite3.Connection) -> None:
    with suppress(sqlite3.ProgrammingError):  # closed a moment ago: the statement has ended
        database.interrupt()


def _connect(path: Path, read_only: bool, params: Params) -> sqlite3.Connection:
    """A connection of this call alone; rw never makes a file unless the step allows it."""
    create = not read_only and params.flag("create", False)
    with told(path, "opened"):
        if not path.exists() and not create:
            raise NotFoundError(f"There is no database file {path}.", fix="Check the path, or allow it to be made.")
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
    mode = "ro" if read_only else "rwc" if create else "rw"
    try:
        # Cancel comes from another thread; interrupt() is the one call made there. Locks are waited for in _executed.
        return sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, timeout=0, check_same_thread=False)
    except sqlite3.Error as error:
        raise DatabaseFaultError(f"{path.name} cannot be opened: {error}.") from error


def _executed(
    database: sqlite3.Connection, sql: str, values: "list[Cell] | dict[str, Cell]", guard: _Guard
) -> sqlite3.Cursor:
    """The statement, started; a locked database is waited for until the guard's end."""
    database.set_authorizer(_authorize)
    while True:
        try:
            return database.execute(sql, values)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or guard.is_over:
                raise
            guard.wait_for_lock()


def _authorize(action: int, *_details: object) -> int:
    """No ATTACH: it would reach, and make, files the step does not name."""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK


def _rows(cursor: sqlite3.Cursor, limit: int, max_bytes: int) -> tuple[list[Json], bool]:
    """At most `limit` rows, and whether there are more."""
    names = _unique([column[0] for column in cursor.description])
    rows: list[Json] = []
    size = 0
    for row in cursor:
        if len(rows) == limit:
            return rows, True
        size += sum(len(cell) if isinstance(cell, str | bytes) else 8 for cell in row)
        if size > max_bytes:
            limit_mb = max_bytes / 1024 / 1024
            raise BadAnswerError(f"The rows take more than {limit_mb:.0f} MB.", fix="Select fewer columns or rows.")
        rows.append(dict(zip(names, map(_json, row), strict=True)))
    return rows, False


def _json(cell: Cell) -> Json:
    """Blobs as base64, numbers JSON does not have as null."""
    if isinstance(cell, bytes):
        return base64.b64encode(cell).decode("ascii")
    if isinstance(cell, float) and abs(cell) == float("inf"):
        return None
    return cell


def _unique(names: list[str]) -> list[str]:
    """`a, a` as `a, a_2`: a join would lose columns otherwise."""
    result: list[str] = []
    for position, name in enumerate(names, start=1):
        result.append(name if name not in result else f"{name}_{position}")
    return result


def _bound(value: Json) -> "list[Cell] | dict[str, Cell]":
    """Parameters for ? (a list) or :name (an object). Lists and objects inside are bound as JSON text."""
    if value is None or value == "":
        return []
    if isinstance(value, Mapping):
        return {name: _cell(each) for name, each in value.items()}
    return [_cell(each) for each in value] if isinstance(value, list) else [_cell(value)]


def _cell(value: Json) -> Cell:
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, float | str):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    return as_text(value)


@contextmanager
def _told(path: Path, guard: _Guard) -> Iterator[None]:
    """SQLite's errors as sentences."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith("SQLITE_INTERRUPT") or guard.is_cancelled:
            raise guard.fault() from None
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            sentence = f"{path.name} is locked by another program."
            raise DatabaseFaultError(sentence, fix="Try again when it is done.", retryable=True) from error
        raise _refusal(error, name, path) from error
    except UnicodeEncodeError:
        sentence = "The statement or a parameter holds half of a character pair, which SQLite cannot store."
        raise BadParamError(sentence) from None


def _refusal(error: sqlite3.Error, name: str, path: Path) -> ProviderError:
    facts = {"sqlite": name or type(error).__name__}
    if name.startswith("SQLITE_READONLY"):
        fix = "Switch “Only read” off if the step is meant to change the database."
        return DatabaseFaultError(f"{path.name} is open for reading only.", fix=fix, facts=facts)
    if name.startswith("SQLITE_FULL"):
        return DatabaseFaultError(
            f"The disk is full: {path.name} was not changed.", fix="Free some space.", facts=facts
        )
    if name.startswith("SQLITE_NOTADB"):
        return BadParamError(f"{path.name} is not a SQLite database.", facts=facts)
    if name.startswith("SQLITE_AUTH"):
        return BadParamError("The statement may not attach other database files.", facts=facts)
    if isinstance(error, sqlite3.ProgrammingError):
        return BadParamError(f"The parameters do not fit the statement: {str(error).rstrip('.')}.", facts=facts)
    if name.startswith("SQLITE_CONSTRAINT"):
        return DatabaseFaultError(f"{path.name} refused the change: {error}.", facts=facts)
    return BadParamError(f"The SQL does not work on {path.name}: {str(error).rstrip('.')}.", facts=facts)
