"""Live plans, and the webhook paths their triggers own.

plan_json holds the whole plan as its .flow document; name, required_providers and trigger stand beside it for other
programs that read the table, as the old service wrote them. Reading takes the document.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, select, text
from sqlalchemy.exc import IntegrityError

from flowstudio.plan.document import from_document, to_document
from flowstudio.plan.errors import DocumentError
from flowstudio.plan.model import Plan, StepKind, Trigger, TriggerKind
from flowstudio.storage.columns import from_micros
from flowstudio.storage.database import Database
from flowstudio.storage.prepared import Prepared
from flowstudio.storage.tables import execution_plans, schedules, webhook_routes
from flowstudio.workspace.errors import CorruptDatabaseError, PlanTakenError, WebhookTakenError
from flowstudio.workspace.ports import PlanRecord, PlanStamp, WebhookRoute

_ROUTE = (
    select(webhook_routes, execution_plans.c.revision, execution_plans.c.updated_at)
    .join(execution_plans)
    .where(webhook_routes.c.path == bindparam("path"))
)

_STAMP = select(execution_plans.c.revision, execution_plans.c.updated_at).where(
    execution_plans.c.id == bindparam("plan"), execution_plans.c.user_id == bindparam("user")
)

log = logging.getLogger(__name__)


class SqlPlanStore:
    """workspace.ports.PlanStore. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._route = Prepared(_ROUTE, database.engine.dialect)
        self._stamp = Prepared(_STAMP, database.engine.dialect)

    def save(self, record: PlanRecord) -> None:
        """Inserts or replaces, routes included, in one transaction. created_at of a stored plan stays.

        Raises WebhookTakenError when another plan owns one of its paths, PlanTakenError when the id is another user's.
        """
        with self._database.begin(record.user_id) as connection:
            if not connection.execute(self._upsert(_row(record))).rowcount:
                raise PlanTakenError(
                    "A plan with this id belongs to another user of this installation.",
                    fix="Save a copy of it: a copy gets an id of its own.",
                    facts={"plan_id": record.id},
                )
            self._replace_routes(connection, record)

    def get(self, user_id: str, plan_id: str) -> PlanRecord | None:
        query = select(execution_plans).filter_by(id=plan_id, user_id=user_id)
        with self._database.reading(user_id) as connection:
            row = connection.execute(query).mappings().first()
        return _record(row) if row else None

    def list(self, user_id: str) -> Sequence[PlanRecord]:
        """Newest first."""
        plans = execution_plans.c
        query = select(execution_plans).filter_by(user_id=user_id).order_by(plans.created_at.desc(), plans.id)
        with self._database.reading(user_id) as connection:
            return _readable(connection.execute(query).mappings())

    def delete(self, user_id: str, plan_id: str) -> bool:
        """Takes the plan, its routes and its schedules; its runs stay in the history."""
        with self._database.begin(user_id) as connection:
            connection.execute(delete(schedules).filter_by(plan_id=plan_id, user_id=user_id))
            return bool(connection.execute(delete(execution_plans).filter_by(id=plan_id, user_id=user_id)).rowcount)

    def stamp(self, user_id: str, plan_id: str) -> PlanStamp | None:
        found = self._database.rows(self._stamp.text, self._stamp.row({"plan": plan_id, "user": user_id}))
        if not found:
            return None
        ((revision, updated_at),) = found
        return PlanStamp(user_id, plan_id, revision, from_micros(updated_at))

    def webhook(self, path: str) -> WebhookRoute | None:
        """The enabled trigger, of any user, that owns the path."""
        found = self._database.rows(self._route.text, self._route.row({"path": path}))
        if not found:
            return None
        (own_path, user_id, plan_id, trigger_id, revision, updated_at) = found[0]
        return WebhookRoute(own_path, PlanStamp(user_id, plan_id, revision, from_micros(updated_at)), trigger_id)

    def enabled_plans(self) -> Sequence[PlanRecord]:
        """Of all users, oldest first."""
        query = select(execution_plans).where(text("enabled")).order_by(execution_plans.c.created_at)
        with self._database.reading() as connection:
            return _readable(connection.execute(query).mappings())

    def _upsert(self, row: Mapping[str, Any]) -> Any:
        """Another user's row of the same id is left alone: then no row is counted."""
        insert = self._database.insert(execution_plans).values(row)
        changed = {name: insert.excluded[name] for name in row if name not in ("id", "user_id", "created_at")}
        mine = execution_plans.c.user_id == insert.excluded.user_id
        return insert.on_conflict_do_update(index_elements=["id"], set_=changed, where=mine)

    def _replace_routes(self, connection: Connection, record: PlanRecord) -> None:
        connection.execute(delete(webhook_routes).filter_by(plan_id=record.id))
        for trigger in record.plan.triggers if record.enabled else ():
            path = _path(trigger)
            if path:
                self._claim(connection, path, record, trigger)

    def _claim(self, connection: Connection, path: str, record: PlanRecord, trigger: Trigger) -> None:
        row = {"path": path, "user_id": record.user_id, "plan_id": record.id, "trigger_id": trigger.id}
        try:
            connection.execute(self._database.insert(webhook_routes), row)
        except IntegrityError as error:
            raise WebhookTakenError(
                f"The webhook path {path} is in use already.",
                fix="Choose another path, or remove it from the other trigger first.",
                facts={"path": path},
            ) from error


def _path(trigger: Trigger) -> str:
    path = trigger.config.get("webhook_path")
    is_open = trigger.kind is TriggerKind.WEBHOOK and trigger.enabled
    return path if is_open and isinstance(path, str) else ""


def _row(record: PlanRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "user_id": record.user_id,
        "name": record.plan.name,
        "original_prompt": record.original_prompt,
        "plan_json": to_document(record.plan),
        "plain_english_steps": record.plain_english_steps,
        "required_providers": _providers(record.plan),
        "trigger": _first_trigger(record.plan),
        "status": record.status,
        "enabled": record.enabled,
        "approved_at": record.approved_at,
        "revision": record.revision,
        "extra": record.extra,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }


def _readable(rows: Iterable[RowMapping]) -> list[PlanRecord]:
    """The plans that can be read: one that is damaged must not take the others along, nor the start of the program."""
    records = []
    for row in rows:
        try:
            records.append(_record(row))
        except CorruptDatabaseError as error:
            log.error("A plan is left out: %s", error)
    return records


def _record(row: RowMapping) -> PlanRecord:
    try:
        plan = from_document(row["plan_json"])
    except DocumentError as error:
        raise CorruptDatabaseError(
            f"The stored plan “{row['name']}” ({row['id']}) cannot be read: {error.sentence}",
            fix="Delete it, or restore a backup of the database.",
        ) from error
    return PlanRecord(
        id=row["id"],
        user_id=row["user_id"],
        plan=plan,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        status=row["status"],
        enabled=row["enabled"],
        original_prompt=row["original_prompt"],
        plain_english_steps=tuple(row["plain_english_steps"]),
        approved_at=row["approved_at"],
        revision=row["revision"],
        extra=row["extra"],
    )


def _providers(plan: Plan) -> list[str]:
    return sorted({step.provider for step in plan.steps if step.kind is StepKind.ACTION})


def _first_trigger(plan: Plan) -> dict[str, Any] | None:
    """The old table has room for one."""
    if not plan.triggers:
        return None
    trigger = plan.triggers[0]
    return {"type": trigger.kind.value, "config": trigger.config}
