"""Schedules and their next instants. claim is how several processes on one database agree on who was first."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update

from flowstudio.scheduling.ports import Schedule
from flowstudio.storage.database import Database
from flowstudio.storage.tables import schedules


class SqlScheduleStore:
    """scheduling.ports.ScheduleStore. Thread-safe; serves the clock, which crosses users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, schedule: Schedule) -> None:
        """Stores or replaces by id."""
        row = {
            "id": schedule.id,
            "plan_id": schedule.plan_id,
            "user_id": schedule.user_id,
            "plan_name": schedule.plan_name,
            "cron_expression": schedule.cron_expression,
            "timezone": schedule.timezone,
            "next_fire": schedule.next_fire,
        }
        insert = self._database.insert(schedules).values(row)
        changed = {name: insert.excluded[name] for name in row if name != "id"}
        with self._database.begin() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=changed))

    def get(self, schedule_id: str) -> Schedule | None:
        with self._database.reading() as connection:
            row = connection.execute(select(schedules).filter_by(id=schedule_id)).mappings().first()
        return Schedule(**row) if row else None

    def remove(self, schedule_id: str) -> bool:
        with self._database.begin() as connection:
            return bool(connection.execute(delete(schedules).filter_by(id=schedule_id)).rowcount)

    def all(self) -> Sequence[Schedule]:
        """Of all users, by next_fire; those that never fire again come last."""
        query = select(schedules).order_by(schedules.c.next_fire.is_(None), schedules.c.next_fire, schedules.c.id)
        with self._database.reading() as connection:
            return [Schedule(**row) for row in connection.execute(query).mappings()]

    def claim(self, schedule_id: str, due: datetime, next_fire: datetime | None) -> bool:
        """Moves next_fire on if it still is due; False when another process or an edit was first."""
        query = update(schedules).filter_by(id=schedule_id, next_fire=due).values(next_fire=next_fire)
        with self._database.begin() as connection:
            return bool(connection.execute(query).rowcount)
