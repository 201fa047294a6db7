"""Schedules: what the clock starts, kept in step with the plans' triggers."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from flowstudio.engine.model import TriggerEvent
from flowstudio.plan.model import Trigger, TriggerKind
from flowstudio.scheduling.cron import check
from flowstudio.scheduling.errors import ScheduleError
from flowstudio.scheduling.ports import Schedule
from flowstudio.workspace.errors import BadRequestError, PlanNotRunnableError
from flowstudio.workspace.ports import PlanRecord, PlanStore
from flowstudio.workspace.runs import Runs

DEFAULT_TIMEZONE = "UTC"

log = logging.getLogger(__name__)


class Timetable(Protocol):
    """The part of the scheduler that use cases need."""

    def put(self, schedule: Schedule) -> None:
        """Computes next_fire itself; one that is stored stays while expression and zone do, a missed one included."""
        ...

    def remove(self, schedule_id: str) -> bool: ...
    def jobs(self) -> Sequence[Schedule]: ...


def run_id_of(schedule: Schedule, due: datetime) -> str:
    """The one run of this instant: `cron:<schedule id>:<UTC time>`. A second firing meets the first one's run."""
    return f"cron:{schedule.id}:{due.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class ScheduledStart:
    """scheduling.ports.StartRun: starts the live revision of a schedule's plan."""

    def __init__(self, plans: PlanStore, runs: Runs) -> None:
        self._plans = plans
        self._runs = runs

    def __call__(self, schedule: Schedule, due: datetime) -> None:
        record = self._plans.get(schedule.user_id, schedule.plan_id)
        if record is None or not record.enabled:
            log.warning("Schedule %s was due, but its plan is gone or switched off", schedule.id)
            return
        trigger = _trigger_of(record, schedule.id)
        data = {
            "scheduled_for": due.astimezone(UTC).isoformat(),
            "cron_expression": schedule.cron_expression,
            "timezone": schedule.timezone,
        }
        event = TriggerEvent(TriggerKind.SCHEDULE, dict(data), trigger.id if trigger else None)
        try:
            self._runs.start(record.user_id, record.plan, event, run_id_of(schedule, due))
        except PlanNotRunnableError as error:
            log.error("The scheduled start of “%s” was refused: %s", record.plan.name, error)


class Schedules:
    """Registers and removes the schedules of plans. Thread-safe as far as its timetable is."""

    def __init__(self, timetable: Timetable, plans: PlanStore) -> None:
        self._timetable = timetable
        self._plans = plans

    def put(self, record: PlanRecord) -> None:
        """Makes the timetable hold exactly what this plan's enabled schedule triggers say.

        Raises ScheduleError naming the field, with the timetable as it was.
        """
        wanted = self._wanted(record)
        for schedule in wanted:
            self._timetable.put(schedule)
        kept = {schedule.id for schedule in wanted}
        for job in self._timetable.jobs():
            if job.plan_id == record.id and job.id not in kept:
                self._timetable.remove(job.id)

    def remove(self, plan_id: str) -> bool:
        """Takes all schedules of the plan off the timetable; False when there were none."""
        gone = [job.id for job in self._timetable.jobs() if job.plan_id == plan_id]
        for each in gone:
            self._timetable.remove(each)
        return bool(gone)

    def jobs(self, user_id: str | None = None) -> list[Schedule]:
        """By next firing; of one user, or of all for None."""
        return [job for job in self._timetable.jobs() if user_id is None or job.user_id == user_id]

    def register_all(self) -> None:
        """At start: every enabled plan's schedules stand in the timetable, schedules of vanished plans do not."""
        records = self._plans.enabled_plans()
        for record in records:
            try:
                self.put(record)
            except (ScheduleError, BadRequestError) as error:
                log.error("The schedule of “%s” is not registered: %s", record.plan.name, error)
        live = {record.id for record in records}
        for job in self._timetable.jobs():
            if job.plan_id not in live:
                self._timetable.remove(job.id)

    def _wanted(self, record: PlanRecord) -> list[Schedule]:
        if not record.enabled:
            return []
        return [
            self._schedule(record, schedule_id, trigger)
            for schedule_id, trigger in schedule_triggers(record)
            if trigger.enabled
        ]

    def _schedule(self, record: PlanRecord, schedule_id: str, trigger: Trigger) -> Schedule:
        expression, timezone = cron_of(trigger)
        return Schedule(
            id=schedule_id,
            plan_id=record.id,
            user_id=record.user_id,
            plan_name=record.plan.name,
            cron_expression=expression,
            timezone=timezone,
            next_fire=None,
        )


def schedule_triggers(record: PlanRecord) -> list[tuple[str, Trigger]]:
    """The plan's schedule triggers with their schedule ids: the first is `plan_<id>`, as API.md's job ids say."""
    triggers = [each for each in record.plan.triggers if each.kind is TriggerKind.SCHEDULE]
    return [
        (f"plan_{record.id}" if index == 0 else f"plan_{record.id}:{trigger.id}", trigger)
        for index, trigger in enumerate(triggers)
    ]


def cron_of(trigger: Trigger) -> tuple[str, str]:
    """The trigger's cron expression and time zone, checked. Raises BadRequestError or ScheduleError with the field."""
    expression = trigger.config.get("cron_expression")
    timezone = trigger.config.get("timezone") or DEFAULT_TIMEZONE
    if not isinstance(expression, str) or not expression.strip():
        raise BadRequestError(
            "`cron_expression` is missing: a schedule needs one.",
            fix="For instance 0 9 * * 1 for Mondays at nine.",
            facts={"field": "cron_expression"},
        )
    if not isinstance(timezone, str):
        raise BadRequestError("`timezone` must be text such as Europe/Berlin.", facts={"field": "timezone"})
    check(expression, timezone)
    return expression, timezone


def _trigger_of(record: PlanRecord, schedule_id: str) -> Trigger | None:
    return next((trigger for each, trigger in schedule_triggers(record) if each == schedule_id), None)
