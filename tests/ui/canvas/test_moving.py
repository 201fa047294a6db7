import pytest
from PySide6.QtCore import Qt

from flowstudio.plan.model import Edge

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def place(view, step_id):
    step = view.session.plan.step(step_id)
    return step.x, step.y


def test_a_dragged_card_snaps_to_the_grid_and_its_wires_follow(canvas, hand, chain):
    view = canvas(chain)
    hand(view).drag((380, 20), (407, 89))
    assert place(view, "b") == (300, 60)
    row = view.board.wires.row_of["a", "out", "b"]
    assert tuple(view.board.wires.points[row][-2:]) == (300, 96)


def test_ctrl_moves_a_card_free_of_the_grid(canvas, hand, pair):
    view = canvas(pair)
    mouse = hand(view)
    mouse.press(100, 20)
    mouse.move(107, 33, CTRL)
    mouse.release(107, 33, CTRL)
    assert place(view, "a") == (7, 13)


def test_all_selected_cards_move_together_in_one_undo_step(canvas, hand, pair):
    view = canvas(pair)
    view.select(["a", "b"])
    hand(view).drag((100, 20), (140, 60))
    assert (place(view, "a"), place(view, "b")) == ((40, 40), (320, 40))
    assert view.undo_stack.count() == 1
    view.undo_stack.undo()
    assert view.session.plan == pair
    assert view.board.box("b")[:2] == (280, 0)


def test_escape_puts_a_dragged_card_back(canvas, hand, pair):
    view = canvas(pair)
    mouse = hand(view)
    mouse.press(100, 20)
    mouse.move(200, 200)
    assert view.board.box("a")[:2] != (0, 0)
    mouse.key(Qt.Key.Key_Escape)
    mouse.release(200, 200)
    assert view.board.box("a")[:2] == (0, 0)
    assert view.undo_stack.count() == 0


def test_a_press_without_a_move_only_selects(canvas, hand, pair):
    view = canvas(pair)
    hand(view).click(100, 20)
    hand(view).click(380, 20, SHIFT)
    assert view.selected_ids() == ["a", "b"]
    hand(view).click(100, 20, CTRL)
    assert view.selected_ids() == ["b"]
    assert view.undo_stack.count() == 0


def test_a_card_dropped_into_a_loop_becomes_its_child_and_loses_wires_across_the_border(canvas, hand, looped, qtbot):
    view = canvas(looped)
    with qtbot.waitSignal(view.status) as told:
        hand(view).drag((100, 20), (460, 180))
    assert view.session.plan.step("a").parent == "each"
    assert Edge("a", "out", "each") not in view.session.plan.edges
    assert "1 connection removed" in told.args[0]
    view.undo_stack.undo()
    assert view.session.plan == looped


def test_a_card_dragged_out_of_its_loop_leaves_it(canvas, hand, looped):
    view = canvas(looped)
    hand(view).drag((440, 136), (140, 420))
    assert view.session.plan.step("inner").parent is None
    assert view.session.plan.edges == (Edge("a", "out", "each"),)


def test_the_loop_under_a_dragged_card_is_marked(canvas, hand, looped):
    view = canvas(looped)
    mouse = hand(view)
    mouse.press(100, 20)
    mouse.move(500, 190)
    assert view.overlay.drop_loop == "each"
    mouse.move(100, 400)
    assert view.overlay.drop_loop is None
    mouse.key(Qt.Key.Key_Escape)


def test_a_loop_takes_its_body_along(canvas, hand, looped):
    view = canvas(looped)
    hand(view).drag((400, 30), (440, 90))
    assert (place(view, "each"), place(view, "inner")) == ((320, 60), (380, 160))


def test_a_loop_grows_with_its_children(canvas, hand, looped):
    view = canvas(looped)
    before = view.board.box("each")
    hand(view).drag((440, 136), (560, 170))
    assert place(view, "inner") == (460, 140)
    after = view.board.box("each")
    assert after.right > before.right
    assert after.right >= 460 + 220
    assert after.bottom > before.bottom


@pytest.mark.parametrize(
    ("key", "keys", "expected"),
    [
        (Qt.Key.Key_Right, SHIFT, (20, 0)),
        (Qt.Key.Key_Up, SHIFT, (0, -20)),
        (Qt.Key.Key_Down, SHIFT | CTRL, (0, 1)),
    ],
)
def test_shift_and_arrows_move_the_selection(canvas, hand, pair, key, keys, expected):
    view = canvas(pair)
    view.select(["a"])
    hand(view).key(key, keys)
    assert place(view, "a") == expected


def test_nudges_in_a_row_are_one_undo_step(canvas, hand, pair):
    view = canvas(pair)
    view.select(["a"])
    for _ in range(5):
        hand(view).key(Qt.Key.Key_Right, SHIFT)
    assert (view.undo_stack.count(), place(view, "a")) == (1, (100, 0))
    view.undo_stack.undo()
    assert place(view, "a") == (0, 0)
