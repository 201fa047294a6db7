"""What was not saved is kept, and the person is told where."""

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from flowstudio.plan.edits import AddStep
from flowstudio.plan.model import Plan, Step
from flowstudio.ui.main_window import MainWindow

GREET = Step("greet", "logic", "transform", "Greet", {"template": "Hello"})

Opener = Callable[[], MainWindow]


def edited(window: MainWindow, plan_id: str, name: str) -> None:
    """A plan in front with an edit that was not saved."""
    window.documents.open_plan(Plan(plan_id, name))
    tab = window.editor.front
    assert tab is not None
    tab.open_plan.push(AddStep(GREET))


def test_closing_a_tab_with_changes_says_where_they_are(window: MainWindow) -> None:
    edited(window, "a", "First")
    window.documents.close_front()
    assert window.status.message.full_text == "“First” is kept as a draft. It is listed on Home."


def test_closing_the_window_keeps_changes_and_the_next_start_says_where(open_it: Opener, qtbot: QtBot) -> None:
    first = open_it()
    edited(first, "a", "First")
    first.close()
    second = open_it()
    qtbot.waitUntil(lambda: second.home.model.rowCount() == 1)
    assert second.editor.front is None
    assert second.notice.text.text() == "“First” was closed with unsaved changes. Its draft is listed on Home."
    assert second.home.model.index(0, 1).data() == "Draft"


def test_the_word_about_kept_changes_is_said_once(open_it: Opener, qtbot: QtBot) -> None:
    first = open_it()
    edited(first, "a", "First")
    first.close()
    open_it().close()
    third = open_it()
    qtbot.waitUntil(lambda: third.home.model.rowCount() == 1)
    assert not third.notice.isVisible()


def test_a_crash_reopens_only_what_was_open(open_it: Opener, qtbot: QtBot) -> None:
    first = open_it()
    edited(first, "a", "Put away")
    first.documents.close_front()
    edited(first, "b", "Under the hand")
    second = open_it()  # the first one was never closed
    qtbot.waitUntil(lambda: second.editor.front is not None)
    assert [tab.open_plan.plan.name for tab in second.editor.all_tabs()] == ["Under the hand"]
    assert "closed unexpectedly. 1 plan restored" in second.notice.text.text()
    qtbot.waitUntil(lambda: second.home.model.rowCount() == 2)
