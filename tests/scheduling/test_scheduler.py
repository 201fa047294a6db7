"""The scheduler on a real table. Firings are waited for by an event; only the clock is ours."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue

import pytest

from flowstudio.errors import FlowStudioError
from flowstudio.scheduling.errors import CronFieldError
from flowstudio.scheduling.ports import Schedule
from flowstudio.scheduling.scheduler import Scheduler
from flowstudio.storage.database import Database
from flowstudio.storage.schedule_store import SqlScheduleStore

NOW = datetime.now(UTC)
DUE = (NOW - timedelta(hours=12)).replace(second=0, microsecond=0)
CRON = f"{DUE.minute} {DUE.hour} * * *"
NEXT = DUE + timedelta(days=1)
"""Daily, twelve hours from now either way: only what a test makes due is due, for our clock and the machine's."""
PATIENCE_S = 10


class SetClock:
    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


class Starts:
    """StartRun that tells what it was asked."""

    def __init__(self) -> None:
        self.queue: Queue[tuple[str, datetime]] = Queue()
        self.failure: Exception | None = None

    def __call__(self, schedule: Schedule, due: datetime) -> None:
        self.queue.put((schedule.id, due))
        if self.failure is not None:
            raise self.failure

    def next(self) -> tuple[str, datetime]:
        return self.queue.get(timeout=PATIENCE_S)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlScheduleStore]:
    database = Database(f"sqlite:///{tmp_path}/flow.db", "NORMAL")
    database.upgrade()
    yield SqlScheduleStore(database)
    database.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def starts() -> Starts:
    return Starts()


@pytest.fixture
def scheduler(store: SqlScheduleStore, starts: Starts, clock: SetClock) -> Iterator[Scheduler]:
    scheduler = Scheduler(store, starts, clock)
    yield scheduler
    scheduler.close()


def schedule(plan: str = "p1", cron: str = CRON, due: datetime | None = None) -> Schedule:
    return Schedule(f"plan_{plan}", plan, "ann", "Digest", cron, "UTC", due)


def test_the_next_instant_is_computed_and_stored(scheduler: Scheduler) -> None:
    scheduler.put(schedule())
    assert scheduler.jobs() == [schedule(due=NEXT)]


def test_a_wrong_expression_changes_nothing(scheduler: Scheduler) -> None:
    scheduler.put(schedule())
    before = scheduler.jobs()
    with pytest.raises(CronFieldError, match="hour"):
        scheduler.put(schedule(cron="0 25 * * *"))
    assert scheduler.jobs() == before


def test_another_expression_gives_another_instant_at_once(scheduler: Scheduler) -> None:
    scheduler.start()
    scheduler.put(schedule())
    scheduler.put(schedule(cron="0 0 1 1 *"))
    assert [job.next_fire for job in scheduler.jobs()] == [datetime(NOW.year + 1, 1, 1, tzinfo=UTC)]


def test_another_name_alone_keeps_the_instant_even_a_missed_one(scheduler: Scheduler, store: SqlScheduleStore) -> None:
    missed = DUE - timedelta(days=1)
    store.put(schedule(due=missed))
    scheduler.put(replace(schedule(), plan_name="Renamed"))
    assert scheduler.jobs() == [replace(schedule(due=missed), plan_name="Renamed")]


def test_what_is_due_starts_and_the_next_instant_stands(
    scheduler: Scheduler, store: SqlScheduleStore, starts: Starts
) -> None:
    store.put(schedule(due=DUE))
    scheduler.start()
    assert starts.next() == ("plan_p1", DUE)
    scheduler.close()
    assert [job.next_fire for job in scheduler.jobs()] == [NEXT]


@pytest.mark.logs("“Digest” missed firings of its schedule from .* UTC to .* UTC")
def test_firings_missed_while_nothing_ran_become_one_run(
    scheduler: Scheduler, store: SqlScheduleStore, starts: Starts, caplog: pytest.LogCaptureFixture
) -> None:
    first_missed = DUE - timedelta(days=3)
    store.put(schedule(due=first_missed))
    scheduler.start()
    assert starts.next() == ("plan_p1", first_missed)
    scheduler.close()
    assert starts.queue.empty()
    assert [job.next_fire for job in scheduler.jobs()] == [NEXT]
    assert "runs once for all of them" in caplog.text


