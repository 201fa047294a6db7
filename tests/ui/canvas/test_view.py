import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from flowstudio.plan.edits import SetStepField
from flowstudio.plan.model import Plan, Step, TriggerKind
from flowstudio.ui.tokens import DARK

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.mark.parametrize("turns", [(120,), (-120, -120, -120), (120, 120, 120, -120), (40, 40, 40)])
@pytest.mark.parametrize("keys", [Qt.KeyboardModifier.NoModifier, CTRL])
def test_the_wheel_zooms_and_keeps_the_scene_point_under_the_pointer(canvas, hand, chain, turns, keys):
    view = canvas(chain)
    at = QPoint(640, 210)
    before = view.scene_point(at.x(), at.y())
    for turn in turns:
        hand(view).wheel(at, turn, keys)
    assert view.zoom != 1.0
    after = view.scene_point(at.x(), at.y())
    assert after == pytest.approx(before, abs=len(turns) / view.zoom)


def test_two_fingers_on_a_touch_pad_pan(canvas, hand, chain):
    view = canvas(chain)
    before = view.scene_point(0, 0)
    hand(view).wheel(QPoint(300, 300), 60, phase=Qt.ScrollPhase.ScrollUpdate)
    assert view.zoom == 1.0
    assert view.scene_point(0, 0) == (before[0], before[1] - 30)


def test_zoom_stays_within_its_limits(canvas, hand, chain):
    view = canvas(chain)
    for _ in range(60):
        hand(view).wheel(QPoint(300, 300), 120)
    assert view.zoom == 4.0
    for _ in range(100):
        hand(view).wheel(QPoint(300, 300), -120)
    assert view.zoom == 0.04


def test_the_middle_button_pans(canvas, hand, chain):
    view = canvas(chain)
    before = view.scene_point(0, 0)
    QTest.mousePress(view.viewport(), Qt.MouseButton.MiddleButton, pos=QPoint(300, 300))
    QTest.mouseMove(view.viewport(), QPoint(340, 320))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.MiddleButton, pos=QPoint(340, 320))
    assert view.scene_point(0, 0) == (before[0] - 40, before[1] - 20)


def test_space_and_the_left_button_pan_over_a_card_and_move_nothing(canvas, hand, chain):
    view = canvas(chain)
    before = view.scene_point(0, 0)
    QTest.keyPress(view, Qt.Key.Key_Space)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(150, 120))
    QTest.mouseMove(view.viewport(), QPoint(180, 150))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(180, 150))
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.scene_point(0, 0) == (before[0] - 30, before[1] - 30)
    assert view.session.plan is chain


def test_fit_shows_every_card_and_does_not_blow_small_plans_up(canvas, hand, chain):
    view = canvas(chain)
    hand(view).key(Qt.Key.Key_1)
    seen = view.visible_box
    assert all(seen.holds(box.x, box.y) and seen.holds(box.right, box.bottom) for box in map(view.board.box, "abc"))
    assert view.zoom <= 1.25
    view.select(["c"])
    hand(view).key(Qt.Key.Key_2)
    assert view.view_point(670, 36).x() == pytest.approx(500, abs=1)
    hand(view).key(Qt.Key.Key_0)
    assert view.zoom == 1.0


def test_delete_takes_a_step_with_its_wires_and_undo_brings_both_back(canvas, hand, chain):
    view = canvas(chain)
    hand(view).click(380, 20)
    hand(view).key(Qt.Key.Key_Delete)
    assert [step.id for step in view.session.plan.steps] == ["a", "c"]
    assert view.session.plan.edges == ()
    hand(view).key(Qt.Key.Key_Z, CTRL)
    assert view.session.plan == chain
    assert set(view.board.wires.row_of) == {edge.key for edge in chain.edges}


def test_a_wire_can_be_picked_and_deleted_alone(canvas, hand, chain):
    view = canvas(chain)
    hand(view).click(250, 36)
    assert view.board.selected_edges == {("a", "out", "b")}
    hand(view).key(Qt.Key.Key_Delete)
    assert [edge.key for edge in view.session.plan.edges] == [("b", "out", "c")]


def test_select_all_escape_and_disable_by_key(canvas, hand, chain, qtbot):
    view = canvas(chain)
    with qtbot.waitSignal(view.selectionChanged) as told:
        hand(view).key(Qt.Key.Key_A, CTRL)
    assert told.args[0] == ["a", "b", "c"]
    hand(view).key(Qt.Key.Key_D)
    assert all(step.disabled for step in view.session.plan.steps)
    assert view.undo_stack.count() == 1
    hand(view).key(Qt.Key.Key_D)
    assert not any(step.disabled for step in view.session.plan.steps)
    hand(view).key(Qt.Key.Key_Escape)
    assert view.selected_ids() == []


