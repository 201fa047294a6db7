"""Several windows: one plan under two of them is one plan."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from flowstudio.plan.document import dumps
from flowstudio.plan.edits import AddStep, SetParam
from flowstudio.plan.model import Plan, Step
from flowstudio.ui.editor.plan_tab import PlanTab
from flowstudio.ui.main_window import MainWindow

GREET = Step("greet", "logic", "transform", "Greet", {"template": "Hello"})
PLAN = Plan("plan-1", "Greetings", steps=(GREET,))


@pytest.fixture
def other(window: MainWindow, qtbot: QtBot) -> Iterator[MainWindow]:
    before = {each for each in QApplication.topLevelWidgets() if isinstance(each, MainWindow)}
    window.actions_by_name["new-window"].trigger()
    opened = next(
        each for each in QApplication.topLevelWidgets() if isinstance(each, MainWindow) and each not in before
    )
    qtbot.waitExposed(opened)
    yield opened
    if isValid(opened):
        opened.close()


def front(window: MainWindow) -> PlanTab:
    tab = window.editor.front
    assert tab is not None
    return tab


def both(window: MainWindow, other: MainWindow) -> tuple[PlanTab, PlanTab]:
    for each in (window, other):
        each.documents.open_plan(PLAN)
    return front(window), front(other)


def test_a_plan_open_twice_has_one_model(window: MainWindow, other: MainWindow, qtbot: QtBot) -> None:
    here, there = both(window, other)
    here.open_plan.push(SetParam("greet", "template", "Hi"))
    assert there.open_plan.plan is here.open_plan.plan
    there.open_plan.push(AddStep(Step("more", "logic", "transform", "More", {"template": "x"}, y=200)))
    qtbot.waitUntil(lambda: here.canvas.board.step("more") is not None)
    qtbot.waitUntil(lambda: there.canvas.board.plan is here.canvas.board.plan)


def test_what_one_window_did_the_other_undoes(window: MainWindow, other: MainWindow, qtbot: QtBot) -> None:
    here, there = both(window, other)
    here.canvas.select(["greet"])
    here.canvas.delete_selected()
    qtbot.waitUntil(other.actions_by_name["undo"].isEnabled)
    other.actions_by_name["undo"].trigger()
    qtbot.waitUntil(lambda: here.canvas.board.step("greet") is not None)
    assert there.open_plan.plan.has_step("greet")


def test_undo_still_works_after_the_window_that_did_it_is_gone(
    window: MainWindow, other: MainWindow, qtbot: QtBot
) -> None:
    here, there = both(window, other)
    there.canvas.select(["greet"])
    there.canvas.delete_selected()
    other.close()
    QApplication.sendPostedEvents()
    QApplication.processEvents()
    window.actions_by_name["undo"].trigger()
    qtbot.waitUntil(lambda: here.canvas.board.step("greet") is not None)
    assert here.open_plan.session.is_open


def test_closing_one_window_leaves_the_session_and_the_server_to_the_other(
    window: MainWindow, other: MainWindow, qtbot: QtBot
) -> None:
    here, _ = both(window, other)
    assert other._address == window._address
    other.close()
    here.open_plan.push(SetParam("greet", "template", "Hi"))
    assert here.open_plan.plan.step("greet").params["template"] == "Hi"
    with urlopen(f"{window._address}/api/health", timeout=5) as answer:
        assert answer.status == 200
    assert not window.state.begin().was_closed


def test_a_file_open_elsewhere_is_shown_as_it_stands_there(
    window: MainWindow, other: MainWindow, tmp_path: Path
) -> None:
    file = tmp_path / "greetings.flow"
    file.write_bytes(dumps(PLAN))
    window.documents.open_file(file)
    front(window).open_plan.push(SetParam("greet", "template", "Hi"))
    other.documents.open_file(file)
    assert front(other).open_plan.session is front(window).open_plan.session


def test_a_second_file_of_an_open_plan_does_not_disturb_it(window: MainWindow, tmp_path: Path) -> None:
    window.documents.open_plan(PLAN)
    tab = front(window)
    tab.open_plan.push(SetParam("greet", "template", "Hi"))
    file = tmp_path / "copy.flow"
    file.write_bytes(dumps(PLAN))
    window.documents.open_file(file)
    assert front(window) is tab
    assert "open already" in window.status.message.full_text
    tab.open_plan.push(SetParam("greet", "template", "Ho"))
    assert tab.open_plan.plan.step("greet").params["template"] == "Ho"


def test_the_last_window_ends_the_session(open_it: Callable[[], MainWindow]) -> None:
    first = open_it()
    first.close()
    assert first.state.begin().was_closed
