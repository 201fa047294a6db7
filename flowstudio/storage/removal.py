"""Takes runs out of the history in small transactions, with all that hangs on them."""

from collections.abc import Sequence
from itertools import islice
from threading import Event

from sqlalchemy import Table, delete, exists, func, select, tuple_
from sqlalchemy.sql.elements import ColumnElement, Tuple

from flowstudio.storage.database import Database
from flowstudio.storage.pace import Pace
from flowstudio.storage.tables import exchanges, execution_logs, plan_revisions, run_log_lines, step_runs

ROWS = 200
"""Rows in the first transaction; the pace finds out how many this disk takes in time."""

REVISIONS = 50
MOST_RUNS = 500
"""SQLite takes 32,766 values in a statement; this is far below and still few statements."""

_KEYS = {
    step_runs: (step_runs.c.step_id, step_runs.c.iteration),
    run_log_lines: (run_log_lines.c.sequence,),
    exchanges: (exchanges.c.at, exchanges.c.step_id, exchanges.c.iteration),
}
"""What hangs on a run by the thousand, and what its primary key has beside the run."""


class Removal:
    """One cleaning's deletions. A crash in the midst leaves a run that lacks steps; it is the next to go anyway."""

    def __init__(self, database: Database, stop: Event, pace: Pace) -> None:
        self._database = database
        self._stop = stop
        self._pace = pace
        self.runs = 0
        self.revisions = 0

    def remove(self, run_ids: Sequence[str]) -> None:
        """These runs, in this order, until told to stop. Their payloads' uses go with them."""
        self._pace.begin(ROWS)
        waiting = iter(run_ids)
        while not self._stop.is_set() and (some := list(islice(waiting, MOST_RUNS))):
            sizes = self._sizes(some)
            while sizes and not self._stop.is_set():
                self._remove_some(sizes)

    def remove_unused_revisions(self) -> None:
        """Plan revisions that no run executes any more."""
        self._pace.begin(REVISIONS)
        found = 1
        while found and not self._stop.is_set():
            with self._pace.step(self._stop), self._database.begin() as connection:
                if not self._database.is_sqlite:
                    # A new run first makes sure of its revision and then refers to it: neither may be half-way now.
                    connection.exec_driver_sql("LOCK TABLE plan_revisions IN SHARE ROW EXCLUSIVE MODE")
                keys = select(*plan_revisions.primary_key).where(is_unused()).limit(self._pace.size)
                found = connection.execute(delete(plan_revisions).where(_key(plan_revisions).in_(keys))).rowcount
            self.revisions += found

    def _sizes(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Run -> its rows, in the order given."""
        sizes = dict.fromkeys(run_ids, 1)
        with self._database.reading() as connection:
            for table in _KEYS:
                run = table.c.run_id
                query = select(run, func.count()).where(run.in_(run_ids)).group_by(run)
                for run_id, count in connection.execute(query):
                    sizes[run_id] += count
        return sizes

    def _remove_some(self, sizes: dict[str, int]) -> None:
        """As many whole runs as fit the pace; the rows of one that does not, a part at a time."""
        first = next(iter(sizes))
        if sizes[first] > self._pace.size:
            sizes[first] -= self._thin(first)
            return
        whole, rows = [], 0
        for run_id, size in sizes.items():
            rows += size
            if rows > self._pace.size:
                break
            whole.append(run_id)
        with self._pace.step(self._stop), self._database.begin() as connection:
            for table in _KEYS:
                connection.execute(delete(table).where(table.c.run_id.in_(whole)))
            connection.execute(delete(execution_logs).where(execution_logs.c.id.in_(whole)))
        for run_id in whole:
            del sizes[run_id]
        self.runs += len(whole)

    def _thin(self, run_id: str) -> int:
        """Takes rows off a long run; how many."""
        for table, columns in _KEYS.items():
            some = select(*columns).where(table.c.run_id == run_id).limit(self._pace.size)
            of_run = (table.c.run_id == run_id) & tuple_(*columns).in_(some)
            with self._pace.step(self._stop), self._database.begin() as connection:
                gone = connection.execute(delete(table).where(of_run)).rowcount
            if gone:
                return gone
        return MOST_RUNS  # another process took them meanwhile: go on with the run itself


def is_unused() -> ColumnElement[bool]:
    """Of a plan revision."""
    runs, revisions = execution_logs.c, plan_revisions.c
    used = (runs.user_id == revisions.user_id) & (runs.plan_hash == revisions.hash)
    return ~exists(select(1).where(used))


def _key(table: Table) -> Tuple:
    return tuple_(*table.primary_key)
