"""Drafts: a snapshot and the edits after it, each durable before it shows on the screen.

An append is one INSERT and nothing else; when a draft was last touched is the time of its last edit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select
from sqlalchemy.exc import IntegrityError

from flowstudio.plan.document import from_document, to_document
from flowstudio.plan.model import Plan
from flowstudio.storage.database import Database
from flowstudio.storage.tables import plan_drafts, plan_edits
from flowstudio.workspace.errors import StorageError
from flowstudio.workspace.ports import Draft, JournaledEdit


def utc_now() -> datetime:
    return datetime.now(UTC)


class SqlEditJournal:
    """workspace.ports.EditJournal. Thread-safe; one session at a time edits a draft."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    def open(self, user_id: str, plan: Plan, file: str | None) -> None:
        """Begins, or begins again, the draft of plan.id."""
        self.snapshot(user_id, plan, file)

    def append(self, user_id: str, plan_id: str, edit: JournaledEdit) -> None:
        """Durable on return. Raises StorageError when the draft is gone or has an edit of this sequence already."""
        row = {
            "user_id": user_id,
            "plan_id": plan_id,
            "sequence": edit.sequence,
            "edit": edit.edit,
            "inverse": edit.inverse,
            "created_at": self._now(),
        }
        try:
            with self._database.begin(user_id) as connection:
                connection.execute(self._database.insert(plan_edits), row)
        except IntegrityError as error:
            raise StorageError(
                "This draft was closed or changed in another window.",
                fix="Save what you see as a new file and open the plan again.",
                facts={"plan_id": plan_id, "sequence": edit.sequence},
            ) from error

    def snapshot(self, user_id: str, plan: Plan, file: str | None) -> None:
        """Replaces snapshot and edits in one transaction."""
        row = {
            "user_id": user_id,
            "plan_id": plan.id,
            "snapshot": to_document(plan),
            "file": file,
            "updated_at": self._now(),
        }
        with self._database.begin(user_id) as connection:
            connection.execute(delete(plan_drafts).filter_by(user_id=user_id, plan_id=plan.id))
            connection.execute(self._database.insert(plan_drafts), row)

    def load(self, user_id: str, plan_id: str) -> Draft | None:
        return next(iter(self._drafts(user_id, {"plan_id": plan_id})), None)

    def list(self, user_id: str) -> Sequence[Draft]:
        """The one touched last comes first."""
        return sorted(self._drafts(user_id, {}), key=lambda draft: draft.updated_at, reverse=True)

    def discard(self, user_id: str, plan_id: str) -> None:
        with self._database.begin(user_id) as connection:
            connection.execute(delete(plan_drafts).filter_by(user_id=user_id, plan_id=plan_id))

    def _drafts(self, user_id: str, which: Mapping[str, str]) -> Iterable[Draft]:
        with self._database.reading(user_id) as connection:
            rows = connection.execute(select(plan_drafts).filter_by(user_id=user_id, **which)).mappings().all()
            return [_draft(row, _edits(connection, row)) for row in rows]


def _edits(connection: Connection, draft: RowMapping) -> Sequence[RowMapping]:
    query = select(plan_edits).filter_by(user_id=draft["user_id"], plan_id=draft["plan_id"])
    return connection.execute(query.order_by(plan_edits.c.sequence)).mappings().all()


def _draft(row: RowMapping, edits: Sequence[RowMapping]) -> Draft:
    times: list[Any] = [row["updated_at"], *(edit["created_at"] for edit in edits)]
    return Draft(
        plan_id=row["plan_id"],
        user_id=row["user_id"],
        snapshot=from_document(row["snapshot"]),
        edits=tuple(JournaledEdit(edit["sequence"], edit["edit"], edit["inverse"]) for edit in edits),
        file=row["file"],
        updated_at=max(times),
    )
