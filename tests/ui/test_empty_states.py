"""Where nothing is yet, the keyboard leads to the ways to begin."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from flowstudio.plan.model import TriggerKind
from flowstudio.ui.main_window import MainWindow


def focused() -> str:
    widget = QApplication.focusWidget()
    return widget.text().strip() if isinstance(widget, QPushButton) else ""


def test_a_first_start_begins_by_the_enter_key(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: focused() == "Blank plan")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert focused() == "Open a file"
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Backtab)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert window.editor.front is not None


def test_arrows_on_an_empty_canvas_choose_a_trigger(window: MainWindow, qtbot: QtBot) -> None:
    window.documents.new()
    tab = window.editor.front
    assert tab is not None
    qtbot.waitUntil(tab.canvas.hasFocus)
    qtbot.keyClick(tab.canvas, Qt.Key.Key_Down)
    assert focused() == "When I press Run"
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Right)
    assert focused() == "On a schedule"
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert tab.canvas.hasFocus()
    qtbot.keyClick(tab.canvas, Qt.Key.Key_Down)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Right)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert [trigger.kind for trigger in tab.open_plan.plan.triggers] == [TriggerKind.SCHEDULE]


def test_the_toolbar_leads_home_and_to_other_open_plans(window: MainWindow, qtbot: QtBot) -> None:
    window.documents.new()
    window.documents.new()
    entries = window.editor._plan_entries()
    assert [text for text, _ in entries] == ["Untitled plan", "Untitled plan"]
    entries[0][1]()
    assert window.editor.tabs.currentIndex() == 0
    qtbot.mouseClick(window.editor.toolbar.home, Qt.MouseButton.LeftButton)
    assert window.home.isVisible()
