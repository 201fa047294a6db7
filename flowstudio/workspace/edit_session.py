"""EditSession: one plan under the hand. Every edit is checked, journaled, swapped in and told to the window."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flowstudio.plan.changes import Change
from flowstudio.plan.edits import Edit, Edited
from flowstudio.plan.model import Plan
from flowstudio.workspace.errors import SessionClosedError
from flowstudio.workspace.ports import JournaledEdit


@dataclass(frozen=True, slots=True)
class PlanEdited:
    """Published after the journal holds the edit. changes: what the canvas has to draw again."""

    plan_id: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class PlanSaved:
    """The session's plan now equals what is stored. file is None when it was published, not written to a file."""

    plan_id: str
    file: Path | None


class SessionJournal(Protocol):
    """The part of the edit journal one session uses (workspace.ports.EditJournal)."""

    def append(self, user_id: str, plan_id: str, edit: JournaledEdit) -> None: ...
    def snapshot(self, user_id: str, plan: Plan, file: str | None) -> None: ...
    def discard(self, user_id: str, plan_id: str) -> None: ...


class EditSession:
    """The current plan and the way to change it. For the GUI thread only.

    saved: the plan as it was last stored; sequence: how many journaled edits lie between saved and plan.
    """

    def __init__(
        self,
        user_id: str,
        plan: Plan,
        journal: SessionJournal,
        publish: Callable[[object], None],
        *,
        file: Path | None = None,
        saved: Plan | None = None,
        sequence: int = 0,
    ) -> None:
        self.user_id = user_id
        self._plan = plan
        self._saved = plan if saved is None else saved
        self._file = file
        self._journal = journal
        self._publish = publish
        self._sequence = sequence
        self._is_open = True

    @property
    def plan(self) -> Plan:
        return self._plan

    @property
    def saved(self) -> Plan:
        """The plan as it was last stored."""
        return self._saved

    @property
    def file(self) -> Path | None:
        """The .flow file this plan was opened from or saved to."""
        return self._file

    @property
    def is_dirty(self) -> bool:
        """Whether the plan differs from what is stored. Cheap: steps an edit left alone are the same objects."""
        return self._plan is not self._saved and self._plan != self._saved

    @property
    def is_open(self) -> bool:
        return self._is_open

    def apply(self, edit: Edit) -> Edited:
        """Makes the edit, durable on return. Undo is the same road with `Edited.inverse`.

        Raises PlanError when it is not legal and StorageError when it cannot be journaled: nothing changed then.
        """
        self._require_open()
        edited = edit.apply(self._plan)
        entry = JournaledEdit(self._sequence + 1, edit.as_json(), edited.inverse.as_json())
        self._journal.append(self.user_id, self._plan.id, entry)
        self._sequence = entry.sequence
        self._plan = edited.plan
        self._publish(PlanEdited(edited.plan.id, tuple(edited.changes)))
        return edited

    def mark_saved(self, file: Path | None = None) -> None:
        """Notes that the plan as it stands was written to file, or published when file is None."""
        self._require_open()
        kept = self._file if file is None else file
        self._journal.snapshot(self.user_id, self._plan, None if kept is None else str(kept))
        self._file = kept
        self._saved = self._plan
        self._sequence = 0
        self._publish(PlanSaved(self._plan.id, file))

    def close(self) -> None:
        """Ends the session. Unsaved edits stay in the journal as a draft; without any the draft goes."""
        if self._is_open and not self.is_dirty:
            self._journal.discard(self.user_id, self._plan.id)
        self._is_open = False

    def discard(self) -> None:
        """Ends the session and throws its unsaved edits away."""
        if self._is_open:
            self._journal.discard(self.user_id, self._plan.id)
        self._is_open = False

    def _require_open(self) -> None:
        if not self._is_open:
            raise SessionClosedError(f"“{self._plan.name}” is closed.", fix="Open it again to go on editing.")
