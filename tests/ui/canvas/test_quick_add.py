import time

import pytest
from PySide6.QtCore import Qt

from flowstudio.plan.model import Edge, Plan
from flowstudio.providers.manifest import Action, Category, Manifest
from flowstudio.ui.canvas.fuzzy import find_actions

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.mark.parametrize(("key", "keys"), [(Qt.Key.Key_Tab, Qt.KeyboardModifier.NoModifier), (Qt.Key.Key_K, CTRL)])
def test_a_key_opens_it_and_enter_adds_after_the_selected_step_wired(canvas, hand, pair, qtbot, key, keys):
    view = canvas(pair)
    view.select(["b"])
    hand(view).key(key, keys)
    assert view.quick_add.isVisible()
    qtbot.keyClicks(view.quick_add.field, "if")
    qtbot.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    added = view.session.plan.steps[-1]
    assert (added.provider, added.action) == ("flow", "condition")
    assert Edge("b", "out", added.id) in view.session.plan.edges
    assert not view.quick_add.isVisible()
    assert view.undo_stack.count() == 1


def test_a_double_click_on_empty_canvas_opens_it_and_adds_there(canvas, hand, pair, qtbot):
    view = canvas(pair)
    hand(view).double_click(200, 300)
    assert view.quick_add.isVisible()
    qtbot.keyClicks(view.quick_add.field, "csv")
    qtbot.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    added = view.session.plan.steps[-1]
    assert (added.action, added.x, added.y) == ("write_csv", 200, 300)
    assert view.session.plan.edges == ()


def test_shift_enter_adds_without_a_wire(canvas, hand, pair, qtbot):
    view = canvas(pair)
    view.select(["b"])
    hand(view).key(Qt.Key.Key_Tab)
    qtbot.keyClick(view.quick_add.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert len(view.session.plan.steps) == 3
    assert view.session.plan.edges == ()


def test_arrows_move_the_highlight_and_a_click_chooses(canvas, hand, pair, qtbot):
    view = canvas(pair)
    hand(view).key(Qt.Key.Key_Tab)
    panel = view.quick_add
    qtbot.keyClick(panel.field, Qt.Key.Key_Down)
    qtbot.keyClick(panel.field, Qt.Key.Key_Down)
    assert panel.list.currentIndex().row() == 2
    qtbot.keyClick(panel.field, Qt.Key.Key_Up)
    assert panel.list.currentIndex().row() == 1
    wanted = panel.model.found[1].action
    place = panel.list.visualRect(panel.model.index(1, 0)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert view.session.plan.steps[-1].action == wanted.id


def test_escape_closes_it_and_the_canvas_has_the_keys_again(canvas, hand, pair, qtbot):
    view = canvas(pair)
    hand(view).key(Qt.Key.Key_Tab)
    qtbot.keyClick(view.quick_add.field, Qt.Key.Key_Escape)
    assert not view.quick_add.isVisible()
    assert view.session.plan is pair
    assert view.window().focusWidget() is view


def test_a_click_on_the_canvas_closes_it(canvas, hand, pair):
    view = canvas(pair)
    hand(view).key(Qt.Key.Key_Tab)
    hand(view).click(100, 450)
    assert not view.quick_add.isVisible()


def test_nothing_found_is_said(canvas, hand, pair, qtbot):
    view = canvas(pair)
    hand(view).key(Qt.Key.Key_Tab)
    qtbot.keyClicks(view.quick_add.field, "zzzz")
    assert view.quick_add._none.text() == "No step matches “zzzz”."
    qtbot.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    assert view.session.plan is pair


def test_it_lies_inside_the_canvas_wherever_it_opens(canvas, hand, pair):
    view = canvas(pair)
    hand(view).double_click(880, 580)
    assert view.rect().contains(view.quick_add.geometry())


def test_steps_added_one_after_another_lie_side_by_side(canvas, hand, qtbot):
    view = canvas(Plan("p", "New"))
    for _ in range(3):
        hand(view).key(Qt.Key.Key_Tab)
        qtbot.keyClicks(view.quick_add.field, "request")
        qtbot.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    steps = view.session.plan.steps
    assert [step.x - steps[0].x for step in steps] == [0, 280, 560]
    assert [(edge.source, edge.target) for edge in view.session.plan.edges] == [
        (steps[0].id, steps[1].id),
        (steps[1].id, steps[2].id),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("send message", "post_message"),
        ("slack send", "post_message"),
        ("message slack", "post_message"),
        ("sndmsg", "post_message"),
        ("sm", "post_message"),
        ("csv", "write_csv"),
        ("each", "loop"),
    ],
)
def test_words_in_any_order_initials_and_left_out_letters_find_an_action(registry, text, expected):
    assert find_actions(registry.manifests, text, 10)[0].action.id == expected


def test_letters_scattered_over_a_text_are_no_match(registry):
    assert find_actions(registry.manifests, "pqx", 10) == []


def test_three_thousand_actions_are_searched_within_50_ms():
    every = [
        Manifest(
            f"p{n}",
            f"Provider {n}",
            Category.HTTP,
            "",
            actions=tuple(Action(f"p{n}", f"do_{k}", f"Do thing {k}", "Does a thing of some sort") for k in range(30)),
        )
        for n in range(100)
    ]
    find_actions(every, "warm", 10)
    started = time.thread_time()  # other work on the machine does not count
    assert find_actions(every, "thing 7 provider", 50)
    assert time.thread_time() - started < 0.05
