"""Runs started and steered from a real window: breakpoints, pins, dry runs, parts, calls, limits, related runs."""

from collections.abc import Callable

import requests
from PySide6.QtCore import Qt, QThreadPool
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from flowstudio.engine.model import RunState, TriggerEvent
from flowstudio.plan.edits import SetParam
from flowstudio.plan.model import Edge, Plan, PlanSettings, Step, WhenBusy
from flowstudio.ui.canvas.frame import Overlay
from flowstudio.ui.canvas.tips import tip_of
from flowstudio.ui.dialogs.message_sheet import MessageSheet
from flowstudio.ui.editor.plan_tab import PlanTab
from flowstudio.ui.main_window import MainWindow
from flowstudio.workspace.ports import LOCAL_USER

GREET = Step("greet", "logic", "transform", "Greet", {"template": "Hello"})
SHOUT = Step("shout", "logic", "transform", "Shout", {"template": "{{ steps.greet.output }}!"}, x=300)
PLAN = Plan("plan-1", "Greetings", steps=(GREET, SHOUT), edges=(Edge("greet", "out", "shout"),))
NAP = Step("nap", "wait", "duration", "Nap", {"seconds": 60})
CALL = Step("call", "wait", "webhook", "Approval")
CALLED = Plan("called", "Ask for approval", steps=(CALL,))
BAD = Step("bad", "flow", "stop", "Give up", {"success": False, "message": "No more."}, x=300)
FAILING = Plan("failing", "Failing", steps=(GREET, BAD), edges=(Edge("greet", "out", "bad"),))


def opened(window: MainWindow, plan: Plan) -> PlanTab:
    window.documents.open_plan(plan)
    tab = window.editor.front
    assert tab is not None
    return tab


def ended(tab: PlanTab, qtbot: QtBot) -> RunState | None:
    qtbot.waitUntil(lambda: tab.live_run.end is not None, timeout=8000)
    return tab.live_run.state


def run(window: MainWindow, tab: PlanTab, qtbot: QtBot) -> RunState | None:
    window.editor.run()
    return ended(tab, qtbot)


def states(window: MainWindow) -> dict[str, str]:
    model = window.editor.run_panel.model
    return {model.index(row, 0).data(): model.index(row, 1).data() for row in range(model.rowCount())}


def badges(tab: PlanTab, step_id: str) -> list[str]:
    return [badge.icon for badge in tab.canvas.board.face(step_id).badges]


def test_f9_pauses_a_run_before_the_step_and_f10_and_f5_take_it_on(window: MainWindow, qtbot: QtBot) -> None:
    tab = opened(window, PLAN)
    tab.canvas.select(["greet"])
    qtbot.keyClick(window, Qt.Key.Key_F9)
    assert badges(tab, "greet") == ["ph.record-fill"]
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: tab.live_run.state is RunState.PAUSED and bool(tab.live_run.standstill.paused))
    assert tab.banner.text.full_text == "Paused before “Greet”  ·  Draft"
    assert all(button.isVisible() for button in (tab.banner.resume, tab.banner.step, tab.banner.stop))
    assert not tab.banner.pause.isVisible()
    assert states(window) == {"Greet": "Paused"}
    assert "There is a breakpoint before this step." in tip_of(tab.canvas.board, Overlay(hovered_card="greet"))
    qtbot.keyClick(window, Qt.Key.Key_F10)
    qtbot.waitUntil(lambda: ("shout", ()) in tab.live_run.standstill.paused)
    assert states(window) == {"Greet": "Succeeded", "Shout": "Paused"}
    qtbot.keyClick(window, Qt.Key.Key_F5)
    assert ended(tab, qtbot) is RunState.SUCCEEDED
    qtbot.keyClick(window, Qt.Key.Key_F9, Qt.KeyboardModifier.ShiftModifier)
    assert badges(tab, "greet") == []


def test_a_breakpoint_set_while_the_run_stands_counts_for_that_run(window: MainWindow, qtbot: QtBot) -> None:
    tab = opened(window, PLAN)
    tab.toggle_breakpoints(["greet"])
    window.editor.run()
    qtbot.waitUntil(lambda: bool(tab.live_run.standstill.paused))
    tab.toggle_breakpoints(["shout"])
    QThreadPool.globalInstance().waitForDone()
    window.actions_by_name["continue"].trigger()
    qtbot.waitUntil(lambda: ("shout", ()) in tab.live_run.standstill.paused)
    window.editor.stop()
    assert ended(tab, qtbot) is RunState.CANCELLED


def test_p_pins_what_the_step_gave_and_the_next_run_says_so(window: MainWindow, qtbot: QtBot) -> None:
    tab = opened(window, PLAN)
    run(window, tab, qtbot)
    tab.canvas.select(["greet"])
    tab.canvas.setFocus()
    qtbot.keyClick(tab.canvas, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: dict(tab.open_plan.plan.pins) == {"greet": "Hello"})
    qtbot.waitUntil(lambda: badges(tab, "greet") == ["ph.push-pin-fill"])
    tab.open_plan.push(SetParam("greet", "template", "Other"))
    run(window, tab, qtbot)
    assert states(window) == {"Greet": "Pinned", "Shout": "Succeeded"}
    qtbot.keyClick(tab.canvas, Qt.Key.Key_P)
    assert not tab.open_plan.plan.pins
    tab.open_plan.undo.undo()
    assert dict(tab.open_plan.plan.pins) == {"greet": "Hello"}


