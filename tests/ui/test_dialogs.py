"""Messages say what, where, why and what to do; the input dialog accepts JSON only."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from flowstudio.errors import FlowStudioError
from flowstudio.ui.dialogs.message_sheet import Message, MessageSheet, NoticeBar, Remedy, message_of
from flowstudio.ui.dialogs.run_input import RunInput
from flowstudio.ui.icons import Icons


def button_of(widget: MessageSheet | NoticeBar, text: str) -> QAbstractButton:
    return next(each for each in widget.findChildren(QAbstractButton) if each.text() == text)


def test_an_error_keeps_its_code_for_the_details() -> None:
    message = message_of(FlowStudioError("The disk is full.", fix="Free some space.", facts={"free": 0}), "File a.flow")
    assert (message.what, message.where, message.why) == ("The disk is full.", "File a.flow", "Free some space.")
    assert message.details == "free: 0\n(flowstudio.error)"


def test_a_remedy_closes_the_sheet_and_acts(qtbot: QtBot, icons: Icons) -> None:
    done: list[str] = []
    sheet = MessageSheet(Message("It broke.", remedies=(Remedy("Try again", lambda: done.append("tried")),)), icons)
    qtbot.addWidget(sheet)
    sheet.open()
    qtbot.mouseClick(button_of(sheet, "Try again"), Qt.MouseButton.LeftButton)
    assert done == ["tried"]
    assert not sheet.isVisible()


def test_details_open_on_request(qtbot: QtBot, icons: Icons) -> None:
    sheet = MessageSheet(Message("It broke.", details="(some.code)"), icons)
    qtbot.addWidget(sheet)
    sheet.open()
    assert not sheet.details.isVisible()
    qtbot.mouseClick(button_of(sheet, "Details"), Qt.MouseButton.LeftButton)
    assert sheet.details.isVisible()


def test_escape_closes_a_sheet(qtbot: QtBot, icons: Icons) -> None:
    sheet = MessageSheet(Message("It broke."), icons)
    qtbot.addWidget(sheet)
    sheet.open()
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_a_notice_shows_the_latest_message_only(qtbot: QtBot, icons: Icons) -> None:
    bar = NoticeBar(icons)
    qtbot.addWidget(bar)
    bar.show_message(Message("One.", remedies=(Remedy("Fix", lambda: None),)))
    bar.show_message(Message("Two.", why="Because."))
    assert bar.text.text() == "Two. Because."
    assert bar.isVisible()
    close = next(each for each in bar.findChildren(QAbstractButton) if each.accessibleName() == "Close this notice")
    qtbot.waitUntil(lambda: not [each for each in bar.findChildren(QAbstractButton) if each.text() == "Fix"])
    bar._act(Remedy("", lambda: None))
    assert not bar.isVisible()
    assert close is not None


def test_running_needs_json_or_nothing(qtbot: QtBot) -> None:
    dialog = RunInput(None)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.keyClicks(dialog.editor.text, "{")
    assert not dialog.run.isEnabled()
    qtbot.keyClicks(dialog.editor.text, '"a": 1}')
    assert dialog.run.isEnabled()
    assert dialog.value == {"a": 1}
    dialog.editor.text.clear()
    assert dialog.run.isEnabled()
    assert dialog.value is None
