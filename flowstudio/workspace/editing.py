"""Editing: opens plans for editing and brings drafts back after a crash."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from flowstudio.plan.document import dumps
from flowstudio.plan.edits import edit_from_json
from flowstudio.plan.model import Plan
from flowstudio.plan.rules import PlanError
from flowstudio.workspace.edit_session import EditSession
from flowstudio.workspace.files import read_plan_file, write_file
from flowstudio.workspace.ports import Draft, EditJournal

log = logging.getLogger(__name__)


class Editing:
    """Drafts live in the journal from the first edit on; a draft is never silently thrown away."""

    def __init__(self, journal: EditJournal, publish: Callable[[object], None]) -> None:
        self._journal = journal
        self._publish = publish

    def open(self, user_id: str, plan: Plan, file: Path | None = None) -> EditSession:
        """Starts editing plan as it is stored.

        A draft of the same plan left by a crash is taken up when it began from this very content; one that began from
        other content is kept beside it as a recovered copy.
        """
        draft = self._journal.load(user_id, plan.id)
        if draft is not None and draft.edits:
            if draft.snapshot == plan:
                return self.resume(user_id, draft)
            self._set_aside(user_id, draft)
        self._journal.open(user_id, plan, None if file is None else str(file))
        return EditSession(user_id, plan, self._journal, self._publish, file=file)

    def drafts(self, user_id: str) -> list[Draft]:
        """Drafts with unsaved edits, newest first: what a crash left behind."""
        left = [draft for draft in self._journal.list(user_id) if draft.edits]
        return sorted(left, key=lambda draft: draft.updated_at, reverse=True)

    def resume(self, user_id: str, draft: Draft) -> EditSession:
        """The session as it was before the crash: the snapshot with its edits made again."""
        plan, made = _replay(draft)
        if made < len(draft.edits):
            # What cannot be replayed would block every later edit of this draft: begin again after what could.
            log.warning("Draft of %s: %d of %d edits could be made again", draft.plan_id, made, len(draft.edits))
            self._journal.snapshot(user_id, plan, draft.file)
        sequence = draft.edits[-1].sequence if made and made == len(draft.edits) else 0
        file = Path(draft.file) if draft.file else None
        return EditSession(
            user_id, plan, self._journal, self._publish, file=file, saved=draft.snapshot, sequence=sequence
        )

    def read_file(self, path: Path) -> Plan:
        """The plan in a .flow file, or one in the API's shape. Raises FileUnreadableError, DocumentError, PlanError."""
        return read_plan_file(path)

    def open_file(self, user_id: str, path: Path) -> EditSession:
        """Opens that file's plan for editing."""
        return self.open(user_id, self.read_file(path), path)

    def save_file(self, session: EditSession, path: Path) -> None:
        """Writes the session's plan, canonical, in one step. Raises the StorageError family, the old file intact."""
        write_file(path, dumps(session.plan))
        session.mark_saved(path)

    def discard(self, user_id: str, draft: Draft) -> None:
        """Throws a left-over draft away."""
        self._journal.discard(user_id, draft.plan_id)

    def _set_aside(self, user_id: str, draft: Draft) -> None:
        copy = replace(draft.snapshot, id=str(uuid4()), name=f"{draft.snapshot.name} (recovered)")
        self._journal.open(user_id, copy, None)
        for edit in draft.edits:
            self._journal.append(user_id, copy.id, edit)


def _replay(draft: Draft) -> tuple[Plan, int]:
    """The plan after the draft's edits, and how many of them could be made."""
    plan = draft.snapshot
    for made, entry in enumerate(draft.edits):
        try:
            plan = edit_from_json(entry.edit).apply(plan).plan
        except PlanError:
            log.exception("Edit %d of the draft of %s cannot be made again", entry.sequence, draft.plan_id)
            return plan, made
    return plan, len(draft.edits)