def test_a_step_that_gave_nothing_yet_is_not_pinned_and_says_why(window: MainWindow, qtbot: QtBot) -> None:
    tab = opened(window, PLAN)
    tab.canvas.select(["greet"])
    window.actions_by_name["pin"].trigger()
    qtbot.waitUntil(lambda: "gave nothing yet" in window.notice.text.text())


def test_run_from_here_reuses_what_leads_there(window: MainWindow, qtbot: QtBot) -> None:
    tab = opened(window, PLAN)
    run(window, tab, qtbot)
    tab.canvas.select(["shout"])
    window.actions_by_name["run-from"].trigger()
    qtbot.waitUntil(lambda: tab.live_run.options.only is None and tab.live_run.end is None)
    assert ended(tab, qtbot) is RunState.SUCCEEDED
    assert states(window) == {"Greet": "Reused", "Shout": "Succeeded"}


def test_a_run_without_what_it_builds_on_asks_in_a_sheet(window: MainWindow, qtbot: QtBot) -> None:
    tab = opened(window, PLAN)
    tab.canvas.select(["shout"])
    window.actions_by_name["run-from"].trigger()
    qtbot.waitUntil(lambda: bool(window.findChildren(MessageSheet)))
    (sheet,) = window.findChildren(MessageSheet)
    button = next(each for each in sheet.findChildren(type(tab.banner.stop)) if each.text() == "Run them too")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert ended(tab, qtbot) is RunState.SUCCEEDED


def test_a_mended_draft_restarts_where_it_failed(window: MainWindow, qtbot: QtBot) -> None:
    tab = opened(window, FAILING)
    assert run(window, tab, qtbot) is RunState.FAILED
    tab.open_plan.push(SetParam("bad", "success", True))
    window.actions_by_name["restart"].trigger()
    qtbot.waitUntil(lambda: tab.live_run.end is None)
    assert ended(tab, qtbot) is RunState.SUCCEEDED
    assert states(window) == {"Greet": "Reused", "Give up": "Succeeded"}


def test_f6_runs_again_with_the_same_input(window: MainWindow, qtbot: QtBot) -> None:
    tab = opened(window, PLAN)
    tab.run(TriggerEvent(data={"name": "Ann"}))
    ended(tab, qtbot)
    first = tab.live_run.run_id
    qtbot.keyClick(window, Qt.Key.Key_F6)
    assert tab.live_run.run_id != first
    ended(tab, qtbot)
    again = window.services.runs.get(LOCAL_USER, str(tab.live_run.run_id))
    assert again.trigger.data == {"name": "Ann"}


def test_a_dry_run_says_what_it_does_not_send(window: MainWindow, qtbot: QtBot) -> None:
    post = Step("post", "http", "request", "Post", {"url": "http://127.0.0.1:9/x", "method": "POST"})
    tab = opened(window, Plan("dry", "Dry", steps=(post,)))
    window.actions_by_name["run-dry"].trigger()
    assert tab.banner.text.full_text.startswith("Running dry run of draft")
    assert ended(tab, qtbot) is RunState.SUCCEEDED
    assert states(window) == {"Post": "Not sent"}
    log = window.editor.log_panel.model
    assert any("Not sent" in log.index(row, 2).data() for row in range(log.rowCount()))


