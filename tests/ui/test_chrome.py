"""What frames the canvas: docks that make room, the status bar, context menus, canvas only."""

from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from flowstudio.plan.model import Edge, Plan, Step
from flowstudio.ui.chrome.status_bar import size_text
from flowstudio.ui.editor.plan_tab import PlanTab
from flowstudio.ui.main_window import MainWindow, folder_size

GREET = Step("greet", "logic", "transform", "Greet", {"template": "Hello"})
LATER = Step("later", "logic", "transform", "Shout", {"template": "x"}, x=300)
PLAN = Plan("plan-1", "Greetings", steps=(GREET, LATER), edges=(Edge("greet", "out", "later"),))


@pytest.fixture
def tab(window: MainWindow, qtbot: QtBot) -> PlanTab:
    window.resize(1440, 900)
    window.documents.open_plan(PLAN)
    shown = window.editor.front
    assert shown is not None
    qtbot.waitUntil(lambda: shown.canvas.zoom > 1)  # fitted into view
    return shown


def entries(window: MainWindow) -> list[str]:
    menu = next(each for each in window.findChildren(QMenu) if each.isVisible())
    texts = [action.text().partition("\t")[0] for action in menu.actions() if not action.isSeparator()]
    menu.close()
    return texts


def right_click(tab: PlanTab, x: float, y: float) -> None:
    view = tab.shown.canvas.viewport()
    at = tab.shown.canvas.view_point(x, y).toPoint()
    QApplication.sendEvent(view, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.mapToGlobal(at)))


def test_below_1280_the_right_dock_is_a_strip_that_brings_it_back(
    window: MainWindow, tab: PlanTab, qtbot: QtBot
) -> None:
    assert window.editor.right.isVisible()
    window.resize(1200, 800)
    strip = window.editor.arrangement.strip
    assert (window.editor.right.isVisible(), strip.isVisible(), strip.width()) == (False, True, 40)
    qtbot.mouseClick(strip.button, Qt.MouseButton.LeftButton)
    assert (window.editor.right.isVisible(), strip.isVisible()) == (True, False)


def test_the_right_dock_comes_back_with_the_room(window: MainWindow, tab: PlanTab) -> None:
    window.resize(1100, 800)
    window.resize(1440, 900)
    assert window.editor.right.isVisible()


def test_a_right_dock_the_person_hid_stays_hidden(window: MainWindow, tab: PlanTab) -> None:
    window.editor.right.close()
    window.resize(1100, 800)
    window.resize(1440, 900)
    assert not window.editor.right.isVisible()


def test_the_bottom_dock_takes_at_most_60_percent(window: MainWindow, tab: PlanTab) -> None:
    body, bottom = window.editor.window_part, window.editor.bottom
    body.resizeDocks([bottom], [2000], Qt.Orientation.Vertical)
    assert bottom.height() <= body.height() * 0.6


def test_f11_leaves_the_canvas_alone_and_brings_the_rest_back(window: MainWindow, tab: PlanTab, qtbot: QtBot) -> None:
    window.editor.left.close()
    qtbot.keyClick(window, Qt.Key.Key_F11)
    parts = (window.editor.right, window.editor.bottom, window.editor.toolbar, window.rail, window.status)
    assert not any(part.isVisible() for part in parts)
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert all(part.isVisible() for part in parts)
    assert not window.editor.left.isVisible()


def test_a_right_click_on_a_card_offers_its_commands(window: MainWindow, tab: PlanTab) -> None:
    right_click(tab, 60, 36)
    assert tab.canvas.selected_ids() == ["greet"]
    editing = ["Step settings", "Rename", "Cut", "Copy", "Duplicate", "Disable"]
    running = ["Run this step", "Run from here", "Pin the last output", "Breakpoint on or off"]
    assert entries(window) == [*editing, *running, "Delete"]


def test_a_right_click_on_a_wire_offers_to_delete_it(window: MainWindow, tab: PlanTab) -> None:
    right_click(tab, 260, 36)
    assert entries(window) == ["Delete"]
    window.actions_by_name["delete"].trigger()
    assert tab.open_plan.plan.edges == ()


def test_a_right_click_on_the_canvas_offers_what_goes_there(window: MainWindow, tab: PlanTab) -> None:
    right_click(tab, 100, 200)
    assert entries(window) == ["Add a step here…", "Paste", "Select all", "Fit everything", "100 %"]


def test_the_menu_key_opens_the_menu_of_the_selection(window: MainWindow, tab: PlanTab) -> None:
    tab.canvas.select(["later"])
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), QPoint(5, 5))
    QApplication.sendEvent(tab.canvas.viewport(), event)
    assert entries(window)[0] == "Step settings"
    assert tab.canvas.selected_ids() == ["later"]


def test_the_server_stops_and_starts_from_the_status_bar(window: MainWindow, qtbot: QtBot) -> None:
    address = window._address
    window.status._copy.trigger()
    assert QGuiApplication.clipboard().text() == address
    window.status._switch.trigger()
    qtbot.waitUntil(lambda: window._address == "", timeout=10_000)
    assert window.status.server.text().strip() == "Server is not running"
    with pytest.raises(URLError):
        urlopen(f"{address}/api/health", timeout=2)
    window.status._switch.trigger()
    qtbot.waitUntil(lambda: window._address != "", timeout=10_000)
    with urlopen(f"{window._address}/api/health", timeout=5) as answer:
        assert answer.status == 200


def test_the_status_bar_says_how_much_is_stored(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "kB" in window.status.storage.text() or "MB" in window.status.storage.text())
    qtbot.mouseClick(window.status.storage, Qt.MouseButton.LeftButton)
    assert window.settings.isVisible()


@pytest.mark.parametrize(
    ("size", "text"),
    [(10, "1 kB"), (412_300, "412 kB"), (4_100_000, "4.1 MB"), (412_000_000, "412 MB"), (2e9, "2.0 GB")],
)
def test_sizes_are_short(size: float, text: str) -> None:
    assert size_text(int(size)) == text


def test_a_folder_is_as_large_as_its_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a").write_bytes(bytes(10))
    (tmp_path / "in" / "b").write_bytes(bytes(5))
    assert folder_size(tmp_path) == 15
