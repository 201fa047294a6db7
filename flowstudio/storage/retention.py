"""What the history keeps: limits of age, of number and of size, and the report of what there is."""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from threading import Event
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, exists, func, select, tuple_, type_coerce
from sqlalchemy.orm import aliased

from flowstudio.engine.model import FINAL_STATES
from flowstudio.engine.ports import Clock
from flowstudio.plan.document import from_document
from flowstudio.plan.errors import DocumentError
from flowstudio.plan.model import PlanSettings
from flowstudio.storage.database import Database
from flowstudio.storage.pace import Pace
from flowstudio.storage.removal import Removal, is_unused
from flowstudio.storage.space import space_of
from flowstudio.storage.tables import (
    execution_logs,
    execution_plans,
    payloads,
    plan_revisions,
    run_log_lines,
    step_runs,
)
from flowstudio.workspace.history_space import Cleaned, HistoryLimits, PlanShare, StorageReport

log = logging.getLogger(__name__)

SLACK = 0.9
"""A history that outgrew its cap is cleaned to this part of it, or each new run would ask for a cleaning."""

FIRST_PART = 10
LOOK_AHEAD = 5000
"""Most runs chosen at once: choosing reads every run's row."""

KEEPS = '"keep_'
"""In the document of every plan that says how much of it is to be kept."""

PlanKey = tuple[str, str]


class Retention:
    """workspace.history_space.HistorySpace. Thread-safe; two processes may clean at once."""

    def __init__(
        self, database: Database, limits: HistoryLimits, collect_payloads: Callable[[], object], clock: Clock
    ) -> None:
        """collect_payloads removes the payload files that no run uses any more."""
        self._database = database
        self._limits = limits
        self._collect_payloads = collect_payloads
        self._clock = clock
        self._space = space_of(database)
        self._after_last = 0

    def is_over(self) -> bool:
        """What it was cleaned to counts too: a database whose files do not shrink is not over its cap for ever."""
        cap = self._limits.max_bytes
        return bool(cap) and self._on_disk() > max(cap, self._after_last)

    def clean(self, stop: Event) -> Cleaned:
        before, pace = self._on_disk(), Pace()
        removal = Removal(self._database, stop, pace)
        self._remove_by_age_and_number(removal, stop)
        self._remove_by_size(removal, stop)
        removal.remove_unused_revisions()
        self._collect_payloads()
        self._space.give_back(stop, pace)
        after = self._on_disk()
        if not stop.is_set():
            self._after_last = after
        if removal.runs:
            log.info("%d old runs were removed: %d bytes before, %d after", removal.runs, before, after)
        return Cleaned(removal.runs, removal.revisions, before, after, round(pace.longest_ms, 1), not stop.is_set())

    def report(self) -> StorageReport:
        with self._database.reading() as connection:
            unused = select(func.count()).select_from(plan_revisions).where(is_unused())
            oldest = select(func.min(execution_logs.c.created_at))
            sizes = select(func.coalesce(func.sum(payloads.c.size), 0), func.count()).select_from(payloads)
            payload_bytes, payload_files = connection.execute(sizes).one()
            return StorageReport(
                database=self._database.place,
                database_bytes=self._space.on_disk(),
                free_bytes=self._space.free(),
                payload_bytes=int(payload_bytes),
                payload_files=payload_files,
                unused_revisions=connection.execute(unused).scalar_one(),
                oldest_run=connection.execute(oldest).scalar(),
                limits=self._limits,
                plans=_shares(connection),
                note=self._space.note,
            )

    def _remove_by_age_and_number(self, removal: Removal, stop: Event) -> None:
        for (user_id, plan_id), settings in self._plans():
            days = self._limits.days if settings.keep_days is None else settings.keep_days
            number = self._limits.runs if settings.keep_runs is None else settings.keep_runs
            of_plan = (execution_logs.c.user_id == user_id) & (execution_logs.c.plan_id == plan_id)
            if settings.keep_days is not None or days:
                too_old = execution_logs.c.completed_at < self._clock.now() - timedelta(days=days)
                self._remove_all(removal, _ended().where(of_plan, too_old), stop)
            if settings.keep_runs is not None or number:
                self._remove_all(removal, _ended(newest_first=True).where(of_plan), stop, beyond=number)

    def _remove_by_size(self, removal: Removal, stop: Event) -> None:
        """Oldest first until it fits. Runs differ in size, so it is measured again after each part."""
        cap = self._limits.max_bytes
        live = self._live() if cap else 0
        goal = int(cap * SLACK) if live > cap else live
        oldest: deque[str] = deque()
        part = FIRST_PART
        while live > goal and not stop.is_set():
            if not oldest:
                with self._database.reading() as connection:
                    oldest.extend(connection.execute(_ended().limit(LOOK_AHEAD)).scalars())
            if not oldest:
                log.info("The history is over its cap and holds no run that ended and may go")
                return
            some = [oldest.popleft() for _ in range(min(part, len(oldest)))]
            removal.remove(some)
            self._collect_payloads()
            before, live = live, self._live()
            part = _next_part(len(some), before - live, live - goal)

    def _remove_all(self, removal: Removal, chosen: Select[Any], stop: Event, beyond: int = 0) -> None:
        """All runs of the choice but the first `beyond`."""
        while not stop.is_set():
            with self._database.reading() as connection:
                found = list(connection.execute(chosen.offset(beyond).limit(LOOK_AHEAD)).scalars())
            removal.remove(found[::-1] if beyond else found)
            if len(found) < LOOK_AHEAD:
                return

    def _plans(self) -> Iterator[tuple[PlanKey, PlanSettings]]:
        """The plans that have runs and whose limits say anything, with their own settings where they have some."""
        with self._database.reading() as connection:
            own = _own_settings(connection)
            keys: Sequence[PlanKey] = tuple(own)
            if self._limits.days or self._limits.runs:
                runs = execution_logs.c
                keys = [tuple(row) for row in connection.execute(select(runs.user_id, runs.plan_id).distinct())]
        for key in keys:
            yield key, own.get(key, PlanSettings())

    def _on_disk(self) -> int:
        return self._space.on_disk() + self._payload_bytes()

    def _live(self) -> int:
        return self._space.live() + self._payload_bytes()

    def _payload_bytes(self) -> int:
        return int(self._database.rows("SELECT coalesce(sum(size), 0) FROM payloads", ())[0][0])


