from PySide6.QtCore import Qt

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def test_a_band_selects_what_it_touches(canvas, hand, chain):
    view = canvas(chain)
    hand(view).drag((-40, 120), (300, 40))
    assert view.selected_ids() == ["a", "b"]
    assert view.overlay.band is None


def test_shift_adds_to_the_selection_and_ctrl_toggles(canvas, hand, chain):
    view = canvas(chain)
    view.select(["c"])
    hand(view).drag((-40, 120), (100, 40), SHIFT)
    assert view.selected_ids() == ["a", "c"]
    hand(view).drag((-40, 120), (400, 40), CTRL)
    assert view.selected_ids() == ["b", "c"]


def test_a_click_on_empty_canvas_clears_the_selection(canvas, hand, chain):
    view = canvas(chain)
    view.select(["a"])
    hand(view).click(100, 300)
    assert view.selected_ids() == []


def test_escape_during_a_band_brings_the_selection_back(canvas, hand, chain):
    view = canvas(chain)
    view.select(["c"])
    mouse = hand(view)
    mouse.press(-40, 120)
    mouse.move(300, 40)
    assert view.selected_ids() == ["a", "b"]
    mouse.key(Qt.Key.Key_Escape)
    assert view.selected_ids() == ["c"]
    mouse.release(300, 40)


def test_the_pointer_over_a_port_a_wire_and_nothing(canvas, hand, chain):
    view = canvas(chain)
    mouse = hand(view)
    none = Qt.MouseButton.NoButton
    mouse.move(220, 36, button=none)
    assert view.overlay.hovered_port is not None
    assert view.overlay.hovered_port[0] == "a"
    mouse.move(250, 36, button=none)
    assert view.overlay.hovered_wire == ("a", "out", "b")
    mouse.move(250, 200, button=none)
    assert (view.overlay.hovered_port, view.overlay.hovered_wire) == (None, None)
