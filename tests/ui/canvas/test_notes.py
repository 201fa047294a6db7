"""Notes are Markdown, and read the same at every zoom."""

import pytest
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication

from flowstudio.ui.canvas.notes import laid_out, whole_lines
from flowstudio.ui.tokens import LIGHT

TEXT = "# Title\nPress **Run** now.\nA second line.\n\n- one\n- two\n"


def lines(document: QTextDocument) -> list[str]:
    document.size()  # lays it out
    found = []
    block = document.begin()
    while block.isValid():
        layout = block.layout()
        for index in range(layout.lineCount()):
            line = layout.lineAt(index)
            found.append(block.text()[line.textStart() : line.textStart() + line.textLength()].strip())
        block = block.next()
    return found


def test_headings_bold_lists_and_line_ends_are_understood(qapp: QApplication) -> None:
    document = laid_out(TEXT, 400, 12, LIGHT)
    assert lines(document) == ["Title", "Press Run now.", "A second line.", "one", "two"]
    assert document.begin().blockFormat().headingLevel() == 1


def test_html_in_a_note_stays_text(qapp: QApplication) -> None:
    assert lines(laid_out("<img src='http://x/y.png'> <b>no</b>", 600, 12, LIGHT)) == [
        "<img src='http://x/y.png'> <b>no</b>"
    ]


@pytest.mark.parametrize("height", [20.0, 33.0, 60.0])
def test_no_line_is_cut_through_the_middle(qapp: QApplication, height: float) -> None:
    document = laid_out("word " * 60, 200, 12, LIGHT)
    room = whole_lines(document, height)
    line = document.begin().layout().lineAt(0).height()
    assert room <= height
    assert room % line == pytest.approx(0, abs=0.5) or room % line == pytest.approx(line, abs=0.5)
