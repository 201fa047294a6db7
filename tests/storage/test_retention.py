from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event, Thread
from time import perf_counter

import pytest
from sqlalchemy import func, select

from flowstudio.engine.model import Run, RunLink, RunState, StepRun, StepState, TriggerEvent
from flowstudio.engine.ports import RunChange
from flowstudio.plan.model import Plan, PlanSettings, Step
from flowstudio.storage.database import Database
from flowstudio.storage.plan_store import SqlPlanStore
from flowstudio.storage.retention import Retention
from flowstudio.storage.run_store import SqlRunStore
from flowstudio.storage.space import make_shrinkable
from flowstudio.storage.tables import execution_logs, plan_revisions, step_runs
from flowstudio.workspace.history_space import Cleaned, HistoryLimits
from flowstudio.workspace.ports import PlanRecord

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PLAN = Plan(id="p1", name="Digest", steps=(Step("fetch", "http", "request"),))
MB = 1024**2
KEEP_ALL = HistoryLimits(max_bytes=0)


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return perf_counter()


class History:
    """Runs that ended, day by day, and a cleaning of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = SqlRunStore(database)

    def add(
        self,
        run_id: str,
        days_ago: float = 0,
        *,
        plan: Plan = PLAN,
        state: RunState = RunState.SUCCEEDED,
        steps: int = 1,
        size: int = 0,
        parent: str | None = None,
    ) -> None:
        at = NOW - timedelta(days=days_ago)
        link = RunLink(parent, "call") if parent else None
        self.store.create(Run(run_id, "ann", plan, RunState.QUEUED, TriggerEvent(), at, None, None, parent=link))
        rows = [
            StepRun(run_id, "fetch", (index,), StepState.SUCCEEDED, index + 1, output=_noise(run_id, index, size))
            for index in range(steps)
        ]
        self.store.write([*rows, RunChange(run_id, state, at)])

    def clean(self, limits: HistoryLimits = KEEP_ALL, stop: Event | None = None) -> Cleaned:
        return self.space(limits).clean(stop or Event())

    def space(self, limits: HistoryLimits = KEEP_ALL) -> Retention:
        return Retention(self.database, limits, lambda: None, Clock())

    def ids(self) -> list[str]:
        return sorted(run.id for run in self.store.list_runs("ann", limit=1000))

    def count(self, table) -> int:
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _noise(run_id: str, index: int, size: int) -> str:
    """Text that PostgreSQL cannot compress to nothing."""
    return Random(f"{run_id}{index}").randbytes(size // 2).hex()


@pytest.fixture
def history(database: Database) -> History:
    return History(database)


def test_without_limits_everything_stays(history: History) -> None:
    history.add("old", days_ago=10_000)
    assert history.clean().runs == 0
    assert history.ids() == ["old"]


def test_runs_go_when_they_ended_longer_ago_than_the_limit(history: History) -> None:
    history.add("old", days_ago=31)
    history.add("new", days_ago=29)
    assert history.clean(replace(KEEP_ALL, days=30)).runs == 1
    assert history.ids() == ["new"]


def test_of_each_plan_the_newest_stay(history: History) -> None:
    other = replace(PLAN, id="p2")
    for day in range(5):
        history.add(f"a{day}", days_ago=day)
    history.add("b0", days_ago=100, plan=other)
    history.clean(replace(KEEP_ALL, runs=2))
    assert history.ids() == ["a0", "a1", "b0"]


def test_a_plans_own_settings_stand_in_for_the_installations(history: History) -> None:
    for plan_id, settings in (("few", PlanSettings(keep_runs=1)), ("all", PlanSettings(keep_days=3650))):
        plan = replace(PLAN, id=plan_id, settings=settings)
        SqlPlanStore(history.database).save(PlanRecord(plan_id, "ann", plan, NOW, NOW))
        for day in (1, 2, 100):
            history.add(f"{plan_id}{day}", days_ago=day, plan=plan)
    history.clean(replace(KEEP_ALL, days=30))
    assert history.ids() == ["all1", "all100", "all2", "few1"]


@pytest.mark.parametrize("odd", [PlanSettings(keep_days=1e308), PlanSettings(keep_runs=10**30)])
def test_a_plan_that_asks_for_more_than_can_be_counted_keeps_no_other_from_being_cleaned(
    history: History, odd: PlanSettings
) -> None:
    for plan_id, settings in (("odd", odd), ("few", PlanSettings(keep_runs=1))):
        plan = replace(PLAN, id=plan_id, settings=settings)
        SqlPlanStore(history.database).save(PlanRecord(plan_id, "ann", plan, NOW, NOW))
        for day in (1, 2):
            history.add(f"{plan_id}{day}", days_ago=day, plan=replace(PLAN, id=plan_id))
    history.clean(KEEP_ALL)
    assert history.ids() == ["few1", "odd1", "odd2"]


@pytest.mark.parametrize("state", [each for each in RunState if not each.is_final])
def test_a_run_that_has_not_ended_stays(history: History, state: RunState) -> None:
    history.add("going", days_ago=1000, state=state)
    history.clean(HistoryLimits(max_bytes=1, days=1, runs=1))
    assert history.ids() == ["going"]


def test_a_run_whose_caller_may_still_ask_for_its_result_stays(history: History) -> None:
    history.add("caller", days_ago=100, state=RunState.WAITING)
    history.add("called", days_ago=100, parent="caller")
    history.clean(HistoryLimits(max_bytes=1, days=1, runs=1))
    assert history.ids() == ["called", "caller"]


def test_a_plan_revision_goes_with_the_last_run_of_it(history: History) -> None:
    history.add("old", days_ago=100, plan=replace(PLAN, name="Once"))
    history.add("new")
    assert history.count(plan_revisions) == 2
    assert history.clean(replace(KEEP_ALL, days=30)).revisions == 1
    assert history.store.get("new") is not None
    assert history.count(plan_revisions) == 1


def test_over_the_cap_the_oldest_go_until_it_fits(history: History) -> None:
    for day in range(40):
        history.add(f"r{day:02}", days_ago=40 - day, steps=10, size=20_000)
    cap = 4 * MB
    assert history.space(HistoryLimits(cap)).is_over()
    cleaned = history.clean(HistoryLimits(cap))
    left = history.ids()
    assert 10 <= len(left) < 40
    assert left == [f"r{day:02}" for day in range(40 - len(left), 40)]
    assert cleaned.runs == 40 - len(left)
    assert history.clean(HistoryLimits(cap)).runs == 0


def test_the_steps_of_a_removed_run_are_gone_even_when_they_are_many(history: History) -> None:
    history.add("long", days_ago=100, steps=5000)
    history.clean(replace(KEEP_ALL, days=30))
    assert history.count(step_runs) == history.count(execution_logs) == 0


def test_a_cleaning_that_is_told_to_stop_says_so_and_leaves_the_rest(history: History) -> None:
    history.add("old", days_ago=100)
    stop = Event()
    stop.set()
    assert not history.clean(replace(KEEP_ALL, days=30), stop).is_whole
    assert history.ids() == ["old"]


def test_the_report_counts_what_each_plan_holds(history: History) -> None:
    history.add("a", days_ago=2, steps=3)
    history.add("b", days_ago=1, steps=2)
    report = history.space(HistoryLimits(days=7)).report()
    assert [(each.plan_id, each.name, each.runs, each.steps) for each in report.plans] == [("p1", "Digest", 2, 5)]
    assert report.oldest_run == NOW - timedelta(days=2)
    assert report.database_bytes > 0
    assert report.limits.days == 7


def test_the_file_shrinks_and_the_log_beside_it_too(sqlite: Database) -> None:
    history = History(sqlite)
    for day in range(60):
        history.add(f"r{day:02}", days_ago=60 - day, steps=20, size=10_000)
    full = history.space().report().database_bytes
    cleaned = history.clean(HistoryLimits(3 * MB))
    report = history.space().report()
    assert full > 12 * MB
    assert cleaned.bytes_after == report.database_bytes <= 3 * MB
    assert report.free_bytes == 0


def test_a_file_from_before_it_could_shrink_is_rebuilt_once(new_sqlite: Callable[..., Database], monkeypatch) -> None:
    with monkeypatch.context() as old:
        old.setattr("flowstudio.storage.pragmas.SHRINKABLE", "PRAGMA auto_vacuum = NONE")
        database = new_sqlite()
        database.upgrade()
        history = History(database)
        for day in range(20):
            history.add(f"r{day:02}", days_ago=day, steps=20, size=10_000)
        database.close()
    database = new_sqlite()
    history = History(database)
    assert "rebuilt" in history.space().report().note
    make_shrinkable(database)
    assert history.space().report().note == ""
    assert len(history.ids()) == 20
    assert history.clean(HistoryLimits(2 * MB)).bytes_after <= 2 * MB


def test_runs_are_written_while_the_history_is_cleaned(sqlite: Database) -> None:
    history = History(sqlite)
    for day in range(100):
        history.add(f"old{day}", days_ago=100, steps=100, size=2000)
    cleaning = Thread(target=history.clean, args=(replace(KEEP_ALL, days=30),))
    cleaning.start()
    written, longest_ms = 0, 0.0
    while cleaning.is_alive():
        started = perf_counter()
        history.add(f"new{written}")
        longest_ms = max(longest_ms, (perf_counter() - started) * 1000)
        written += 1
    cleaning.join()
    assert written > 10
    assert longest_ms < 1000  # what a busy machine allows to say; a quiet one needs 20
    assert history.count(execution_logs) == written


def test_little_more_goes_than_has_to_when_old_runs_are_large_and_new_ones_small(history: History) -> None:
    for day in range(30):
        history.add(f"large{day:02}", days_ago=100 - day, steps=10, size=40_000)
    for number in range(200):
        history.add(f"small{number:03}")
    history.clean(HistoryLimits(6 * MB))
    large = [run_id for run_id in history.ids() if run_id.startswith("large")]
    assert 7 <= len(large) <= 16
