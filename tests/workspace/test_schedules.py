"""Plans' schedules in the timetable, and what a firing starts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flowstudio import paths
from flowstudio.engine.model import Run
from flowstudio.plan.model import Plan, Step, Trigger, TriggerKind
from flowstudio.providers.loader import load_catalog
from flowstudio.providers.registry import Registry
from flowstudio.scheduling.errors import ScheduleError
from flowstudio.scheduling.ports import Schedule
from flowstudio.workspace.plan_check import PlanCheck
from flowstudio.workspace.ports import PlanRecord
from flowstudio.workspace.runs import Runs
from flowstudio.workspace.schedules import ScheduledStart, Schedules

NOW = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)  # a Monday
DUE = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
STEP = Step("stop", "flow", "stop")


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Timetable:
    def __init__(self) -> None:
        self.entries: dict[str, Schedule] = {}

    def put(self, schedule: Schedule) -> None:
        self.entries[schedule.id] = schedule

    def remove(self, schedule_id: str) -> bool:
        return self.entries.pop(schedule_id, None) is not None

    def jobs(self) -> Sequence[Schedule]:
        return list(self.entries.values())


class OnePlan:
    """A plan store of one record."""

    def __init__(self, record: PlanRecord) -> None:
        self.record: PlanRecord | None = record

    def get(self, user_id: str, plan_id: str) -> PlanRecord | None:
        found = self.record
        return found if found is not None and (found.user_id, found.id) == (user_id, plan_id) else None

    def enabled_plans(self) -> Sequence[PlanRecord]:
        return [self.record] if self.record is not None and self.record.enabled else []


class Engine:
    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}

    def submit(self, run: Run, seeds: object = ()) -> bool:
        return self.runs.setdefault(run.id, run) is run


def trigger(expression: str, trigger_id: str = "t1", timezone: str = "UTC", enabled: bool = True) -> Trigger:
    config = {"cron_expression": expression, "timezone": timezone}
    return Trigger(trigger_id, TriggerKind.SCHEDULE, dict(config), enabled)


def record(*triggers: Trigger, enabled: bool = True) -> PlanRecord:
    plan = Plan("p1", "Report", steps=(STEP,), triggers=triggers)
    return PlanRecord("p1", "ada", plan, created_at=NOW, updated_at=NOW, enabled=enabled)


@pytest.fixture
def timetable() -> Timetable:
    return Timetable()


def schedules(timetable: Timetable, stored: PlanRecord) -> Schedules:
    return Schedules(timetable, OnePlan(stored))  # type: ignore[arg-type]


def test_a_schedule_trigger_stands_in_the_timetable(timetable: Timetable) -> None:
    stored = record(trigger("0 9 * * 1"))
    schedules(timetable, stored).put(stored)
    assert timetable.jobs() == [Schedule("plan_p1", "p1", "ada", "Report", "0 9 * * 1", "UTC", None)]


def test_further_schedules_of_a_plan_have_ids_of_their_own(timetable: Timetable) -> None:
    stored = record(trigger("0 9 * * 1"), trigger("0 17 * * 5", "t2"))
    schedules(timetable, stored).put(stored)
    assert set(timetable.entries) == {"plan_p1", "plan_p1:t2"}


@pytest.mark.parametrize(
    "changed",
    [record(), record(trigger("0 9 * * 1"), enabled=False), record(trigger("0 9 * * 1", enabled=False))],
    ids=["no trigger", "plan off", "trigger off"],
)
def test_what_may_not_fire_leaves_the_timetable(timetable: Timetable, changed: PlanRecord) -> None:
    stored = record(trigger("0 9 * * 1"))
    schedules(timetable, stored).put(stored)
    schedules(timetable, changed).put(changed)
    assert timetable.jobs() == []


def test_at_start_every_enabled_plan_is_registered(timetable: Timetable) -> None:
    schedules(timetable, record(trigger("0 9 * * 1"))).register_all()
    assert set(timetable.entries) == {"plan_p1"}


def test_schedules_of_vanished_plans_are_cleared_at_start(timetable: Timetable) -> None:
    timetable.put(Schedule("plan_gone", "gone", "ada", "Gone", "0 9 * * 1", "UTC", DUE))
    schedules(timetable, record()).register_all()
    assert timetable.jobs() == []


@pytest.mark.parametrize(("expression", "timezone"), [("0 25 * * *", "UTC"), ("0 9 * * *", "Mars/Base")])
def test_a_bad_schedule_changes_nothing(timetable: Timetable, expression: str, timezone: str) -> None:
    good, bad = record(trigger("0 9 * * 1")), record(trigger(expression, timezone=timezone))
    schedules(timetable, good).put(good)
    with pytest.raises(ScheduleError):
        schedules(timetable, bad).put(bad)
    assert [job.cron_expression for job in timetable.jobs()] == ["0 9 * * 1"]


def starting(stored: PlanRecord, engine: Engine) -> ScheduledStart:
    shipped = Registry(load_catalog(paths.catalog())[0])
    runs = Runs(engine, None, PlanCheck(lambda user: shipped), FixedClock())  # type: ignore[arg-type]
    return ScheduledStart(OnePlan(stored), runs)  # type: ignore[arg-type]


def fired() -> Schedule:
    return Schedule("plan_p1", "p1", "ada", "Report", "0 9 * * 1", "UTC", DUE)


def test_a_firing_starts_one_run_named_after_its_instant() -> None:
    engine = Engine()
    start = starting(record(trigger("0 9 * * 1")), engine)
    start(fired(), DUE)
    start(fired(), DUE)
    (run,) = engine.runs.values()
    assert run.id == "cron:plan_p1:2025-03-03T09:00:00Z"
    assert (run.user_id, run.trigger.kind, run.trigger.trigger_id) == ("ada", TriggerKind.SCHEDULE, "t1")
    assert run.trigger.data == {
        "scheduled_for": "2025-03-03T09:00:00+00:00",
        "cron_expression": "0 9 * * 1",
        "timezone": "UTC",
    }


@pytest.mark.logs("gone or switched off")
def test_a_firing_of_a_plan_that_is_off_starts_nothing() -> None:
    engine = Engine()
    starting(replace(record(trigger("0 9 * * 1")), enabled=False), engine)(fired(), DUE)
    assert engine.runs == {}


@pytest.mark.logs("refused")
def test_a_firing_of_a_broken_plan_is_logged_and_starts_nothing() -> None:
    engine = Engine()
    broken = replace(record(trigger("0 9 * * 1")), plan=Plan("p1", "Report", steps=(Step("a", "none", "none"),)))
    starting(broken, engine)(fired(), DUE)
    assert engine.runs == {}
