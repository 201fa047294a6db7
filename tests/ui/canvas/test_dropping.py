from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDragEnterEvent
from PySide6.QtWidgets import QApplication

from flowstudio.plan.model import Edge, Plan


def test_a_palette_entry_becomes_a_step_where_it_is_dropped(canvas, hand, pair):
    view = canvas(pair)
    hand(view).drop("slack", "post_message", 140, 300)
    added = view.session.plan.steps[-1]
    assert (added.provider, added.action, added.x, added.y) == ("slack", "post_message", 100, 260)
    assert view.selected_ids() == [added.id]
    assert view.overlay.ghost is None
    view.undo_stack.undo()
    assert view.session.plan == pair


def test_a_step_dropped_inside_a_loop_is_its_child(canvas, hand, looped):
    view = canvas(looped)
    hand(view).drop("http", "request", 480, 190)
    assert view.session.plan.steps[-1].parent == "each"


def test_the_first_step_dropped_into_a_loop_is_wired_to_its_body(canvas, hand, looped):
    plan = Plan("p", "Loop", steps=tuple(step for step in looped.steps if step.id != "inner"))
    view = canvas(plan)
    hand(view).drop("http", "request", 400, 130)
    added = view.session.plan.steps[-1]
    assert view.session.plan.edges == (Edge("each", "body", added.id),)


def test_a_step_dropped_on_a_card_comes_after_it_wired(canvas, hand, pair):
    view = canvas(pair)
    hand(view).drop("slack", "post_message", 300, 30)
    added = view.session.plan.steps[-1]
    assert Edge("b", "out", added.id) in view.session.plan.edges
    assert (added.x, added.y) == (560, 0)


def test_the_place_of_the_coming_step_is_shown_until_the_drag_leaves(canvas, hand, pair):
    view = canvas(pair)
    data = QMimeData()
    data.setData("application/x-flowstudio-action", b'{"provider": "http", "action": "request"}')
    at = hand(view).point(140, 300)
    enter = QDragEnterEvent(
        at, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(view.viewport(), enter)
    assert view.overlay.ghost == (100, 260, 220, 72)
    view._dropping.drag_leave()
    assert view.overlay.ghost is None


def test_anything_else_is_not_taken(canvas, hand, pair):
    view = canvas(pair)
    for kind, body in (("text/plain", b"hello"), ("application/x-flowstudio-action", b"not json")):
        data = QMimeData()
        data.setData(kind, body)
        enter = QDragEnterEvent(
            hand(view).point(0, 0),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(view.viewport(), enter)
        assert not enter.isAccepted()


def test_an_action_nobody_offers_is_refused_with_a_sentence(canvas, hand, pair, qtbot):
    view = canvas(pair)
    with qtbot.waitSignal(view.status) as told:
        hand(view).drop("nobody", "nothing", 140, 300)
    assert told.args == ["There is no action “nobody.nothing”."]
    assert view.session.plan is pair
