"""Fires schedules: the table knows when, cronsim computed it, APScheduler only waits.

No firing is lost or doubled, whatever dies when. A due schedule first starts its run, whose id is made from schedule
and instant, so that a second start of the same firing meets the first one's run and does nothing; only then next_fire
moves on. A crash between the two fires again at the next start; a second process on the same database may do the same
at the same moment; both are harmless.

Missed while nothing was running: one run for all of them, at once, and a line in the log.

Every TICK_S the waiting list is compared with the table. That is how a change made by another process is seen, and how
a wait that a sleeping laptop or a corrected clock made too long is cut short.
"""

import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flowstudio.errors import FlowStudioError
from flowstudio.scheduling import cron
from flowstudio.scheduling.ports import Clock, Schedule, ScheduleStore, StartRun

log = logging.getLogger(__name__)

TICK_S = 30
FIRING_THREADS = 4
A_CENTURY_DAYS = 36500


@dataclass(frozen=True, slots=True)
class _Wait:
    """What APScheduler waits for on behalf of one schedule; job is its own untyped object."""

    due: datetime
    job: Any


class Scheduler:
    """Thread-safe. put, remove and jobs work on the table and need no start()."""

    def __init__(self, store: ScheduleStore, start: StartRun, clock: Clock) -> None:
        self._store = store
        self._start = start
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, _Wait] = {}  # by schedule id, a firing under way included
        self._timer: Any = None

    @property
    def is_running(self) -> bool:
        timer = self._timer
        return timer is not None and bool(timer.running)

    def start(self) -> None:
        """Begins to fire; what was missed fires now."""
        timer = _new_timer()
        timer.add_job(self._tick, "interval", seconds=TICK_S)
        with self._lock:
            self._timer = timer
        self._sync()
        timer.start()

    def close(self) -> None:
        """Ends the waiting and lets a firing under way finish. May be called without start, and twice."""
        with self._lock:
            timer, self._timer = self._timer, None
            self._waiting.clear()
        if timer is not None and timer.running:
            timer.shutdown(wait=True)

    def put(self, schedule: Schedule) -> None:
        """Stores the schedule and waits for its next instant at once. Raises ScheduleError, then nothing changes.

        next_fire is computed here; a stored one stays while expression and time zone do, a missed one included.
        """
        cron.check(schedule.cron_expression, schedule.timezone)
        old = self._store.get(schedule.id)
        upcoming = old.next_fire if old is not None and _same_times(old, schedule) else None
        if upcoming is None:
            upcoming = cron.next_fire(schedule.cron_expression, schedule.timezone, self._clock.now())
        stored = replace(schedule, next_fire=upcoming)
        self._store.put(stored)
        self._wait_for(stored)

    def remove(self, schedule_id: str) -> bool:
        """False when there was none."""
        removed = self._store.remove(schedule_id)
        self._forget(schedule_id)
        return removed

    def jobs(self) -> list[Schedule]:
        """Of all users, by next_fire, as the table has them: the true times."""
        return list(self._store.all())

    def _tick(self) -> None:
        try:
            self._sync()
        except FlowStudioError as error:
            log.error("The schedules could not be read and are tried again in %s s: %s", TICK_S, error)

    def _sync(self) -> None:
        """Makes the waiting list what the table says."""
        schedules = self._store.all()
        for schedule in schedules:
            self._wait_for(schedule)
        with self._lock:
            for gone in self._waiting.keys() - {schedule.id for schedule in schedules}:
                self._drop(gone)

    def _wait_for(self, schedule: Schedule) -> None:
        due = schedule.next_fire
        with self._lock:
            held = self._waiting.get(schedule.id)
            if self._timer is None or (held is not None and held.due == due):
                return
            self._drop(schedule.id)
            if due is not None:
                self._waiting[schedule.id] = _Wait(due, self._job(schedule.id, due))

    def _job(self, schedule_id: str, due: datetime) -> Any:
        """A job for one instant, removed by us: APScheduler removes a "date" job itself, and fails when it closes."""
        return self._timer.add_job(
            self._fire, "interval", days=A_CENTURY_DAYS, next_run_time=due, args=(schedule_id, due)
        )

    def _forget(self, schedule_id: str) -> None:
        with self._lock:
            self._drop(schedule_id)

    def _drop(self, schedule_id: str) -> None:
        """The lock is held, so the timer is not closing and knows the job."""
        held = self._waiting.pop(schedule_id, None)
        if held is not None:
            held.job.remove()

    def _fire(self, schedule_id: str, due: datetime) -> None:
        """The outermost frame of a firing, on a thread of APScheduler's."""
        try:
            after = self._fired(schedule_id, due)
        except FlowStudioError as error:
            log.error("The firing of %s at %s is tried again in %s s: %s", schedule_id, due, TICK_S, error)
            self._forget(schedule_id)  # the next tick finds it due
            return
        if after is None:
            self._forget(schedule_id)
        else:
            self._wait_for(after)

    def _fired(self, schedule_id: str, due: datetime) -> Schedule | None:
        """Starts what is due and moves next_fire on; the schedule as it stands then, None when it is gone."""
        schedule = self._store.get(schedule_id)
        if schedule is None or schedule.next_fire != due:
            return schedule  # removed, edited, or fired by another process meanwhile
        now = self._clock.now()
        upcoming = cron.next_fire(schedule.cron_expression, schedule.timezone, max(due, now))
        self._tell_missed(schedule, due, now)
        self._start_run(schedule, due)
        if self._store.claim(schedule_id, due, upcoming):
            return replace(schedule, next_fire=upcoming)
        return self._store.get(schedule_id)

    def _start_run(self, schedule: Schedule, due: datetime) -> None:
        try:
            self._start(schedule, due)
        except Exception:
            # Whatever is wrong with this plan must neither end the clock nor fire again and again.
            log.exception("“%s” could not be started by its schedule, due %s", schedule.plan_name, due)

    def _tell_missed(self, schedule: Schedule, due: datetime, now: datetime) -> None:
        second = cron.next_fire(schedule.cron_expression, schedule.timezone, due)
        if second is not None and second <= now:
            log.warning(
                "“%s” missed firings of its schedule from %s to %s (%s, %s); it runs once for all of them",
                schedule.plan_name,
                f"{due:%Y-%m-%d %H:%M} UTC",
                f"{now:%Y-%m-%d %H:%M} UTC",
                schedule.cron_expression,
                schedule.timezone,
            )


def _same_times(old: Schedule, new: Schedule) -> bool:
    return (old.cron_expression, old.timezone, old.user_id) == (new.cron_expression, new.timezone, new.user_id)


def _new_timer() -> Any:
    """APScheduler with everything of its own opinion off: memory only, no grace, UTC. Imported on first use (0.1 s)."""
    from apscheduler.schedulers.background import BackgroundScheduler

    timer: Any = BackgroundScheduler  # untyped
    return timer(
        timezone=UTC,
        executors={"default": {"type": "threadpool", "max_workers": FIRING_THREADS}},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        daemon=True,
    )
