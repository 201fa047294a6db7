"""The palette shows, finds and hands over actions."""

import json
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from flowstudio.providers.manifest import Action, Category, Manifest
from flowstudio.providers.registry import Registry
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.palette import ENTRY, MIME_TYPE, Palette
from flowstudio.ui.tokens import LIGHT

REGISTRY = Registry(
    [
        Manifest(
            "slack",
            "Slack",
            Category.MESSAGE,
            "fa5b.slack",
            actions=(Action("slack", "post", "Post a message"), Action("slack", "find", "Find a person")),
        ),
        Manifest("rss", "RSS feed", Category.DATA, "mdi6.rss", actions=(Action("rss", "read", "Read a feed"),)),
        Manifest("flow", "Flow", Category.LOGIC, "", actions=(Action("flow", "condition", "If"),)),
    ]
)


@pytest.fixture
def palette(qtbot: QtBot, qapp: QApplication) -> Palette:
    panel = Palette(REGISTRY, Icons(LIGHT))
    qtbot.addWidget(panel)
    panel.resize(264, 600)
    panel.show()
    return panel


def texts(palette: Palette, parent: QModelIndex | None = None) -> Iterator[str]:
    model = palette.model
    for row in range(model.rowCount(parent or QModelIndex())):
        index = model.index(row, 0, parent or QModelIndex())
        yield str(index.data())
        yield from texts(palette, index)


def test_actions_stand_under_category_and_provider(palette: Palette) -> None:
    assert [*texts(palette)] == [
        "Logic",
        "If",
        "Data",
        "RSS feed",
        "Messages",
        "Slack",
        "Post a message",
        "Find a person",
    ]


def test_searching_narrows_the_list_as_one_types(palette: Palette, qtbot: QtBot) -> None:
    qtbot.keyClicks(palette.search, "slack post")
    assert [*texts(palette)] == ["Slack · Post a message"]


def test_enter_in_the_search_chooses_the_best_match(palette: Palette, qtbot: QtBot) -> None:
    qtbot.keyClicks(palette.search, "feed")
    with qtbot.waitSignal(palette.chosen) as chosen:
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert chosen.args == ["rss", "read"]


def test_the_arrow_down_leads_into_the_list_and_escape_clears(palette: Palette, qtbot: QtBot) -> None:
    qtbot.keyClicks(palette.search, "slack")
    palette.activateWindow()
    palette.search.setFocus()
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    assert palette.tree.hasFocus()
    qtbot.keyClick(palette.search, Qt.Key.Key_Escape)
    assert palette.search.text() == ""


def test_no_match_says_so(palette: Palette, qtbot: QtBot) -> None:
    qtbot.keyClicks(palette.search, "zzz")
    assert palette._nothing.isVisible()
    assert "zzz" in palette._nothing.text()


def test_a_dragged_row_carries_its_action(palette: Palette, qtbot: QtBot) -> None:
    qtbot.keyClicks(palette.search, "feed")
    index = palette.model.index(0, 0)
    assert index.flags() & Qt.ItemFlag.ItemIsDragEnabled
    data = palette.model.mimeData([index])
    assert json.loads(bytes(data.data(MIME_TYPE).data())) == {"provider": "rss", "action": "read"}


def test_a_group_is_not_draggable(palette: Palette) -> None:
    group = palette.model.index(0, 0)
    assert group.data(ENTRY) is None
    assert not group.flags() & Qt.ItemFlag.ItemIsDragEnabled
