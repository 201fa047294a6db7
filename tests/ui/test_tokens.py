"""The colours hold the ratios the visual language promises."""

import pytest

from flowstudio.providers.manifest import Category
from flowstudio.ui.tokens import CATEGORY_TITLES, DARK, LIGHT, Palette, contrast, mix

BOTH = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda each: each.name)
GROUNDS = ("canvas", "window", "surface", "raised", "sunken")
TEXTS = ("text", "text_2", "text_3", "accent", "ok", "running", "warning", "error", "waiting", "pinned")


def ground_colours(palette: Palette) -> list[str]:
    return [getattr(palette, name) for name in GROUNDS]


@BOTH
@pytest.mark.parametrize("token", TEXTS)
def test_text_is_readable_on_every_ground(palette: Palette, token: str) -> None:
    assert min(contrast(getattr(palette, token), ground) for ground in ground_colours(palette)) >= 4.5


@BOTH
@pytest.mark.parametrize("state", ["ok", "running", "warning", "error", "waiting", "pinned"])
def test_a_state_is_readable_on_its_own_fill(palette: Palette, state: str) -> None:
    assert contrast(getattr(palette, state), getattr(palette, f"{state}_bg")) >= 4.5


@BOTH
@pytest.mark.parametrize("category", list(Category))
def test_a_category_colour_is_readable_on_every_ground(palette: Palette, category: Category) -> None:
    assert min(contrast(palette.category(category), ground) for ground in ground_colours(palette)) >= 4.5


@BOTH
def test_outlines_and_the_focus_ring_stand_out(palette: Palette) -> None:
    for ground in ground_colours(palette):
        assert contrast(palette.border_strong, ground) >= 3
        assert contrast(palette.focus, ground) >= 3
    assert contrast(palette.edge, palette.canvas) >= 3


@BOTH
def test_text_stays_readable_when_selected_or_on_the_accent(palette: Palette) -> None:
    assert contrast(palette.text, palette.selection) >= 7
    assert contrast(palette.on_accent, palette.accent) >= 4.5


def test_every_category_has_a_title() -> None:
    assert set(CATEGORY_TITLES) == set(Category)


def test_mix_moves_from_one_colour_to_the_other() -> None:
    assert mix("#000000", "#FFFFFF", 0) == "#000000"
    assert mix("#000000", "#FFFFFF", 1) == "#FFFFFF"
    assert mix("#000000", "#646464", 0.5) == "#323232"
