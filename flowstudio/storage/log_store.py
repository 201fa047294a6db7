"""Lines of runs' logs: written by the journal's writer in its own transaction, read a page at a time.

A run keeps its first LINES lines. Those after them are only counted: one more line says how many there were, and its
sequence does so too (LINES + how many), so that a restart goes on counting.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from flowstudio.engine.events import LogWritten
from flowstudio.storage.columns import storable_text, to_micros
from flowstudio.storage.database import Database
from flowstudio.storage.prepared import Prepared, PreparedInsert
from flowstudio.storage.run_rows import iteration_path, iteration_text
from flowstudio.storage.tables import run_log_lines
from flowstudio.workspace.run_log import Level, LogLine

LINES = 10_000
LONGEST = 8000
"""Characters of one line."""

RUNS_REMEMBERED = 4096

Row = tuple[Any, ...]


class SqlRunLog:
    """Thread-safe for readers; `write` belongs to the journal's thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last: OrderedDict[str, int] = OrderedDict()
        dialect = database.engine.dialect
        columns, of_run = run_log_lines.c, run_log_lines.c.run_id == bindparam("run")
        self._insert = PreparedInsert(database.insert(run_log_lines).on_conflict_do_nothing(), dialect)
        self._find_last = Prepared(select(func.max(columns.sequence)).where(of_run), dialect)
        self._remove_count = Prepared(
            delete(run_log_lines).where(of_run, columns.sequence > bindparam("kept")), dialect
        )

    def write(self, cursor: Any, lines: Sequence[LogWritten]) -> dict[str, int]:
        """Inserts the lines; what is to be remembered once they are durable: run -> its last sequence.

        Who repeats a batch whose commit it never heard of gives the same lines the same sequences.
        """
        last: dict[str, int] = {}
        rows = []
        for line in lines:
            if line.run_id not in last:
                last[line.run_id] = self._last_of(cursor, line.run_id)
            last[line.run_id] += 1
            if last[line.run_id] <= LINES:
                rows.append(_row(line, last[line.run_id]))
        self._insert.execute(cursor, rows)
        for run_id in dict.fromkeys(line.run_id for line in lines if last[line.run_id] > LINES):
            self._count(cursor, run_id, last[run_id], lines)
        return last

    def remember(self, last: dict[str, int]) -> None:
        self._last |= last
        for run_id in last:
            self._last.move_to_end(run_id)
        while len(self._last) > RUNS_REMEMBERED:
            self._last.popitem(last=False)

    def read(self, run_id: str, level: Level, after: int, limit: int) -> Sequence[LogLine]:
        """Lines of that level and above, from the one after that sequence on."""
        lines = run_log_lines.c
        wanted = (lines.run_id == run_id) & (lines.sequence > after) & lines.level.in_(level.and_above)
        query = select(run_log_lines).where(wanted).order_by(lines.sequence).limit(limit)
        with self._database.reading() as connection:
            return [
                LogLine(row.sequence, row.at, row.level, row.text, row.step_id, iteration_path(row.iteration))
                for row in connection.execute(query)
            ]

    def _last_of(self, cursor: Any, run_id: str) -> int:
        if run_id not in self._last:
            cursor.execute(self._find_last.text, self._find_last.row({"run": run_id}))
            self._last[run_id] = cursor.fetchone()[0] or 0
        return self._last[run_id]

    def _count(self, cursor: Any, run_id: str, last: int, lines: Sequence[LogWritten]) -> None:
        at = max(line.at for line in lines if line.run_id == run_id)
        left_out = last - LINES
        noun = "line was" if left_out == 1 else "lines were"
        text = f"{left_out} more {noun} left out: the history keeps the first {LINES} of a run."
        self._remove_count.execute_each(cursor, [{"run": run_id, "kept": LINES}])
        self._insert.execute(cursor, [_row(LogWritten(run_id, at, "warning", text), last)])


def _row(line: LogWritten, sequence: int) -> Row:
    """In the order of the table's columns."""
    text = line.text if len(line.text) <= LONGEST else f"{line.text[: LONGEST - 1]}…"
    return (
        line.run_id,
        sequence,
        to_micros(line.at),
        line.level,
        line.step_id,
        iteration_text(line.iteration),
        storable_text(text),
    )
