"""Live runs under their banner, and old runs looked at without touching the draft."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from flowstudio.engine.engine import Engine
from flowstudio.engine.model import Run, RunState, TriggerEvent
from flowstudio.plan.edits import RemoveSteps, SetParam
from flowstudio.plan.model import Edge, Plan, Step
from flowstudio.storage.run_store import SqlRunStore
from flowstudio.ui.canvas.faces import Look
from flowstudio.ui.editor.plan_tab import PlanTab
from flowstudio.ui.main_window import MainWindow
from flowstudio.workspace.exports import ExportFormat
from flowstudio.workspace.ports import LOCAL_USER

GREET = Step("greet", "logic", "transform", "Greet", {"template": "Hello"})
LATER = Step("later", "logic", "transform", "Shout", {"template": "{{ steps.greet.output }}!"}, x=300)
NAP = Step("nap", "wait", "duration", "Nap", {"seconds": 60}, x=300)
PLAN = Plan("plan-1", "Greetings", steps=(GREET, LATER), edges=(Edge("greet", "out", "later"),))
NAPPING = Plan("nap-1", "Napping", steps=(GREET, NAP), edges=(Edge("greet", "out", "nap"),))


def front(window: MainWindow) -> PlanTab:
    tab = window.editor.front
    assert tab is not None
    return tab


def ran(window: MainWindow, qtbot: QtBot, plan: Plan = PLAN) -> Run:
    """Opens the plan and runs it to its end."""
    window.documents.open_plan(plan)
    window.editor.run()
    tab = front(window)
    qtbot.waitUntil(lambda: tab.live_run.end is not None, timeout=10_000)
    return window.services.runs.get(LOCAL_USER, str(tab.live_run.run_id))


def look(tab: PlanTab, step_id: str) -> Look:
    cards = tab.shown.canvas.board.cards
    return Look(int(cards.look[cards.row_of[step_id]]))


def view(window: MainWindow, run: Run, qtbot: QtBot, step_id: str | None = None) -> PlanTab:
    window.documents.open_run(run, step_id)
    qtbot.waitUntil(lambda: window.editor.front is not None and front(window).past is not None)
    tab = front(window)
    qtbot.waitUntil(lambda: tab.shown.live.end is not None or tab.shown.live.state is not RunState.QUEUED)
    return tab


def test_a_banner_says_what_runs_and_stops_it(window: MainWindow, qtbot: QtBot) -> None:
    window.documents.open_plan(NAPPING)
    window.editor.run()
    tab = front(window)
    qtbot.waitUntil(lambda: "1 item" in tab.banner.text.full_text, timeout=5000)
    qtbot.waitUntil(lambda: tab.banner.text.full_text.startswith("Draft waits"), timeout=5000)
    assert not tab.banner.back.isVisible()
    qtbot.mouseClick(tab.banner.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: tab.live_run.state is RunState.CANCELLED, timeout=5000)
    assert not tab.banner.isVisible()


def test_the_banner_names_the_published_version(window: MainWindow, qtbot: QtBot) -> None:
    window.documents.open_plan(NAPPING)
    tab = front(window)
    tab.publish()
    qtbot.waitUntil(lambda: tab.record is not None)
    window.editor.run()
    assert tab.banner.text.full_text.startswith("Running version 1 (published)")
    window.editor.stop()
    qtbot.waitUntil(lambda: tab.live_run.end is not None)


def test_an_old_run_shows_its_own_plan_with_states_counts_and_data(window: MainWindow, qtbot: QtBot) -> None:
    run = ran(window, qtbot)
    tab = front(window)
    tab.open_plan.push(RemoveSteps(("later",)))
    view(window, run, qtbot)
    qtbot.waitUntil(lambda: look(tab, "later") is Look.OK)
    assert tab.banner.text.full_text.startswith("Viewing run today ")
    assert window.editor.run_panel.model.rowCount() == 2
    tab.shown.canvas.select(["later"])
    qtbot.waitUntil(lambda: window.editor.data_panel.model.rowCount() == 1)
    assert window.editor.data_panel.model.index(0, 0).data() == "Hello!"
    assert window.editor.step_panel.form is None


def test_steps_that_the_draft_has_otherwise_are_marked(window: MainWindow, qtbot: QtBot) -> None:
    run = ran(window, qtbot)
    tab = front(window)
    tab.open_plan.push(SetParam("greet", "template", "Hi"))
    view(window, run, qtbot)
    board = tab.shown.canvas.board
    assert [badge.text for badge in board.face("greet").badges] == ["~"]
    assert not board.face("later").badges
    tab.open_plan.undo.undo()
    qtbot.waitUntil(lambda: not board.face("greet").badges)


def test_nothing_done_to_an_old_run_changes_the_draft(window: MainWindow, qtbot: QtBot) -> None:
    run = ran(window, qtbot)
    tab = front(window)
    tab.open_plan.push(SetParam("greet", "template", "Hi"))
    draft = tab.open_plan.plan
    view(window, run, qtbot)
    tab.shown.canvas.select(["greet"])
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_D, Qt.Key.Key_Tab, Qt.Key.Key_Backspace):
        qtbot.keyClick(tab.shown.canvas, key)
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert tab.open_plan.plan is draft
    qtbot.mouseClick(tab.banner.back, Qt.MouseButton.LeftButton)
    assert tab.shown.canvas is tab.canvas
    assert not tab.banner.isVisible()
    assert window.editor.step_panel.form is not None


def test_a_run_in_progress_can_be_joined_later(window: MainWindow, qtbot: QtBot) -> None:
    window.documents.open_plan(NAPPING)
    run_id = window.services.runs.start(LOCAL_USER, NAPPING)
    qtbot.waitUntil(lambda: bool(window.services.runs.steps(LOCAL_USER, run_id)))
    tab = view(window, window.services.runs.get(LOCAL_USER, run_id), qtbot)
    qtbot.waitUntil(lambda: look(tab, "greet") is Look.OK)
    assert tab.banner.stop.isVisible()
    window.editor.stop()
    qtbot.waitUntil(lambda: tab.shown.live.state is RunState.CANCELLED, timeout=5000)
    assert not tab.banner.stop.isVisible()


def test_a_run_is_opened_from_the_runs_screen_at_a_step(window: MainWindow, qtbot: QtBot) -> None:
    ran(window, qtbot)
    window.documents.close_front()
    window.show_screen("runs")
    qtbot.waitUntil(lambda: window.runs.steps.rowCount() == 2)
    window.runs.step_table.activated.emit(window.runs.steps.index(1, 0))
    qtbot.waitUntil(lambda: window.editor.isVisible() and front(window).past is not None)
    qtbot.waitUntil(lambda: front(window).shown.canvas.selected_ids() == ["later"])


def test_opening_an_old_run_opens_what_is_published_now(window: MainWindow, qtbot: QtBot) -> None:
    run = ran(window, qtbot)
    tab = front(window)
    tab.open_plan.push(SetParam("greet", "template", "Hi"))
    tab.publish()
    qtbot.waitUntil(lambda: tab.record is not None and not tab.open_plan.session.is_dirty)
    window.documents.close_front()
    tab = view(window, run, qtbot)
    assert tab.open_plan.plan.step("greet").params["template"] == "Hi"
    assert tab.shown.plan.step("greet").params["template"] == "Hello"


@pytest.mark.parametrize("follows", [True, False])
def test_the_view_follows_a_run_only_when_asked(window: MainWindow, qtbot: QtBot, follows: bool) -> None:
    far = Step("far", "logic", "transform", "Far", {"template": "x"}, x=9000)
    window.documents.open_plan(Plan("far-1", "Far", steps=(GREET, far), edges=(Edge("greet", "out", "far"),)))
    tab = front(window)
    qtbot.waitUntil(lambda: tab.canvas.zoom < 1)
    tab.canvas.zoom_to(1.0)
    tab.canvas.bring_into_view("greet")
    window.actions_by_name["follow-run"].setChecked(follows)
    window.editor.run()
    qtbot.waitUntil(lambda: tab.live_run.end is not None)
    seen = tab.canvas.visible_box
    assert (seen.x < 9000 < seen.right) is follows


def test_the_menu_of_the_runs_screen_writes_the_chosen_run(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    run = ran(window, qtbot)
    window.runs.reload()
    qtbot.waitUntil(window.runs.export.isEnabled, timeout=5000)
    file = tmp_path / "run.json"
    with qtbot.waitSignal(window.runs.exporting.written, timeout=10_000):
        window.runs.exporting.write(run, ExportFormat.JSON, file)
    assert json.loads(file.read_text("utf-8"))["run"]["id"] == run.id


SENDING = Plan("send-1", "Sending", steps=(Step("send", "files", "write", "Send", {"path": "x", "content": "y"}),))


def interrupted(window: MainWindow, qtbot: QtBot) -> Run:
    """A run of a write, as a crash leaves it, taken up."""
    run = Run("crashed", LOCAL_USER, SENDING, RunState.RUNNING, TriggerEvent(), datetime.now(UTC))
    runs = window.services.runs
    assert isinstance(runs._history, SqlRunStore)
    assert isinstance(runs._engine, Engine)
    runs._history.create(run)
    runs._engine.recover()
    qtbot.waitUntil(lambda: runs.get(LOCAL_USER, run.id).state is RunState.INTERRUPTED, timeout=5000)
    return runs.get(LOCAL_USER, run.id)


def test_the_banner_of_an_interrupted_run_asks_and_takes_the_answer(window: MainWindow, qtbot: QtBot) -> None:
    run = interrupted(window, qtbot)
    tab = view(window, run, qtbot)
    qtbot.waitUntil(lambda: "under way when FlowStudio stopped" in tab.banner.text.full_text, timeout=5000)
    assert tab.banner.answer.isVisible()
    done = next(each for each in tab.banner.answer.menu().actions() if each.text() == "It is done")
    done.trigger()
    qtbot.waitUntil(lambda: tab.shown.live.end is not None, timeout=5000)
    assert window.services.runs.get(LOCAL_USER, run.id).state is RunState.SUCCEEDED
    assert not tab.banner.answer.isVisible()


def test_the_runs_screen_answers_for_the_chosen_run(window: MainWindow, qtbot: QtBot) -> None:
    run = interrupted(window, qtbot)
    screen = window.runs
    screen.reload()
    qtbot.waitUntil(lambda: screen.steps.rowCount() == 1, timeout=5000)
    assert not screen.answer.isHidden()
    fail = next(each for each in screen.answer.menu().actions() if each.text() == "It failed")
    fail.trigger()
    qtbot.waitUntil(lambda: window.services.runs.get(LOCAL_USER, run.id).state is RunState.FAILED, timeout=5000)
