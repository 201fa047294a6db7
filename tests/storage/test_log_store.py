from datetime import UTC, datetime, timedelta

import pytest

from flowstudio.engine.events import LogWritten
from flowstudio.engine.model import Run, RunState, TriggerEvent
from flowstudio.engine.ports import RunChange
from flowstudio.plan.model import Plan
from flowstudio.storage import log_store
from flowstudio.storage.database import Database
from flowstudio.storage.run_store import SqlRunStore
from flowstudio.workspace.run_log import Level, LogLine

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
ALL = (Level.DEBUG, 0, 1000)


@pytest.fixture
def store(database: Database) -> SqlRunStore:
    store = SqlRunStore(database)
    for run_id in ("r1", "r2"):
        store.create(Run(run_id, "ann", Plan("p", "Plan"), RunState.QUEUED, TriggerEvent(), NOW))
    return store


def said(text: str, level: str = "info", run_id: str = "r1") -> LogWritten:
    return LogWritten(run_id, NOW, level, text)


def texts(store: SqlRunStore, *page: object) -> list[str]:
    return [line.text for line in store.log_lines("r1", *(page or ALL))]  # type: ignore[arg-type]


def test_a_line_comes_back_as_it_went(store: SqlRunStore) -> None:
    store.write([LogWritten("r1", NOW, "warning", "half \udc80 \0", "fetch", (3, 0))])
    assert store.log_lines("r1", *ALL) == [LogLine(1, NOW, "warning", "half � �", "fetch", (3, 0))]


def test_lines_keep_the_order_they_were_told_in_each_run_for_itself(store: SqlRunStore) -> None:
    store.write([said("a"), said("x", run_id="r2"), said("b")])
    store.write([said("c")])
    assert texts(store) == ["a", "b", "c"]


def test_lines_are_read_by_level_and_page(store: SqlRunStore) -> None:
    store.write([said("a"), said("b", "error"), said("c", "debug"), said("d", "warning"), said("e", "error")])
    assert texts(store, Level.WARNING, 0, 10) == ["b", "d", "e"]
    assert texts(store, Level.WARNING, 2, 1) == ["d"]


def test_a_restart_goes_on_behind_the_last_line(database: Database, store: SqlRunStore) -> None:
    store.write([said("a"), said("b")])
    SqlRunStore(database).write([said("c")])
    assert texts(store) == ["a", "b", "c"]


def test_a_batch_that_is_written_again_after_a_lost_answer_says_nothing_twice(database: Database) -> None:
    store = SqlRunStore(database)
    store.create(Run("r1", "ann", Plan("p", "Plan"), RunState.QUEUED, TriggerEvent(), NOW))
    log = log_store.SqlRunLog(database)
    for _ in range(2):
        with database.writing() as cursor:
            log.write(cursor, [said("a"), said("b")])  # and nobody hears that it was committed
    assert texts(store) == ["a", "b"]


def test_the_last_line_says_how_many_were_left_out(
    database: Database, store: SqlRunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_store, "LINES", 3)
    store = SqlRunStore(database)
    store.write([said(str(number)) for number in range(5)])
    assert texts(store) == ["0", "1", "2", "2 more lines were left out: the history keeps the first 3 of a run."]
    SqlRunStore(database).write([said("late", "error")])
    assert texts(store)[3:] == ["3 more lines were left out: the history keeps the first 3 of a run."]


def test_a_very_long_line_is_cut(store: SqlRunStore) -> None:
    store.write([said("x" * 100_000)])
    assert len(texts(store)[0]) == log_store.LONGEST


def test_lines_of_a_run_that_is_created_in_the_same_batch_find_it(database: Database) -> None:
    store = SqlRunStore(database)
    new = Run("r3", "ann", Plan("p", "Plan"), RunState.QUEUED, TriggerEvent(), NOW)
    ended = RunChange("r3", RunState.SUCCEEDED, NOW + timedelta(seconds=1))
    store.write([ended, said("a", run_id="r3")], [new])
    assert [line.text for line in store.log_lines("r3", *ALL)] == ["a"]
