"""Looks at pixels: what must be seen is there, what must not be is not."""

from datetime import UTC, datetime

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from flowstudio.engine.events import RunStarted, StepFailed, StepStarted
from flowstudio.engine.model import Failure
from flowstudio.plan.model import Edge, Note, Plan, Step
from flowstudio.plan.model import Frame as PlanFrame
from flowstudio.ui.canvas.frame import Frame, Overlay, PendingWire
from flowstudio.ui.canvas.painter import CanvasPainter
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.tokens import DARK, LIGHT, channels

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def draw(qapp, registry):
    """Draws a plan with the scene's origin at (20, 20) and gives red, green, blue of each device pixel."""

    def picture(
        plan, zoom=1.0, ratio=1.0, palette=LIGHT, size=(640, 240), events=(), select=(), overlay=None, moving=False
    ):
        scene = CanvasScene(registry, lambda provider, name: True, plan)
        scene.run.take(events)
        scene.show_states(None, with_figures=True)
        scene.select(select)
        width, height = round(size[0] * ratio), round(size[1] * ratio)
        image = QImage(width, height, QImage.Format.Format_RGB32)
        p = QPainter(image)
        frame = Frame(zoom, ratio, round(20 * ratio), round(20 * ratio), 0, 0, width, height, moving, 0.0, True)
        CanvasPainter(scene, palette).paint(p, frame, overlay or Overlay())
        p.end()
        data = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine() // 4, 4)
        return data[:, :width, 2::-1].astype(int).copy()

    return picture


def share(pixels: np.ndarray, colour: str, tolerance: int = 6) -> float:
    """Part of the pixels of about that colour."""
    return float((np.abs(pixels - channels(colour)).max(-1) <= tolerance).mean())


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_a_card_has_its_surface_its_category_bar_and_dark_words(draw, chain, palette):
    card = draw(chain, palette=palette)[20:92, 20:240]
    assert share(card, palette.surface) > 0.6
    assert share(card[10:28, 0:4], palette.category_http) > 0.95
    assert share(card[20:40, 58:120], palette.text, 40) > 0.02


def test_the_category_bar_ends_after_four_pixels(draw, chain):
    card = draw(chain)[20:92, 20:240]
    assert share(card[10:28, 5:8], LIGHT.surface) > 0.9


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_lines_of_a_card_are_sharp_at_every_device_ratio(draw, pair, ratio):
    """From canvas to surface within three device pixels: outline and nothing blurred beside it."""
    picture = draw(pair, ratio=ratio)
    y, x = round(70 * ratio), round(240 * ratio)
    row = picture[y, x - 6 : x + 6]
    between = [
        pixel
        for pixel in row.tolist()
        if max(np.abs(np.array(pixel) - channels(LIGHT.surface))) > 6
        and max(np.abs(np.array(pixel) - channels(LIGHT.canvas))) > 6
    ]
    assert 1 <= len(between) <= 3


def test_a_selected_card_has_a_ring_of_accent(draw, pair):
    before, after = draw(pair), draw(pair, select=["a"])
    ring = np.s_[17:20, 40:220]
    assert share(before[ring], LIGHT.accent, 20) == 0
    assert share(after[ring], LIGHT.accent, 20) > 0.3


def test_a_wire_runs_from_port_to_input(draw, chain, pair):
    between = np.s_[54:58, 250:290]
    assert share(draw(chain)[between], LIGHT.edge, 20) > 0.3
    assert share(draw(pair)[between], LIGHT.edge, 20) == 0


def test_a_failed_card_shows_it_in_its_outline_and_a_glyph(draw, chain):
    events = [
        RunStarted("r", NOW, "u", "p", "", "manual"),
        StepStarted("r", NOW, "a", (), 1),
        StepFailed("r", NOW, "a", (), 1, Failure("x", "No."), 5.0, ()),
    ]
    card = draw(chain, events=events)[20:92, 20:240]
    assert share(card[50:64, 58:72], LIGHT.error, 20) > 0.2
    assert share(card[0:1, 40:200], LIGHT.error, 20) > 0.9


def test_words_go_with_distance_and_the_state_stays(draw, chain):
    events = [RunStarted("r", NOW, "u", "p", "", "manual"), StepStarted("r", NOW, "a", (), 1)]
    far = draw(chain, zoom=0.25, events=events)[20:38, 20:75]
    assert share(far, LIGHT.text, 40) == 0
    assert share(far, LIGHT.running_bg) > 0.3
    dot = draw(chain, zoom=0.1, events=events)[20:27, 20:42]
    assert share(dot, LIGHT.running, 30) > 0.02


def test_a_disabled_card_is_paler(draw):
    def card(disabled):
        step = Step("a", "http", "request", "Fetch", disabled=disabled)
        return draw(Plan("p", "P", steps=(step,)))[20:92, 20:240]

    assert share(card(False)[10:28, 0:4], LIGHT.category_http) > 0.9
    assert share(card(True)[10:28, 0:4], LIGHT.category_http) == 0


def test_the_grid_is_quiet_and_gone_from_afar(draw):
    empty = Plan("p", "P")
    assert 0 < share(draw(empty), LIGHT.border) < 0.02
    assert share(draw(empty, zoom=0.3), LIGHT.border) == 0


def test_a_loops_body_is_a_tray_below_its_header(draw, looped):
    picture = draw(looped, size=(700, 320))
    assert share(picture[180:200, 310:350], LIGHT.canvas) < 0.05
    assert share(picture[40:70, 480:600], LIGHT.surface) > 0.95


def test_a_dense_view_drawn_while_moving_shows_the_same_cards(draw):
    steps = tuple(Step(f"s{n}", "http", "request", x=n % 40 * 240, y=n // 40 * 100) for n in range(1000))
    edges = tuple(Edge(f"s{n}", "out", f"s{n + 1}") for n in range(999))
    plan = Plan("p", "Big", steps=steps, edges=edges)
    still, moving = (draw(plan, zoom=0.06, size=(640, 200), moving=each) for each in (False, True))
    blocks = np.abs(still - moving).max(-1) <= 6
    assert blocks.mean() > 0.8


def test_notes_and_frames_are_drawn_where_they_are(draw):
    plan = Plan(
        "p",
        "P",
        notes=(Note("n", "Ask Ann first", 0, 0, 200, 80),),
        frames=(PlanFrame("f", "Every morning", 260, 20, 200, 100),),
    )
    picture = draw(plan)
    assert share(picture[30:90, 30:210], LIGHT.pinned_bg) > 0.7
    assert share(picture[20:36, 280:400], LIGHT.text_2, 60) > 0.01


def test_a_refused_wire_shows_the_reason_beside_the_pointer(draw, pair):
    wire = PendingWire((220, 36, 260, 36, 260, 100, 300, 100), True, "It would make a circle.")
    picture = draw(pair, overlay=Overlay(wire=wire, target="b"))
    assert share(picture[142:160, 350:440], LIGHT.error_bg) > 0.4


@pytest.mark.parametrize("title", ["", "x" * 10_000, "اختبار السير", "Grüße 👋🏽 an alle", "tab\tand\nline"])
def test_any_title_is_drawn_within_its_card(draw, title):
    step = Step("a", "http", "request", title)
    picture = draw(Plan("p", "P", steps=(step,)))
    right = picture[30:80, 250:640]
    assert share(right, LIGHT.canvas) + share(right, LIGHT.border) > 0.999
