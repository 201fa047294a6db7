"""Runs and their journal. `write` is the hot path: prepared statements, one for all steps, one for all new runs.

Promises: a step row is idempotent by (run, step, iteration). A result that is final stays, whatever arrives later; one
that is waiting or running gives way. A run that ended stays ended. So a writer that repeats a batch whose answer it
never heard changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from sys import intern
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, bindparam, func, select, text, update
from sqlalchemy.sql.dml import Insert, Update

from flowstudio.engine.events import LogWritten
from flowstudio.engine.model import IterationPath, Run, RunState, StepRun, StepState
from flowstudio.engine.ports import Exchange, Note, RunChange
from flowstudio.plan.model import Plan
from flowstudio.storage.database import Database
from flowstudio.storage.exchange_store import SqlExchanges
from flowstudio.storage.log_store import SqlRunLog
from flowstudio.storage.payload_store import PayloadFiles
from flowstudio.storage.payload_uses import PayloadUses
from flowstudio.storage.plan_cache import PlanCache
from flowstudio.storage.prepared import Prepared, PreparedInsert
from flowstudio.storage.run_rows import (
    after,
    change_row,
    iteration_path,
    iteration_text,
    revision_row,
    run_of,
    run_row,
    step_of,
    step_row,
)
from flowstudio.storage.tables import RESUMABLE, UNFINISHED, execution_logs, plan_revisions, step_runs
from flowstudio.workspace.run_log import Level, LogLine

IS_OPEN = "step_runs.state IN ('running', 'waiting')"
FINAL_STEPS = frozenset(StepState) - {StepState.RUNNING, StepState.WAITING}

STEP_OUTPUT = list(step_runs.c).index(step_runs.c.output)
RUN_VALUES = tuple(
    list(execution_logs.c).index(column) for column in (execution_logs.c.trigger_data, execution_logs.c.output)
)
"""Where in a row the values stand that may lie in files."""

StepKey = tuple[str, str, IterationPath]


class SqlRunStore:
    """The engine's RunStore and the workspace's RunHistory. Thread-safe.

    files: where the large parts of values lie. They are brought when somebody looks into them, not with their rows.
    """

    def __init__(self, database: Database, files: PayloadFiles | None = None) -> None:
        self._database = database
        self._payload_of = files.named if files is not None else None
        self._uses = PayloadUses(database, files)
        self._plans = PlanCache()
        self._log = SqlRunLog(database)
        self._exchanges = SqlExchanges(database)
        dialect = database.engine.dialect
        self._insert_steps = PreparedInsert(_step_upsert(database), dialect)
        self._change_run = Prepared(_run_change(), dialect)
        self._insert_revisions = PreparedInsert(self._insert_new(plan_revisions), dialect)
        insert_run = self._insert_new(execution_logs).returning(execution_logs.c.id)
        self._insert_runs = PreparedInsert(insert_run, dialect)
        steps = step_runs.c
        of_run = select(step_runs).where(steps.run_id == bindparam("run"))
        this_one = (steps.step_id == bindparam("step")) & (steps.iteration == bindparam("iteration_text"))
        self._steps_of_run = Prepared(of_run.order_by(steps.sequence), dialect)
        self._one_step = Prepared(of_run.where(this_one), dialect)

    def create(self, run: Run) -> bool:
        """Stores a new run with the plan it executes; False when its id exists already, whoever owns it."""
        return run.id in self.write((), (run,))

    def write(
        self,
        entries: Sequence[StepRun | RunChange | Note],
        new_runs: Sequence[Run] = (),
        seeds: Sequence[StepRun] = (),
    ) -> frozenset[str]:
        """All in one transaction, durable on return; the ids of the runs that were not there before."""
        steps = [entry for entry in entries if isinstance(entry, StepRun)]
        changes = [entry for entry in entries if isinstance(entry, RunChange)]
        lines = [entry for entry in entries if isinstance(entry, LogWritten)]
        kept = [entry for entry in entries if isinstance(entry, Exchange)]
        last: dict[str, int] = {}
        with self._database.writing() as cursor:
            new: frozenset[str] = frozenset()
            if new_runs:
                new = self._insert_new_runs(cursor, _begun(new_runs, changes))
                changes = [change for change in changes if change.run_id not in new]
                steps = [*(seed for seed in seeds if seed.run_id in new), *steps]
            if steps:
                rows = [step_row(step) for step in _latest(steps)]
                self._uses.add(cursor, ((row[0], row[STEP_OUTPUT]) for row in rows))
                self._insert_steps.execute(cursor, rows)
            if changes:
                changed = [change_row(change) for change in changes]
                self._uses.add(cursor, ((row["run"], row["output_new"]) for row in changed))
                self._change_run.execute_each(cursor, changed)
            if lines:
                last = self._log.write(cursor, lines)
            if kept:
                self._exchanges.write(cursor, kept)
        self._log.remember(last)
        return new

    def get(self, run_id: str) -> Run | None:
        with self._database.reading() as connection:
            return self._one(connection, select(execution_logs).where(execution_logs.c.id == run_id))

    def find(self, user_id: str, run_id: str) -> Run | None:
        """The run if it is the user's own."""
        mine = (execution_logs.c.id == run_id) & (execution_logs.c.user_id == user_id)
        with self._database.reading(user_id) as connection:
            return self._one(connection, select(execution_logs).where(mine))

    def find_by_resume_key(self, key: str) -> Run | None:
        """The run, of any user, that a call with this key resumes."""
        query = select(execution_logs).where(text(RESUMABLE), execution_logs.c.resume_key == key)
        with self._database.reading() as connection:
            return self._one(connection, query)

    def list_runs(
        self, user_id: str, *, plan_id: str | None = None, limit: int = 100, state: RunState | None = None
    ) -> list[Run]:
        """Newest first."""
        runs = execution_logs.c
        query = select(execution_logs).where(runs.user_id == user_id)
        if plan_id is not None:
            query = query.where(runs.plan_id == plan_id)
        if state is not None:
            query = query.where(runs.state == state.value)
        query = query.order_by(runs.created_at.desc(), runs.id.desc()).limit(max(0, limit))
        with self._database.reading(user_id) as connection:
            return self._many(connection, query)

    def unfinished(self) -> list[Run]:
        """Runs of all users that are not over, oldest first."""
        query = select(execution_logs).where(text(UNFINISHED)).order_by(execution_logs.c.created_at)
        with self._database.reading() as connection:
            return self._many(connection, query)

    def unfinished_of(self, user_id: str) -> list[Run]:
        """The user's runs that are not over, oldest first."""
        mine = select(execution_logs).where(text(UNFINISHED), execution_logs.c.user_id == user_id)
        with self._database.reading(user_id) as connection:
            return self._many(connection, mine.order_by(execution_logs.c.created_at))

    def step_runs(self, run_id: str) -> list[StepRun]:
        """In order of sequence."""
        query = self._steps_of_run
        return [step_of(self._payload_of, *row) for row in self._database.rows(query.text, query.row({"run": run_id}))]

    def step_run(self, run_id: str, step_id: str, iteration: IterationPath) -> StepRun | None:
        query = self._one_step
        key = {"run": run_id, "step": step_id, "iteration_text": iteration_text(iteration)}
        return next((step_of(self._payload_of, *row) for row in self._database.rows(query.text, query.row(key))), None)

    def each_step_run(self, run_id: str) -> Iterator[StepRun]:
        """As step_runs, one at a time: their keys are in memory, their values are not."""
        steps = step_runs.c
        keys = select(steps.step_id, steps.iteration).where(steps.run_id == run_id).order_by(steps.sequence)
        with self._database.reading() as connection:
            known = [(intern(step_id), iteration) for step_id, iteration in connection.execute(keys)]
        found = (self.step_run(run_id, step_id, iteration_path(iteration)) for step_id, iteration in known)
        return (each for each in found if each is not None)

    def log_lines(self, run_id: str, level: Level, after: int, limit: int) -> Sequence[LogLine]:
        return self._log.read(run_id, level, after, limit)

    def exchanges(self, run_id: str) -> Iterator[Exchange]:
        return self._exchanges.read(run_id)

    def counts(self, user_id: str) -> Mapping[str, int]:
        """Run state -> how many."""
        state = execution_logs.c.state
        query = select(state, func.count()).where(execution_logs.c.user_id == user_id).group_by(state)
        with self._database.reading(user_id) as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def _insert_new_runs(self, cursor: Any, runs: Sequence[Run]) -> frozenset[str]:
        revisions: dict[tuple[str, str], tuple[Any, ...]] = {}
        rows = []
        for run in runs:
            stored = self._plans.stored(run.plan)
            if (run.user_id, stored.hash) not in revisions:
                revisions[run.user_id, stored.hash] = revision_row(run, stored)
            rows.append(run_row(run, stored.hash))
        self._insert_revisions.execute(cursor, list(revisions.values()))
        new = frozenset(run_id for (run_id,) in self._insert_runs.execute(cursor, rows))
        self._uses.add(cursor, ((row[0], row[each]) for row in rows if row[0] in new for each in RUN_VALUES))
        return new

    def _insert_new(self, table: Table) -> Insert:
        insert: Insert = self._database.insert(table).on_conflict_do_nothing()
        return insert

    def _one(self, connection: Connection, query: Select[Any]) -> Run | None:
        return next(iter(self._many(connection, query)), None)

    def _many(self, connection: Connection, query: Select[Any]) -> list[Run]:
        rows = connection.execute(query).mappings().all()
        return [run_of(row, self._plan(connection, row), self._payload_of) for row in rows]

    def _plan(self, connection: Connection, row: RowMapping) -> Plan:
        """The revision a run executes. A run taken over from the old service has none, only the plan's id and name."""
        user_id, revision = row["user_id"], row["plan_hash"]
        if revision is None:
            return Plan(id=row["plan_id"], name=row["plan_name"])
        query = select(plan_revisions.c.document).filter_by(user_id=user_id, hash=revision)
        return self._plans.plan(user_id, revision, lambda: connection.execute(query).scalar_one())


