"""Where schedules live and what a firing starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Schedule:
    """A plan's cron trigger. id is "plan_<plan_id>"; next_fire is aware UTC, None when it never fires again."""

    id: str
    plan_id: str
    user_id: str
    plan_name: str
    cron_expression: str
    timezone: str
    next_fire: datetime | None


class ScheduleStore(Protocol):
    def put(self, schedule: Schedule) -> None:
        """Stores or replaces by id."""
        ...

    def get(self, schedule_id: str) -> Schedule | None: ...

    def remove(self, schedule_id: str) -> bool: ...

    def all(self) -> Sequence[Schedule]:
        """Of all users, by next_fire."""
        ...

    def claim(self, schedule_id: str, due: datetime, next_fire: datetime | None) -> bool:
        """Moves next_fire on if it still is `due`; False when another process or an edit was first."""
        ...


class StartRun(Protocol):
    def __call__(self, schedule: Schedule, due: datetime) -> None:
        """Starts the run `cron:<schedule id>:<due UTC>`; a second call for the same instant does nothing."""
        ...


class Clock(Protocol):
    """The part of the engine's clock that schedules need."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...
