from itertools import pairwise

import pytest
from PySide6.QtGui import QFontMetricsF

from flowstudio.plan.model import OnError, Plan, Step
from flowstudio.ui.canvas.faces import count_text, duration_text
from flowstudio.ui.canvas.geometry import Box, Level, anchors_of, boxes_of, card_height, level_at
from flowstudio.ui.canvas.placing import free_port, outermost, place_after
from flowstudio.ui.canvas.text import Label, font


def cases(count):
    return Step("s", "flow", "switch", params={"cases": [{"name": f"c{n}"} for n in range(count)]})


@pytest.mark.parametrize(
    ("zoom", "level"),
    [
        (1, Level.NEAR),
        (0.7, Level.NEAR),
        (0.69, Level.MIDDLE),
        (0.35, Level.MIDDLE),
        (0.34, Level.FAR),
        (0.1, Level.DOT),
    ],
)
def test_three_levels_of_detail_and_a_dot(zoom, level):
    assert level_at(zoom) is level


def test_ports_spread_evenly_around_the_middle_of_the_right_side():
    true, false = anchors_of(Step("s", "flow", "condition"))
    assert (true.at(Box(0, 0, 220, 72)), false.at(Box(0, 0, 220, 72))) == ((220, 24), (220, 48))


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_a_card_is_tall_enough_for_all_its_ports(count):
    step = cases(count)
    height = card_height(step)
    places = [anchor.at(Box(0, 0, 220, height))[1] for anchor in anchors_of(step)]
    assert len(places) == count + 1
    assert all(b - a >= 20 for a, b in pairwise(places))
    assert places[0] >= 12
    assert places[-1] <= height - 12


def test_the_error_port_is_below_the_middle():
    *_, error = anchors_of(Step("s", "http", "request", on_error=OnError.BRANCH))
    assert error.at(Box(100, 100, 220, 72)) == (210, 172)


def test_a_loop_holds_its_children_and_theirs():
    steps = (
        Step("outer", "flow", "loop", x=0, y=0),
        Step("inner", "flow", "loop", x=60, y=100, parent="outer"),
        Step("leaf", "http", "request", x=500, y=400, parent="inner"),
    )
    boxes = boxes_of(steps)
    assert boxes["outer"].right > boxes["inner"].right > boxes["leaf"].right
    assert boxes["outer"].bottom > boxes["inner"].bottom > boxes["leaf"].bottom


def test_a_new_step_goes_below_what_already_stands_beside():
    source, box = Step("a", "http", "request"), Box(0, 0, 220, 72)
    standing = [Box(280, 0, 220, 72), Box(280, 100, 220, 72)]
    place = place_after(source, "out", box, lambda wanted: any(each.meets(wanted) for each in standing))
    assert place == (280, 200)


def test_the_next_step_takes_the_first_way_out_that_is_free():
    step = Step("if", "flow", "condition")
    plan = Plan("p", "P", steps=(step,))
    assert free_port(plan, step).name == "true"
    assert free_port(plan, Step("end", "flow", "stop")) is None
    assert free_port(plan, Step("each", "flow", "loop")).name == "done"


def test_a_step_inside_another_chosen_one_is_not_moved_twice():
    parents = {"leaf": "inner", "inner": "outer", "outer": None, "free": None}
    assert outermost(["leaf", "outer", "free"], parents.get) == ["outer", "free"]


@pytest.mark.parametrize(
    "text", ["Anything new since yesterday?", "Wöchentlicher Zusammenfassungsbericht", "iiiillll", "WWWWMMMM"]
)
@pytest.mark.parametrize("size", [8, 11, 14, 28])
@pytest.mark.parametrize("middle", [False, True])
def test_a_shortened_label_really_fits(qapp, text, size, middle):
    metrics = QFontMetricsF(font(size))
    for room in (20, 60, 90, 150, 400):
        shown = Label(text, middle=middle).fitted(room, size)
        assert metrics.horizontalAdvance(shown) <= room + 1
        assert shown == text or not shown or "…" in shown


def test_the_middle_of_a_label_goes_first_where_the_end_matters(qapp):
    shown = Label("HTTP · GET /v1/customers/invoices", middle=True).fitted(120, 12)
    assert shown.startswith("HTTP")
    assert shown.endswith("es")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1200, "1.2k"), (34_000, "34k"), (2_100_000, "2.1M"), (55_000_000, "55M")],
)
def test_counts_are_short(count, text):
    assert count_text(count) == text


@pytest.mark.parametrize(("ms", "text"), [(4, "4 ms"), (820, "0.8 s"), (34_000, "34 s"), (125_000, "2 min 5 s")])
def test_durations_are_short(ms, text):
    assert duration_text(ms) == text


def test_a_while_is_drawn_like_a_loop_and_an_end_of_an_item_has_no_way_out():
    loop, inside = Step("w", "flow", "while"), Step("a", "x", "y", x=900, y=100, parent="w")
    assert boxes_of([loop, inside])["w"].right > 1100
    assert [anchor.port.title for anchor in anchors_of(loop)] == ["While true", "Done"]
    assert anchors_of(Step("b", "flow", "break")) == ()
    assert free_port(Plan("p", "", steps=(Step("b", "flow", "break"),)), Step("b", "flow", "break")) is None