def test_it_really_waits_for_the_instant(store: SqlScheduleStore, starts: Starts) -> None:
    class SystemClock:
        def now(self) -> datetime:
            return datetime.now(UTC)

    scheduler = Scheduler(store, starts, SystemClock())
    scheduler.start()
    scheduler.put(schedule(cron="* * * * * *"))
    first, second = starts.next()[1], starts.next()[1]
    scheduler.close()
    assert second - first == timedelta(seconds=1)


def test_a_removed_schedule_does_not_fire(scheduler: Scheduler, store: SqlScheduleStore, starts: Starts) -> None:
    scheduler.start()
    soon = datetime.now(UTC) + timedelta(milliseconds=150)
    store.put(schedule(due=soon))
    store.put(schedule("p2", due=soon))
    scheduler._tick()
    assert scheduler.remove("plan_p1")
    assert not scheduler.remove("plan_p1")
    assert starts.next()[0] == "plan_p2"
    assert starts.queue.empty()


def test_a_change_by_another_process_is_seen_at_the_next_tick(
    scheduler: Scheduler, store: SqlScheduleStore, starts: Starts
) -> None:
    scheduler.start()
    store.put(schedule(due=DUE))
    scheduler._tick()
    assert starts.next()[0] == "plan_p1"


def test_a_stale_firing_does_nothing(scheduler: Scheduler, store: SqlScheduleStore, starts: Starts) -> None:
    store.put(schedule(due=NEXT))
    scheduler._fire("plan_p1", DUE)
    scheduler._fire("plan_gone", NOW)
    assert starts.queue.empty()


def test_the_run_starts_before_the_instant_moves_on(store: SqlScheduleStore, clock: SetClock) -> None:
    seen: list[datetime | None] = []
    scheduler = Scheduler(store, lambda each, due: seen.append(store.all()[0].next_fire), clock)
    store.put(schedule(due=DUE))
    scheduler._fire("plan_p1", DUE)
    assert seen == [DUE]


@pytest.mark.logs("“Digest” could not be started by its schedule")
@pytest.mark.parametrize("failure", [FlowStudioError("The plan is broken."), ZeroDivisionError()])
def test_a_start_that_fails_is_logged_and_the_clock_goes_on(
    scheduler: Scheduler, store: SqlScheduleStore, starts: Starts, failure: Exception
) -> None:
    starts.failure = failure
    store.put(schedule(due=DUE))
    scheduler._fire("plan_p1", DUE)
    assert [job.next_fire for job in scheduler.jobs()] == [NEXT]


@pytest.mark.logs("is tried again in 30 s")
def test_a_database_that_refuses_loses_no_firing(
    scheduler: Scheduler, store: SqlScheduleStore, starts: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> bool:
        raise FlowStudioError("The disk is full.")

    store.put(schedule(due=DUE))
    with monkeypatch.context() as patched:
        patched.setattr(store, "claim", refuse)
        scheduler.start()
        assert starts.next() == ("plan_p1", DUE)
        scheduler.close()
    scheduler.start()
    assert starts.next() == ("plan_p1", DUE)
    scheduler.close()
    assert [job.next_fire for job in scheduler.jobs()] == [NEXT]


def test_two_schedulers_on_one_table_move_on_once(store: SqlScheduleStore, starts: Starts, clock: SetClock) -> None:
    store.put(schedule(due=DUE))
    one, two = (Scheduler(store, starts, clock) for _ in range(2))
    one._fire("plan_p1", DUE)
    two._fire("plan_p1", DUE)
    assert starts.queue.qsize() == 1
    assert one.jobs() == two.jobs() == [schedule(due=NEXT)]


def test_it_knows_whether_it_runs(scheduler: Scheduler) -> None:
    assert not scheduler.is_running
    scheduler.start()
    assert scheduler.is_running
    scheduler.close()
    scheduler.close()
    assert not scheduler.is_running