def _next_part(removed: int, freed: int, excess: int) -> int:
    """How many runs go next, as many being gone and so much being free: half of what seems needed, to overshoot little.

    New runs may have taken more than was freed: then as many again.
    """
    if freed <= 0:
        return removed
    return max(1, min(excess * removed // (2 * freed), removed * 4, LOOK_AHEAD))


def _ended(*, newest_first: bool = False) -> Select[Any]:
    """Ids of runs that may go: they ended, and no unfinished run called them and may still ask for their result."""
    runs, caller = execution_logs.c, aliased(execution_logs)
    is_awaited = exists(select(1).where(caller.c.id == runs.parent_run_id, ~_is_final(caller.c.state)))
    order = (runs.created_at.desc(), runs.id.desc()) if newest_first else (runs.created_at, runs.id)
    return select(runs.id).where(_is_final(runs.state), ~is_awaited).order_by(*order)


def _is_final(state: Any) -> ColumnElement[bool]:
    final: ColumnElement[bool] = state.in_([each.value for each in FINAL_STATES])
    return final


def _own_settings(connection: Connection) -> Mapping[PlanKey, PlanSettings]:
    """Settings of the plans that say how much is to be kept of them; a plan that cannot be read says nothing."""
    plans = execution_plans.c
    stored = select(plans.user_id, plans.id, plans.plan_json)
    stored = stored.where(type_coerce(plans.plan_json, Text).contains(KEEPS, autoescape=True))
    told = [*connection.execute(stored), *((*key, json.loads(text)) for *key, text in connection.execute(_unstored()))]
    found = {}
    for user_id, plan_id, document in told:
        try:
            settings = from_document(document).settings
        except DocumentError:
            continue
        if settings.keep_days is not None or settings.keep_runs is not None:
            found[user_id, plan_id] = settings
    return found


def _unstored() -> Select[Any]:
    """What plans that were run from files say, by the newest run of each."""
    runs, newer, plans = execution_logs.c, aliased(execution_logs), execution_plans.c
    of_plan = (newer.c.user_id == runs.user_id) & (newer.c.plan_id == runs.plan_id)
    is_older = exists(
        select(1).where(of_plan, tuple_(newer.c.created_at, newer.c.id) > tuple_(runs.created_at, runs.id))
    )
    is_stored = exists(select(1).where(plans.user_id == runs.user_id, plans.id == runs.plan_id))
    query = select(runs.user_id, runs.plan_id, plan_revisions.c.document).join(
        plan_revisions, (plan_revisions.c.user_id == runs.user_id) & (plan_revisions.c.hash == runs.plan_hash)
    )
    return query.where(plan_revisions.c.document.contains(KEEPS, autoescape=True), ~is_stored, ~is_older)


def _shares(connection: Connection) -> list[PlanShare]:
    runs = execution_logs.c
    key = (runs.user_id, runs.plan_id)
    steps, lines = _rows_of_plans(connection, step_runs), _rows_of_plans(connection, run_log_lines)
    counted = select(*key, func.count(), func.max(runs.plan_name)).group_by(*key)
    shares = [
        PlanShare(user, plan, name, count, steps.get((user, plan), 0), lines.get((user, plan), 0))
        for user, plan, count, name in connection.execute(counted)
    ]
    return sorted(shares, key=lambda each: (-each.steps, -each.runs, each.name))


def _rows_of_plans(connection: Connection, table: Any) -> dict[PlanKey, int]:
    runs = execution_logs.c
    key = (runs.user_id, runs.plan_id)
    counted = select(*key, func.count()).join(table, table.c.run_id == runs.id).group_by(*key)
    return {(user, plan): count for user, plan, count in connection.execute(counted)}
