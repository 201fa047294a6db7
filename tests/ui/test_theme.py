"""One sheet, two themes, a live switch."""

import pytest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from flowstudio.ui.icons import GLYPHS, Icons, has_glyph, initials
from flowstudio.ui.theme import Appearance, palette_for, style_sheet, write_pictures
from flowstudio.ui.tokens import DARK, LIGHT, Palette, Theme


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda each: each.name)
def test_every_name_in_the_sheet_has_a_value(palette: Palette, qapp: QApplication, tmp_path: object) -> None:
    from pathlib import Path

    sheet = style_sheet(palette, write_pictures(Path(str(tmp_path)), palette, Icons(palette)))
    assert "$" not in sheet
    assert palette.accent in sheet


@pytest.mark.parametrize("name", sorted(GLYPHS))
def test_every_icon_of_the_interface_exists(name: str, qapp: QApplication) -> None:
    assert has_glyph(name)


def test_a_switch_of_theme_reaches_icons_handed_out_before(qtbot: QtBot, qapp: QApplication) -> None:
    look = Appearance(qapp, Theme.LIGHT)
    button = QPushButton(icon=look.icons.icon("run", "accent"))
    qtbot.addWidget(button)
    before = button.icon().pixmap(24, 24).toImage()
    with qtbot.waitSignal(look.changed) as told:
        look.choose(Theme.DARK)
    assert told.args == [DARK]
    assert DARK.window in qapp.styleSheet()
    assert button.icon().pixmap(24, 24).toImage() != before


def test_choosing_the_theme_in_force_says_nothing(qtbot: QtBot, qapp: QApplication) -> None:
    look = Appearance(qapp, Theme.LIGHT)
    with qtbot.assertNotEmitted(look.changed):
        look.choose(Theme.LIGHT)


def test_system_follows_the_desktop(qapp: QApplication) -> None:
    assert palette_for(Theme.SYSTEM) in (LIGHT, DARK)
    assert palette_for(Theme.DARK) is DARK


@pytest.mark.parametrize(("title", "letters"), [("Google Sheets", "GS"), ("Slack", "S"), ("http", "H"), ("— ", "?")])
def test_initials_stand_in_for_a_missing_glyph(title: str, letters: str) -> None:
    assert initials(title) == letters
