"""HeldSessions: the plans under the hand over all windows. A plan opened twice has one session and one undo stack."""

from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtGui import QUndoStack

from flowstudio.workspace.edit_session import EditSession


@dataclass(slots=True)
class HeldSession:
    """holders: how many tabs show it."""

    session: EditSession
    undo: QUndoStack = field(default_factory=QUndoStack)
    holders: int = 0


class HeldSessions:
    """For the GUI thread only."""

    def __init__(self) -> None:
        self._by_plan: dict[str, HeldSession] = {}

    @property
    def plan_ids(self) -> list[str]:
        return [*self._by_plan]

    def find(self, plan_id: str) -> HeldSession | None:
        return self._by_plan.get(plan_id)

    def at_file(self, file: Path) -> HeldSession | None:
        return next((held for held in self._by_plan.values() if held.session.file == file), None)

    def hold(self, session: EditSession) -> HeldSession:
        """One more tab shows the plan."""
        held = self._by_plan.setdefault(session.plan.id, HeldSession(session))
        held.holders += 1
        return held

    def release(self, plan_id: str) -> EditSession | None:
        """A tab went; the session if it was the last one, for its owner to close."""
        held = self._by_plan[plan_id]
        held.holders -= 1
        if held.holders:
            return None
        del self._by_plan[plan_id]
        return held.session
