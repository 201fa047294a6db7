import json

import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from flowstudio.plan.edits import fragment_of
from flowstudio.plan.errors import DocumentError
from flowstudio.ui.canvas.clipboard import fragment_in, mime_of


def text_data(text: str) -> QMimeData:
    data = QMimeData()
    data.setText(text)
    return data


def test_steps_travel_as_text_and_under_their_own_type(chain):
    data = mime_of(fragment_of(chain, ["a", "b"]))
    assert [step["id"] for step in json.loads(data.text())["flowstudio_steps"]] == ["a", "b"]
    assert fragment_in(data) == fragment_in(text_data(data.text())) == fragment_of(chain, ["a", "b"])


@pytest.mark.parametrize(
    "text", ["", "hello", "[1, 2]", '{"flowstudio_steps": 3}', '{"flowstudio_steps": []}', "[" * 100_000]
)
def test_anything_else_is_refused_with_a_sentence(text):
    with pytest.raises(DocumentError, match="The clipboard has no steps"):
        fragment_in(text_data(text))


def test_pasting_something_else_says_so_and_changes_nothing(canvas, chain, qtbot):
    view = canvas(chain)
    QGuiApplication.clipboard().setText("hello, world")
    with qtbot.waitSignal(view.status) as told:
        view.paste()
    assert "It holds text of 12 characters." in told.args[0]
    assert view.session.plan is chain
