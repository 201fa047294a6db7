"""The road every edit takes: check, journal, swap, publish."""

from dataclasses import replace
from pathlib import Path

import pytest

from flowstudio.plan.changes import StepAdded
from flowstudio.plan.edits import AddStep, SetParam
from flowstudio.plan.errors import PlanError
from flowstudio.plan.model import Plan, Step
from flowstudio.workspace.edit_session import EditSession, PlanEdited, PlanSaved
from flowstudio.workspace.errors import DiskFullError, SessionClosedError
from flowstudio.workspace.ports import JournaledEdit

STEP = Step("fetch", "http", "request")
EMPTY = Plan("p1", "Leads")


class MemoryJournal:
    """A journal that can be told to refuse."""

    def __init__(self) -> None:
        self.edits: list[JournaledEdit] = []
        self.snapshots: list[tuple[Plan, str | None]] = []
        self.is_discarded = False
        self.is_full = False

    def append(self, user_id: str, plan_id: str, edit: JournaledEdit) -> None:
        if self.is_full:
            raise DiskFullError("The disk is full.")
        self.edits.append(edit)

    def snapshot(self, user_id: str, plan: Plan, file: str | None) -> None:
        self.snapshots.append((plan, file))
        self.edits.clear()

    def discard(self, user_id: str, plan_id: str) -> None:
        self.is_discarded = True


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def heard() -> list[object]:
    return []


@pytest.fixture
def session(journal: MemoryJournal, heard: list[object]) -> EditSession:
    return EditSession("local", EMPTY, journal, heard.append)


def test_an_edit_changes_the_plan_and_is_told(session: EditSession, heard: list[object]) -> None:
    session.apply(AddStep(STEP))
    assert session.plan.steps == (STEP,)
    (event,) = heard
    assert isinstance(event, PlanEdited)
    assert [type(change) for change in event.changes] == [StepAdded]


def test_edits_are_journaled_with_their_inverse_in_order(session: EditSession, journal: MemoryJournal) -> None:
    session.apply(AddStep(STEP))
    session.apply(SetParam("fetch", "url", "https://example.org"))
    assert [entry.sequence for entry in journal.edits] == [1, 2]
    assert all(entry.inverse for entry in journal.edits)


def test_an_illegal_edit_touches_nothing(session: EditSession, journal: MemoryJournal, heard: list[object]) -> None:
    with pytest.raises(PlanError):
        session.apply(SetParam("nowhere", "url", "x"))
    assert session.plan is EMPTY
    assert journal.edits == []
    assert heard == []


def test_an_edit_that_cannot_be_journaled_is_not_made(
    session: EditSession, journal: MemoryJournal, heard: list[object]
) -> None:
    journal.is_full = True
    with pytest.raises(DiskFullError):
        session.apply(AddStep(STEP))
    assert session.plan is EMPTY
    assert heard == []


def test_undoing_everything_makes_the_session_clean_again(session: EditSession) -> None:
    edited = session.apply(AddStep(STEP))
    assert session.is_dirty
    session.apply(edited.inverse)
    assert not session.is_dirty


def test_saving_makes_it_clean_and_remembers_the_file(
    session: EditSession, journal: MemoryJournal, heard: list[object]
) -> None:
    session.apply(AddStep(STEP))
    session.mark_saved(Path("leads.flow"))
    assert not session.is_dirty
    assert session.file == Path("leads.flow")
    assert journal.snapshots == [(replace(EMPTY, steps=(STEP,)), "leads.flow")]
    assert heard[-1] == PlanSaved("p1", Path("leads.flow"))


def test_sequence_starts_again_after_saving(session: EditSession, journal: MemoryJournal) -> None:
    session.apply(AddStep(STEP))
    session.mark_saved()
    session.apply(SetParam("fetch", "url", "x"))
    assert [entry.sequence for entry in journal.edits] == [1]


def test_closing_keeps_unsaved_edits_as_a_draft(session: EditSession, journal: MemoryJournal) -> None:
    session.apply(AddStep(STEP))
    session.close()
    assert not journal.is_discarded


def test_closing_a_clean_session_leaves_no_draft(session: EditSession, journal: MemoryJournal) -> None:
    session.close()
    assert journal.is_discarded


def test_discarding_throws_the_draft_away_and_ends_the_session(session: EditSession, journal: MemoryJournal) -> None:
    session.apply(AddStep(STEP))
    session.discard()
    assert journal.is_discarded
    with pytest.raises(SessionClosedError):
        session.apply(AddStep(Step("other", "http", "request")))
