from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from flowstudio.plan.model import Edge, Plan, Step, Trigger, TriggerKind
from flowstudio.storage.database import Database
from flowstudio.storage.plan_store import SqlPlanStore
from flowstudio.workspace.errors import CorruptDatabaseError, PlanTakenError, WebhookTakenError
from flowstudio.workspace.ports import PlanRecord, WebhookRoute

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)


@pytest.fixture
def store(database: Database) -> SqlPlanStore:
    return SqlPlanStore(database)


def hook(path: str, *, trigger_id: str = "t1", enabled: bool = True) -> Trigger:
    return Trigger(trigger_id, TriggerKind.WEBHOOK, {"webhook_path": path, "webhook_secret": "s"}, enabled)


def record(plan_id: str = "p1", user_id: str = "ann", *triggers: Trigger, after_s: float = 0) -> PlanRecord:
    steps = (Step("a", "http", "request", params={"n": 1}), Step("b", "flow", "condition", x=1.5))
    plan = Plan(plan_id, f"Plan {plan_id}", steps=steps, edges=(Edge("a", "out", "b"),), triggers=triggers)
    moment = NOW + timedelta(seconds=after_s)
    return PlanRecord(plan_id, user_id, plan, moment, moment, extra={"colour": "red"})


def test_a_record_comes_back_as_it_went(store: SqlPlanStore) -> None:
    whole = replace(
        record("p1", "ann", hook("in")),
        status="paused",
        enabled=False,
        original_prompt="Do it",
        plain_english_steps=("First", "Then"),
        approved_at=NOW,
        revision=3,
    )
    store.save(whole)
    assert store.get("ann", "p1") == whole


def test_saving_again_replaces_all_but_the_day_of_creation(store: SqlPlanStore) -> None:
    store.save(record())
    later = replace(record(after_s=60), revision=2)
    store.save(later)
    assert store.get("ann", "p1") == replace(later, created_at=NOW)


def test_plans_are_listed_newest_first_and_own_ones_only(store: SqlPlanStore) -> None:
    for number, user in enumerate(["ann", "bob", "ann"]):
        store.save(record(f"p{number}", user, after_s=number))
    assert [each.id for each in store.list("ann")] == ["p2", "p0"]
    assert store.get("ann", "p1") is None
    assert not store.delete("ann", "p1")
    assert store.get("bob", "p1") is not None


def test_another_users_plan_is_never_overwritten(store: SqlPlanStore) -> None:
    store.save(record())
    with pytest.raises(PlanTakenError, match="Save a copy"):
        store.save(record("p1", "bob"))
    assert store.get("ann", "p1") == record()


def test_deleting_takes_routes_and_schedules_along(store: SqlPlanStore, database: Database) -> None:
    store.save(record("p1", "ann", hook("in")))
    with database.begin() as connection:
        connection.execute(text("INSERT INTO schedules VALUES ('plan_p1', 'p1', 'ann', 'n', '* * * * *', 'UTC', 1)"))
    assert store.delete("ann", "p1")
    assert not store.delete("ann", "p1")
    assert store.webhook("in") is None
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM schedules")).scalar() == 0


def test_a_path_leads_to_its_trigger(store: SqlPlanStore) -> None:
    store.save(record("p1", "ann", hook("in/orders"), hook("other", trigger_id="t2")))
    assert store.webhook("other") == WebhookRoute("other", store.stamp("ann", "p1"), "t2")
    assert store.webhook("in") is None


def test_a_path_moves_with_its_plan(store: SqlPlanStore) -> None:
    store.save(record("p1", "ann", hook("old")))
    store.save(record("p1", "ann", hook("new")))
    assert store.webhook("old") is None
    assert store.webhook("new") is not None


def test_a_path_that_another_plan_owns_is_refused_and_nothing_is_saved(store: SqlPlanStore) -> None:
    store.save(record("p1", "ann", hook("in")))
    store.save(record("p2", "bob", hook("mine")))
    with pytest.raises(WebhookTakenError, match="in is in use"):
        store.save(replace(record("p2", "bob", hook("in")), revision=2))
    kept = store.get("bob", "p2")
    assert kept is not None
    assert kept.revision == 1
    assert store.webhook("mine") is not None


@pytest.mark.parametrize("enabled", [True, False])
def test_what_is_switched_off_owns_no_path(store: SqlPlanStore, enabled: bool) -> None:
    store.save(replace(record("p1", "ann", hook("in", enabled=not enabled)), enabled=enabled))
    assert store.webhook("in") is None


def test_enabled_plans_of_all_users_come_oldest_first(store: SqlPlanStore) -> None:
    for number, user in enumerate(["ann", "bob", "ann"]):
        store.save(replace(record(f"p{number}", user, after_s=-number), enabled=number != 1))
    assert [each.id for each in store.enabled_plans()] == ["p2", "p0"]


def test_other_programs_find_the_old_columns_filled(store: SqlPlanStore, database: Database) -> None:
    store.save(record("p1", "ann", hook("in")))
    with database.reading() as connection:
        row = connection.execute(text("SELECT name, required_providers, trigger FROM execution_plans")).one()
    assert row[0] == "Plan p1"
    assert row[1] == '["http"]'
    assert row[2].startswith('{"type":"webhook"')


@pytest.mark.logs("is left out")
def test_a_damaged_plan_takes_no_other_along(store: SqlPlanStore, database: Database) -> None:
    store.save(record("p1", "ann", hook("in")))
    store.save(record("p2"))
    with database.begin("ann") as connection:
        connection.execute(text("UPDATE execution_plans SET plan_json = ' {\"flowstudio\": 1}' WHERE id = 'p1'"))
    assert [each.id for each in store.list("ann")] == ["p2"]
    assert [each.id for each in store.enabled_plans()] == ["p2"]
    with pytest.raises(CorruptDatabaseError, match=r"“Plan p1” \(p1\) cannot be read: id is missing"):
        store.get("ann", "p1")
    assert store.delete("ann", "p1")
