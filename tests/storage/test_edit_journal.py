from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from flowstudio.plan.model import Plan, Step
from flowstudio.storage.database import Database
from flowstudio.storage.edit_journal import SqlEditJournal
from flowstudio.workspace.errors import StorageError
from flowstudio.workspace.ports import Draft, JournaledEdit

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PLAN = Plan("p1", "Digest", steps=(Step("a", "http", "request"),))


class Ticking:
    """A clock that moves one second each time it is read."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self) -> datetime:
        self.reads += 1
        return NOW + timedelta(seconds=self.reads - 1)


@pytest.fixture
def journal(database: Database) -> SqlEditJournal:
    return SqlEditJournal(database, Ticking())


def edit(sequence: int) -> JournaledEdit:
    return JournaledEdit(sequence, {"kind": "set", "n": sequence}, {"kind": "set", "n": sequence - 1})


def test_a_draft_is_its_snapshot_and_the_edits_after_it(journal: SqlEditJournal) -> None:
    journal.open("ann", PLAN, "/tmp/a.flow")
    journal.append("ann", "p1", edit(1))
    journal.append("ann", "p1", edit(2))
    expected = Draft("p1", "ann", PLAN, (edit(1), edit(2)), "/tmp/a.flow", NOW + timedelta(seconds=2))
    assert journal.load("ann", "p1") == expected


def test_what_was_appended_survives_without_a_goodbye(new_sqlite: Callable[[], Database]) -> None:
    first = new_sqlite()
    first.upgrade()
    SqlEditJournal(first).open("ann", PLAN, None)
    SqlEditJournal(first).append("ann", "p1", edit(1))
    draft = SqlEditJournal(new_sqlite()).load("ann", "p1")
    assert draft is not None
    assert draft.edits == (edit(1),)


def test_a_snapshot_replaces_the_edits(journal: SqlEditJournal) -> None:
    journal.open("ann", PLAN, None)
    journal.append("ann", "p1", edit(1))
    journal.snapshot("ann", Plan("p1", "Renamed"), "b.flow")
    assert journal.load("ann", "p1") == Draft(
        "p1", "ann", Plan("p1", "Renamed"), (), "b.flow", NOW + timedelta(seconds=2)
    )


def test_opening_again_begins_again(journal: SqlEditJournal) -> None:
    journal.open("ann", PLAN, None)
    journal.append("ann", "p1", edit(1))
    journal.open("ann", PLAN, None)
    journal.append("ann", "p1", edit(1))
    draft = journal.load("ann", "p1")
    assert draft is not None
    assert len(draft.edits) == 1


def test_an_edit_of_a_draft_that_is_gone_is_refused(journal: SqlEditJournal) -> None:
    with pytest.raises(StorageError, match="another window"):
        journal.append("ann", "p1", edit(1))


def test_two_windows_cannot_write_the_same_step_of_history(journal: SqlEditJournal) -> None:
    journal.open("ann", PLAN, None)
    journal.append("ann", "p1", edit(1))
    with pytest.raises(StorageError, match="another window"):
        journal.append("ann", "p1", edit(1))


def test_a_discarded_draft_is_gone(journal: SqlEditJournal) -> None:
    journal.open("ann", PLAN, None)
    journal.discard("ann", "p1")
    assert journal.load("ann", "p1") is None
    assert journal.list("ann") == []


def test_drafts_are_listed_by_last_touch(journal: SqlEditJournal) -> None:
    journal.open("ann", PLAN, None)
    journal.open("ann", Plan("p2", "Second"), None)
    journal.append("ann", "p1", edit(1))
    assert [draft.plan_id for draft in journal.list("ann")] == ["p1", "p2"]


def test_a_user_sees_and_changes_own_drafts_only(journal: SqlEditJournal) -> None:
    journal.open("ann", PLAN, None)
    journal.open("bob", PLAN, "bob.flow")
    journal.discard("bob", "p1")
    assert journal.list("bob") == []
    assert journal.load("bob", "p1") is None
    assert journal.load("ann", "p1") is not None
