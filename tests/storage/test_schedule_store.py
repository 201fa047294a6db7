from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flowstudio.scheduling.ports import Schedule
from flowstudio.storage.database import Database
from flowstudio.storage.schedule_store import SqlScheduleStore

DUE = datetime(2026, 3, 4, 5, 0, tzinfo=UTC)
NEXT = DUE + timedelta(hours=1)


@pytest.fixture
def store(database: Database) -> SqlScheduleStore:
    return SqlScheduleStore(database)


def schedule(plan: str = "p1", next_fire: datetime | None = DUE) -> Schedule:
    return Schedule(f"plan_{plan}", plan, "ann", "Digest", "0 * * * *", "Europe/Berlin", next_fire)


def test_a_schedule_comes_back_as_it_went(store: SqlScheduleStore) -> None:
    store.put(schedule())
    assert store.get("plan_p1") == schedule()
    assert store.get("plan_p2") is None


def test_putting_again_replaces(store: SqlScheduleStore) -> None:
    store.put(schedule())
    store.put(replace(schedule(), cron_expression="5 * * * *", next_fire=NEXT))
    assert store.all() == [replace(schedule(), cron_expression="5 * * * *", next_fire=NEXT)]


def test_all_come_by_their_next_firing(store: SqlScheduleStore) -> None:
    for plan, due in (("p1", NEXT), ("p2", None), ("p3", DUE)):
        store.put(schedule(plan, due))
    assert [each.plan_id for each in store.all()] == ["p3", "p1", "p2"]


def test_a_removed_schedule_is_gone(store: SqlScheduleStore) -> None:
    store.put(schedule())
    assert store.remove("plan_p1")
    assert not store.remove("plan_p1")


def test_a_firing_can_be_claimed_once(store: SqlScheduleStore) -> None:
    store.put(schedule())
    assert store.claim("plan_p1", DUE, NEXT)
    assert not store.claim("plan_p1", DUE, NEXT)
    assert store.all()[0].next_fire == NEXT


def test_a_last_firing_can_be_claimed(store: SqlScheduleStore) -> None:
    store.put(schedule())
    assert store.claim("plan_p1", DUE, None)
    assert store.all()[0].next_fire is None


def test_of_many_claims_at_once_one_succeeds(store: SqlScheduleStore) -> None:
    store.put(schedule())
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: store.claim("plan_p1", DUE, NEXT), range(16))) == 1