def test_copy_and_paste_bring_steps_with_the_wires_between_them(canvas, hand, chain):
    view = canvas(chain)
    view.select(["a", "b"])
    hand(view).key(Qt.Key.Key_C, CTRL)
    hand(view).key(Qt.Key.Key_V, CTRL)
    plan = view.session.plan
    copies = view.selected_ids()
    assert len(plan.steps) == 5
    assert len(copies) == 2
    assert tuple(edge.port for edge in plan.edges if {edge.source, edge.target} == set(copies)) == ("out",)
    view.undo_stack.undo()
    assert view.session.plan == chain


def test_cut_takes_steps_away_until_they_are_pasted(canvas, hand, chain):
    view = canvas(chain)
    view.select(["b"])
    hand(view).key(Qt.Key.Key_X, CTRL)
    assert not view.session.plan.has_step("b")
    hand(view).key(Qt.Key.Key_V, CTRL)
    assert view.session.plan.step("b").title == "Save"


def test_duplicate_puts_a_copy_beside(canvas, hand, chain):
    view = canvas(chain)
    view.select(["a"])
    hand(view).key(Qt.Key.Key_D, CTRL)
    copy = view.session.plan.steps[-1]
    assert (copy.x, copy.y, copy.title) == (40, 40, "Fetch")


def test_arrows_go_to_the_nearest_card_that_way(canvas, hand, chain):
    view = canvas(chain)
    visited = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left):
        hand(view).key(key)
        visited += view.selected_ids()
    assert visited == ["a", "b", "c", "c", "b"]


def test_f2_enter_double_click_and_ctrl_enter_ask_the_window(canvas, hand, chain, qtbot):
    view = canvas(chain)
    view.select(["b"])
    with qtbot.waitSignals([view.renameRequested, view.stepActivated, view.runStepRequested]):
        hand(view).key(Qt.Key.Key_F2)
        hand(view).key(Qt.Key.Key_Return)
        hand(view).key(Qt.Key.Key_Return, CTRL)
    with qtbot.waitSignal(view.stepActivated) as told:
        hand(view).double_click(100, 20)
    assert told.args == ["a"]


def test_changes_made_elsewhere_are_drawn_when_they_are_told(canvas, chain):
    view = canvas(chain)
    view.apply_changes(view.session.apply(SetStepField("a", "title", "Get it")).changes)
    assert view.board.title("a") == "Get it"


def test_an_empty_canvas_says_how_to_start_and_goes_quiet_with_the_first_step(canvas, hand, qtbot):
    view = canvas(Plan("p", "Daily leads"))
    assert view._empty.isVisible()
    chip = next(chip for chip in view._empty._chips if "web request" in chip.text())
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    trigger = view.session.plan.triggers[0]
    assert (trigger.kind, trigger.config["webhook_path"]) == (TriggerKind.WEBHOOK, "daily-leads")
    assert view.quick_add.isVisible()
    qtbot.keyClick(view.quick_add.field, Qt.Key.Key_Return)
    assert len(view.session.plan.steps) == 1
    assert not view._empty.isVisible()


def test_the_canvas_has_a_name_and_says_what_it_holds(canvas, chain):
    view = canvas(chain)
    assert view.accessibleName() == "Canvas"
    view.select(["b"])
    assert view.accessibleDescription() == "3 steps, 2 connections. Selected: Save."


def test_the_palette_of_a_theme_is_drawn_at_once(canvas, chain):
    view = canvas(chain)
    view.set_palette(DARK)
    corner = view.grab().toImage().pixelColor(993, 300)
    assert corner.name().upper() in (DARK.canvas, DARK.border)


def test_a_click_in_the_small_map_goes_there(canvas, qtbot):
    steps = tuple(Step(f"s{n}", "http", "request", x=n * 300, y=n * 300) for n in range(12))
    view = canvas(Plan("p", "Wide", steps=steps))
    small = view._minimap
    qtbot.mouseClick(small, Qt.MouseButton.LeftButton, pos=QPoint(small.width() // 2, small.height() // 2))
    middle = view.scene_point(500, 350)
    assert middle == pytest.approx((1760, 1686), abs=40)


def test_the_small_map_is_there_only_while_part_of_the_plan_is_out_of_view(canvas, hand, chain):
    view = canvas(chain)
    assert not view._minimap.isVisible()
    view.scroll_by(400, 0)
    assert view._minimap.isVisible()
    hand(view).key(Qt.Key.Key_M)
    assert not view._minimap.isVisible()
    hand(view).key(Qt.Key.Key_M)
    view.fit_all()
    assert not view._minimap.isVisible()
