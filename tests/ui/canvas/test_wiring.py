from PySide6.QtCore import Qt

from flowstudio.plan.model import Edge, OnError, Plan, Step

OUT_OF_A, INTO_B = (220, 36), (282, 36)


def test_a_wire_drawn_from_a_port_to_a_card_is_an_edge_of_the_plan_and_undo_takes_it_back(canvas, hand, pair):
    view = canvas(pair)
    hand(view).drag(OUT_OF_A, (360, 40))
    assert [edge.key for edge in view.session.plan.edges] == [("a", "out", "b")]
    hand(view).key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert view.session.plan.edges == ()
    assert view.board.wires.row_of == {}
    hand(view).key(Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert len(view.session.plan.edges) == 1


def test_a_wire_let_go_near_a_card_is_caught_by_it(canvas, hand, pair):
    view = canvas(pair)
    hand(view).drag(OUT_OF_A, (272, 40))
    assert view.session.plan.edges == (Edge("a", "out", "b"),)


def test_a_wire_that_would_close_a_circle_says_why_and_changes_nothing(canvas, hand, chain, qtbot):
    view = canvas(chain)
    mouse = hand(view)
    mouse.press(780, 36)
    mouse.move(100, 40)
    assert view.overlay.target == "a"
    assert "circle" in view.overlay.wire.reason
    with qtbot.waitSignal(view.status) as told:
        mouse.release(100, 40)
    assert "“Tell” → “Fetch” → “Save” → “Tell”" in told.args[0]
    assert view.session.plan is chain


def test_a_wire_let_go_on_empty_space_asks_what_comes_next_and_wires_it(canvas, hand, pair, qtbot):
    view = canvas(pair)
    hand(view).drag(OUT_OF_A, (300, 260))
    assert view.quick_add.isVisible()
    qtbot.keyClicks(view.quick_add.field, "send message")
    qtbot.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    added = view.session.plan.steps[-1]
    assert (added.provider, added.action) == ("slack", "post_message")
    assert Edge("a", "out", added.id) in view.session.plan.edges
    assert (added.x, added.y) == (300, 220)
    assert view.selected_ids() == [added.id]


def test_what_is_offered_after_a_step_leaves_out_triggers(canvas, hand, pair):
    view = canvas(pair)
    hand(view).drag(OUT_OF_A, (300, 260))
    assert "hook" not in {found.manifest.id for found in view.quick_add.model.found}


def test_escape_ends_a_wire_under_the_hand(canvas, hand, pair):
    view = canvas(pair)
    mouse = hand(view)
    mouse.press(*OUT_OF_A)
    mouse.move(360, 40)
    mouse.key(Qt.Key.Key_Escape)
    assert view.overlay.wire is None
    mouse.release(360, 40)
    assert view.session.plan.edges == ()


def test_cards_beyond_a_loops_border_step_back_while_a_wire_is_drawn(canvas, hand, looped):
    view = canvas(looped)
    mouse = hand(view)
    mouse.press(220, 36)
    mouse.move(250, 200)
    assert view.overlay.dimmed == {"inner"}
    mouse.key(Qt.Key.Key_Escape)
    assert view.overlay.dimmed == set()


def test_each_port_of_a_condition_draws_its_own_wire(canvas, hand):
    plan = Plan(
        "p",
        "If",
        steps=(
            Step("if", "flow", "condition", "New?", x=0, y=0),
            Step("yes", "http", "request", "Yes", x=320, y=-80),
            Step("no", "http", "request", "No", x=320, y=80),
        ),
    )
    view = canvas(plan)
    hand(view).drag((220, 24), (400, -40))
    hand(view).drag((220, 48), (400, 120))
    assert {edge.key for edge in view.session.plan.edges} == {("if", "true", "yes"), ("if", "false", "no")}


def test_the_error_port_is_at_the_bottom_of_a_step_whose_failure_branches(canvas, hand):
    steps = (
        Step("a", "http", "request", "Fetch", x=0, y=0, on_error=OnError.BRANCH),
        Step("b", "files", "write_csv", "Note it", x=280, y=200),
    )
    view = canvas(Plan("p", "Errors", steps=steps))
    hand(view).drag((110, 72), (360, 240))
    assert view.session.plan.edges == (Edge("a", "error", "b"),)


def test_a_loops_body_port_wires_its_children(canvas, hand, looped):
    plan = Plan("p", "Looped", steps=looped.steps, edges=())
    view = canvas(plan)
    hand(view).drag((280, 136), (400, 140))
    assert view.session.plan.edges == (Edge("each", "body", "inner"),)
