"""What people open and paste by mistake: a sentence, no tab, and nothing lost."""

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from flowstudio.plan.edits import AddStep, SetPlanField
from flowstudio.plan.model import Step
from flowstudio.ui.dialogs.message_sheet import MessageSheet
from flowstudio.ui.main_window import MainWindow


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{ not json", "is not valid JSON"),
        (b'{"flowstudio": 99, "id": "x", "name": "n"}', "written by a newer FlowStudio"),
        (bytes(range(256)), "is not text in UTF-8"),
        (b"", "is not valid JSON"),
        (b"[" * 5000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_with_a_sentence(
    window: MainWindow, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "odd.flow"
    file.write_bytes(content)
    window.documents.open_file(file)
    sheet = window.findChild(MessageSheet)
    assert sheet is not None
    assert any(said in label.text() for label in sheet.findChildren(QLabel))
    sheet.reject()
    assert window.editor.front is None
    assert file.read_bytes() == content


def test_names_of_ten_thousand_letters_push_nothing_out_of_the_window(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1024, 680)
    window.documents.new()
    tab = window.editor.front
    assert tab is not None
    tab.open_plan.push(SetPlanField("name", "N" * 10_000))
    tab.open_plan.push(AddStep(Step("s", "logic", "transform", "T" * 10_000, {"template": "x" * 200_000})))
    tab.canvas.select(["s"])
    window.editor.right.show()
    qtbot.waitUntil(lambda: window.editor.toolbar.name.full_text.startswith("NNN"))
    assert window.width() == 1024
    assert window.editor.toolbar.run.geometry().right() <= window.editor.toolbar.width()
    assert window.editor.tabs.tabBar().tabRect(0).width() <= 360


@pytest.mark.parametrize("text", ["garbage {[", '{"steps": [{"id": 1}]}', "[]", ""])
def test_pasting_what_is_no_step_says_so_and_changes_nothing(window: MainWindow, text: str) -> None:
    window.documents.new()
    tab = window.editor.front
    assert tab is not None
    QGuiApplication.clipboard().setText(text)
    window.actions_by_name["paste"].trigger()
    assert "The clipboard has no steps." in window.status.message.full_text
    assert tab.open_plan.plan.steps == ()