def test_a_run_that_waits_for_a_call_shows_its_address_and_goes_on_when_called(
    window: MainWindow, qtbot: QtBot
) -> None:
    tab = opened(window, CALLED)
    tab.canvas.select(["call"])
    form = window.editor.step_panel.form
    address = form.inputs.call_address  # type: ignore[union-attr]
    assert address is not None
    assert not address.copy.isEnabled()
    window.editor.run()
    qtbot.waitUntil(lambda: tab.banner.copy.isVisible() and address.copy.isEnabled())
    qtbot.waitUntil(lambda: tab.banner.text.full_text == "“Approval” waits for a call.  ·  Draft")
    qtbot.mouseClick(tab.banner.copy, Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text()
    assert copied == address.line.text()
    assert "/api/resume/" in copied
    assert requests.post(copied, json={"ok": True}, timeout=5).status_code == 200
    assert ended(tab, qtbot) is RunState.SUCCEEDED
    assert not address.copy.isEnabled()


def test_a_run_in_line_says_why_it_does_not_start(window: MainWindow, qtbot: QtBot) -> None:
    one = Plan("one", "One", steps=(NAP,), settings=PlanSettings(runs_at_once=1, when_busy=WhenBusy.QUEUE))
    tab = opened(window, one)
    first = window.services.runs.start(LOCAL_USER, one)
    window.editor.run()
    qtbot.waitUntil(lambda: "Waits: 1 run of this plan" in tab.banner.text.full_text)
    assert tab.banner.text.full_text.endswith("Draft")
    window.show_screen("runs")
    notes = lambda: [window.runs.model.index(row, 5).data() for row in range(window.runs.model.rowCount())]  # noqa: E731
    qtbot.waitUntil(lambda: any("Waits: 1 run" in note for note in notes()))
    window.actions_by_name["stop-all"].trigger()
    assert ended(tab, qtbot) is RunState.CANCELLED
    assert window.services.runs.wait(first, 5) is not None


def test_the_plan_to_call_is_chosen_by_name_and_a_dead_id_is_told(window: MainWindow, qtbot: QtBot) -> None:
    window.services.plans.save_plan(LOCAL_USER, PLAN)
    caller = Plan("caller", "Caller", steps=(Step("sub", "flow", "subplan", "Sub", {"plan": "gone"}),))
    tab = opened(window, caller)
    tab.canvas.select(["sub"])
    form = window.editor.step_panel.form
    box = form.inputs.rows["plan"].editor.box  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: box.currentText() == "gone (no such plan)")
    at = box.findText("Greetings")
    box.setCurrentIndex(at)
    box.activated.emit(at)
    assert tab.open_plan.plan.step("sub").params["plan"] == "plan-1"


def test_a_merge_shows_only_what_its_mode_heeds(window: MainWindow) -> None:
    tab = opened(window, Plan("m", "M", steps=(Step("join", "flow", "merge", "Join"),)))
    tab.canvas.select(["join"])
    rows = window.editor.step_panel.form.inputs.rows  # type: ignore[union-attr]
    shown = lambda: [name for name in ("key", "keep") if not rows[name].isHidden()]  # noqa: E731
    assert shown() == []
    tab.open_plan.push(SetParam("join", "mode", "combine_by_key"))
    window.editor.step_panel.show_edit()
    assert shown() == ["key", "keep"]
    tab.open_plan.push(SetParam("join", "mode", "combine_by_position"))
    window.editor.step_panel.show_edit()
    box = rows["keep"].editor.box
    assert shown() == ["keep"]
    assert [box.itemData(index) for index in range(box.count())] == [None, "longest", "shortest"]


def test_the_runs_screen_leads_from_a_called_run_to_its_caller(window: MainWindow, qtbot: QtBot) -> None:
    window.services.plans.save_plan(LOCAL_USER, PLAN)
    caller = Plan("caller", "Caller", steps=(Step("sub", "flow", "subplan", "Sub", {"plan": "plan-1"}),))
    tab = opened(window, caller)
    run(window, tab, qtbot)
    window.show_screen("runs")
    screen = window.runs
    qtbot.waitUntil(lambda: screen.model.rowCount() == 2)
    rows = {screen.model.index(row, 1).data(): row for row in range(2)}
    assert screen.model.index(rows["Greetings"], 2).data() == "Another plan"
    screen.table.selectRow(rows["Greetings"])
    qtbot.waitUntil(
        lambda: [each.text().partition(",")[0] for each in screen.relations.actions()] == ["Called by “Caller”"]
    )
    screen.relations.actions()[0].trigger()
    qtbot.waitUntil(lambda: screen._run is not None and screen._run.plan.id == "caller")
    qtbot.waitUntil(
        lambda: [each.text().partition(",")[0] for each in screen.relations.actions()] == ["Called “Greetings”"]
    )


def test_a_run_of_the_history_runs_again_and_is_seen(window: MainWindow, qtbot: QtBot) -> None:
    tab = opened(window, PLAN)
    run(window, tab, qtbot)
    window.show_screen("runs")
    qtbot.waitUntil(lambda: window.runs.rerun.isEnabled())
    window.runs.steering.offer()
    assert not window.runs.steering.restart.isEnabled()
    window.runs.steering.again.trigger()
    qtbot.waitUntil(lambda: tab.past is not None and tab.past.shown.live.end is not None, timeout=8000)
    assert tab.past is not None
    assert tab.past.run.options.based_on == tab.live_run.run_id


def test_two_windows_each_show_their_own_runs(open_it: Callable[[], MainWindow], qtbot: QtBot) -> None:
    first, second = open_it(), open_it()
    one, two = opened(first, PLAN), opened(second, CALLED)
    second.editor.run()
    qtbot.waitUntil(lambda: two.banner.copy.isVisible())
    assert run(first, one, qtbot) is RunState.SUCCEEDED
    assert two.live_run.state is RunState.WAITING
    assert not one.banner.isVisible()
    first.actions_by_name["stop-all"].trigger()
    assert ended(two, qtbot) is RunState.CANCELLED


def test_settings_say_what_the_history_takes_and_may(window: MainWindow, qtbot: QtBot) -> None:
    window.show_screen("settings")
    qtbot.waitUntil(lambda: "runs kept" in window.settings.storage.text())
