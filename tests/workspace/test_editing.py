"""Drafts over a real SQLite journal: what a crash leaves, and what opening does with it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flowstudio.plan.document import dumps, read_plan
from flowstudio.plan.edits import AddStep, SetParam
from flowstudio.plan.errors import DocumentError
from flowstudio.plan.model import Plan, Step
from flowstudio.storage.database import Database
from flowstudio.storage.edit_journal import SqlEditJournal
from flowstudio.workspace.editing import Editing
from flowstudio.workspace.errors import FileUnreadableError
from flowstudio.workspace.ports import Draft, JournaledEdit

PLAN = Plan("p1", "Leads", steps=(Step("fetch", "http", "request"),))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlEditJournal]:
    database = Database(f"sqlite:///{tmp_path / 'drafts.db'}", "NORMAL")
    database.upgrade()
    yield SqlEditJournal(database)
    database.close()


@pytest.fixture
def editing(journal: SqlEditJournal) -> Editing:
    return Editing(journal, lambda event: None)


def draft_of(editing: Editing) -> Draft:
    (draft,) = editing.drafts("local")
    return draft


def test_what_was_edited_before_a_crash_comes_back(editing: Editing) -> None:
    before = editing.open("local", PLAN)
    before.apply(AddStep(Step("post", "slack", "post_message")))
    before.apply(SetParam("post", "text", "hello"))
    after = editing.resume("local", draft_of(editing))
    assert after.plan == before.plan
    assert after.is_dirty


def test_a_resumed_session_goes_on_journaling(editing: Editing) -> None:
    editing.open("local", PLAN).apply(SetParam("fetch", "url", "a"))
    editing.resume("local", draft_of(editing)).apply(SetParam("fetch", "url", "b"))
    again = editing.resume("local", draft_of(editing))
    assert again.plan.step("fetch").params == {"url": "b"}


def test_opening_the_same_content_takes_its_draft_up(editing: Editing) -> None:
    editing.open("local", PLAN).apply(SetParam("fetch", "url", "a"))
    assert editing.open("local", PLAN).plan.step("fetch").params == {"url": "a"}


def test_opening_other_content_keeps_the_draft_as_a_recovered_copy(editing: Editing) -> None:
    editing.open("local", PLAN).apply(SetParam("fetch", "url", "a"))
    other = replace(PLAN, description="changed elsewhere")
    assert editing.open("local", other).plan == other
    copy = editing.resume("local", draft_of(editing))
    assert copy.plan.name == "Leads (recovered)"
    assert copy.plan.id != PLAN.id
    assert copy.plan.step("fetch").params == {"url": "a"}


def test_drafts_without_edits_are_not_offered(editing: Editing) -> None:
    editing.open("local", PLAN)
    assert editing.drafts("local") == []


def test_another_users_drafts_are_not_seen(editing: Editing) -> None:
    editing.open("local", PLAN).apply(SetParam("fetch", "url", "a"))
    assert editing.drafts("grace") == []


@pytest.mark.logs("cannot be made again", "could be made again")
def test_an_edit_that_cannot_be_made_again_ends_the_replay_there(editing: Editing, journal: SqlEditJournal) -> None:
    session = editing.open("local", PLAN)
    session.apply(SetParam("fetch", "url", "a"))
    broken = SetParam("nowhere", "url", "b").as_json()
    journal.append("local", "p1", JournaledEdit(2, broken, broken))
    resumed = editing.resume("local", draft_of(editing))
    assert resumed.plan.step("fetch").params == {"url": "a"}
    assert resumed.is_dirty
    resumed.apply(SetParam("fetch", "url", "c"))
    assert editing.resume("local", draft_of(editing)).plan.step("fetch").params == {"url": "c"}


def test_a_saved_file_holds_the_plan_and_leaves_no_draft(editing: Editing, tmp_path: Path) -> None:
    session = editing.open("local", PLAN)
    session.apply(SetParam("fetch", "url", "a"))
    editing.save_file(session, tmp_path / "leads.flow")
    assert read_plan((tmp_path / "leads.flow").read_bytes()) == session.plan
    assert editing.drafts("local") == []
    assert not session.is_dirty


def test_a_file_is_opened_with_its_path(editing: Editing, tmp_path: Path) -> None:
    path = tmp_path / "leads.flow"
    path.write_bytes(dumps(PLAN))
    session = editing.open_file("local", path)
    assert (session.plan, session.file, session.is_dirty) == (PLAN, path, False)


def test_a_broken_file_is_a_sentence_with_its_place(editing: Editing, tmp_path: Path) -> None:
    path = tmp_path / "leads.flow"
    path.write_text('{"flowstudio": 1,\n oops}')
    with pytest.raises(DocumentError) as caught:
        editing.open_file("local", path)
    assert caught.value.line == 2
    with pytest.raises(FileUnreadableError):
        editing.open_file("local", tmp_path / "none.flow")