def _begun(new_runs: Sequence[Run], changes: Sequence[RunChange]) -> list[Run]:
    """New runs as their changes in the same batch leave them.

    A short run is begun and ended in one batch: its row is then written once instead of three times. Of a run that
    turns out to be there already the changes are still to be made.
    """
    runs: dict[str, Run] = {}
    for run in new_runs:
        runs.setdefault(run.id, run)  # of two with one id the first is the new one
    for change in changes:
        if change.run_id in runs:
            runs[change.run_id] = after(runs[change.run_id], change)
    return list(runs.values())


def _latest(steps: Iterable[StepRun]) -> Iterable[StepRun]:
    """One result a step and iteration, by the same rule as the table's: PostgreSQL refuses two in one statement."""
    latest: dict[StepKey, StepRun] = {}
    for step in steps:
        key = (step.run_id, step.step_id, step.iteration)
        known = latest.get(key)
        if known is None or known.state not in FINAL_STEPS:
            latest[key] = step
    return latest.values()


def _step_upsert(database: Database) -> Insert:
    insert = database.insert(step_runs)
    keys = [column.name for column in step_runs.primary_key]
    changed = {column.name: insert.excluded[column.name] for column in step_runs.c if column.name not in keys}
    upsert: Insert = insert.on_conflict_do_update(index_elements=keys, set_=changed, where=text(IS_OPEN))
    return upsert


def _run_change() -> Update:
    runs = execution_logs.c
    return (
        update(execution_logs)
        .where(runs.id == bindparam("run"), text(UNFINISHED))
        .values(
            state=bindparam("state_new"),
            status=bindparam("status_new"),
            failure=bindparam("failure_new"),
            error_message=bindparam("error_new"),
            output=func.coalesce(bindparam("output_new", type_=runs.output.type), runs.output),
            started_at=func.coalesce(runs.started_at, bindparam("started_new", type_=runs.started_at.type)),
            completed_at=bindparam("completed_new"),
            options=func.coalesce(bindparam("options_new", type_=runs.options.type), runs.options),
        )
    )
