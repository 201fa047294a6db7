"""EditCommand: an edit and its inverse on the undo stack, applied through the edit session.

One road for every change of a plan: push a command; Qt calls redo, which calls `session.apply`. Where an edit is
refused the command takes itself off the stack (Qt would keep it) and the reason goes to `refused`.
"""

import time
from collections.abc import Callable
from typing import Protocol

from PySide6.QtGui import QUndoCommand

from flowstudio.errors import FlowStudioError
from flowstudio.plan.edits import Edit, Edited
from flowstudio.plan.model import Plan

MERGE_WITHIN_S = 1.0
_MERGEABLE = 1


class Session(Protocol):
    """What the undo stack and the canvas need of an edit session."""

    @property
    def plan(self) -> Plan: ...

    def apply(self, edit: Edit) -> Edited:
        """Applies, journals and publishes the edit, or raises with nothing touched."""


def _ignore(_: object) -> None:
    return None


class EditCommand(QUndoCommand):
    """Applies `edit` when pushed or redone and the inverse it gave when undone.

    shown is called with each Edited (undo too); refused with the error of an edit that could not be applied.
    Edits that merge (typing in one field, moving the same cards) become one command when less than a second lies
    between them.
    """

    def __init__(
        self,
        session: Session,
        edit: Edit,
        *,
        shown: Callable[[Edited], None] = _ignore,
        refused: Callable[[FlowStudioError], None] = _ignore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(edit.text)
        self._session = session
        self._edit = edit
        self._inverse: Edit | None = None
        self._shown = shown
        self._refused = refused
        self._clock = clock
        self._touched_at = clock()

    def redo(self) -> None:
        edited = self._apply(self._edit)
        if edited is not None:
            self._inverse = edited.inverse

    def undo(self) -> None:
        if self._inverse is not None:
            self._apply(self._inverse)

    def id(self) -> int:
        return _MERGEABLE

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Takes in the next command where both edits make one; the first inverse still leads back to the start."""
        if not isinstance(other, EditCommand) or other._session is not self._session or other.isObsolete():
            return False
        if other._touched_at - self._touched_at > MERGE_WITHIN_S:
            return False
        merged = self._edit.merge_with(other._edit)
        if merged is None:
            return False
        self._edit = merged
        self._touched_at = other._touched_at
        self.setText(merged.text)
        return True

    def _apply(self, edit: Edit) -> Edited | None:
        try:
            edited = self._session.apply(edit)
        except FlowStudioError as error:
            self.setObsolete(True)
            self._refused(error)
            return None
        self._shown(edited)
        return edited
