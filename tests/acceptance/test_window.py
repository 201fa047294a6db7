"""The window, from an empty canvas to a finished run, by mouse and keys.

What is proven here, in the product's words: a person drags steps from a palette, wires them, fills their forms, presses
Run, and watches real steps run on real input with live logs and results on the cards · palette with search, form
generated from the action's parameters with an expression toggle, Run/Stop, live states and counts on cards, log and
data panes with table and JSON views · undo/redo of everything, multi-select, delete, copy/paste · open/save `.flow`,
the same plan runs in the terminal and through the embedded server · the server answers while the app is open.
"""

from pathlib import Path

import pytest
import requests
from conftest import KEY, Serve
from faces import CommandLine
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot
from vendor import Vendor
from windows import CTRL, SHIFT, Person, window_on

PEOPLE = [{"name": "Ada", "born": 1815}, {"name": "Grace", "born": 1906}, {"name": "Alan", "born": 1912}]


@pytest.fixture(autouse=True)
def _empty_clipboard(qapp: QApplication) -> None:
    QGuiApplication.clipboard().clear()


def draw_pair(person: Person, url: str) -> tuple[str, str]:
    """Empty canvas, a step dragged in, one by quick add, a wire by mouse, both forms filled."""
    person.key(Qt.Key.Key_N, CTRL)
    fetch = person.drag_from_palette("fetch an address", 0, 0)
    person.write("Address", url)
    person.pick_nothing()
    sort = person.quick_add("sort a list")
    person.drag_card(sort, 60, 160)
    person.draw_wire(fetch, "out", sort)
    person.pick(sort)
    person.write_expression("List", f"{{{{ steps.{fetch}.output }}}}")
    person.add_row("By fields", "born")
    return fetch, sort


def test_from_the_empty_canvas_to_a_finished_run(person: Person, vendor: Vendor) -> None:
    url = vendor.answers("people", (200, [*reversed(PEOPLE)]))
    vendor.held.add("people")
    fetch, sort = draw_pair(person, url)
    join = person.quick_add("join to text")
    person.write_expression("List", f"{{{{ steps.{sort}.output }}}}")
    person.write("Field", "name")

    assert [edge.key for edge in person.plan.edges] == [(fetch, "out", sort), (sort, "out", join)]
    person.run()
    vendor.wait_for("people")
    person.sees_cards("running", fetch)
    assert [person.card(each) for each in (sort, join)] == ["", ""]
    vendor.release()

    assert person.sees_end() == "Succeeded"
    person.sees_cards("ok", fetch, sort, join)
    person.sees(lambda: person.figures(sort).startswith("3 · "))
    person.open_pane("Run")
    assert [row[1] for row in person.table("Steps of the run")] == ["Succeeded"] * 3

    person.open_pane("Data")
    person.pick(sort)
    person.sees(lambda: person.has("Output as a table") and person.headings("Output as a table") == ["name", "born"])
    assert person.table("Output as a table") == [[each["name"], str(each["born"])] for each in PEOPLE]
    person.click("View: JSON")
    person.sees(lambda: '"name": "Ada"' in person.control("Output as JSON", QPlainTextEdit).toPlainText())
    person.pick(join)
    person.sees(lambda: "Ada, Grace, Alan" in person.control("Output as JSON", QPlainTextEdit).toPlainText())
    assert "Run finished" in person.log() or "succeeded" in person.log().lower()


def test_stop_ends_a_blocked_run_at_once(person: Person, vendor: Vendor) -> None:
    vendor.held.add("people")
    fetch, sort = draw_pair(person, vendor.url("people"))
    person.run()
    vendor.wait_for("people")
    person.sees_cards("running", fetch)
    person.click("Stop the run")
    person.sees(lambda: person.run_state == "Stopped", 2000)
    person.sees_cards("stopped", fetch)
    assert person.card(sort) in ("", "stopped", "skipped")
    assert not person.control("Stop the run", QPushButton).isEnabled()


def test_a_failing_step_is_shown_fixed_and_run_again(person: Person, vendor: Vendor) -> None:
    fetch, sort = draw_pair(person, vendor.answers("gone", (404, {"error": "no such list"})))
    person.run()
    assert person.sees_end() == "Failed"
    person.sees_cards("failed", fetch)
    assert "404" in person.log()

    person.pick(fetch)
    person.write("Address", vendor.answers("people", (200, PEOPLE)))
    person.run()
    assert person.sees_end() == "Succeeded"
    person.sees_cards("ok", fetch, sort)
    assert "404" not in person.log()
    assert vendor.ledger == {"gone": 1, "people": 1}


def test_everything_is_undone_to_the_empty_canvas_and_redone(person: Person, vendor: Vendor) -> None:
    person.key(Qt.Key.Key_N, CTRL)
    person.key(Qt.Key.Key_W, CTRL)
    fetch, sort = draw_pair(person, vendor.url("people"))
    whole = person.document
    person.pick(fetch, sort)
    person.key(Qt.Key.Key_Delete)
    deleted = person.document

    undone = 0
    while person.window.actions_by_name["undo"].isEnabled():
        person.key(Qt.Key.Key_Z, CTRL)
        undone += 1
        assert (person.document == whole) == (undone == 1)
    assert (person.plan.steps, person.plan.edges) == ((), ())
    person.sees(lambda: person.canvas.board.cards.row_of == {})

    for _ in range(undone - 1):
        person.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert person.document == whole
    person.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert person.document == deleted
    assert not person.window.actions_by_name["redo"].isEnabled()


def test_steps_are_copied_with_their_wire_and_run(person: Person, vendor: Vendor) -> None:
    fetch, sort = draw_pair(person, vendor.answers("people", (200, PEOPLE)))
    person.pick(fetch, sort)
    person.key(Qt.Key.Key_C, CTRL)
    person.key(Qt.Key.Key_V, CTRL)
    copies = [step.id for step in person.plan.steps if step.id not in (fetch, sort)]
    assert len(copies) == 2
    assert (copies[0], "out", copies[1]) in [edge.key for edge in person.plan.edges]
    assert person.plan.step(copies[1]).params["items"] == f"{{{{ steps.{copies[0]}.output }}}}"
    person.run()
    assert person.sees_end() == "Succeeded"
    person.sees_cards("ok", fetch, sort, *copies)
    assert vendor.ledger["people"] == 2


def test_a_saved_plan_opens_again_as_the_same_bytes_and_runs_in_the_terminal(
    person: Person, keyed: CommandLine, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, second = tmp_path / "people.flow", tmp_path / "again.flow"
    names = iter([str(file), str(second)])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_keys: (next(names), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args, **_keys: (str(file), ""))
    _fetch, sort = draw_pair(person, vendor.answers("people", (200, [*reversed(PEOPLE)])))
    person.key(Qt.Key.Key_S, CTRL)
    written = file.read_bytes()
    person.key(Qt.Key.Key_W, CTRL)
    assert person.window.editor.front is None

    person.key(Qt.Key.Key_O, CTRL)
    assert person.document == written
    person.window.actions_by_name["save-as"].trigger()
    assert second.read_bytes() == written
    answer = keyed("run", str(file), "--json")
    assert answer.code == 0, answer.text
    assert answer.json["logs"][-1]["output"] == PEOPLE
    assert sort in written.decode()


def webhook_plan(person: Person) -> None:
    """A web request starts it; its one step greets who is named in the body. Published by mouse."""
    person.key(Qt.Key.Key_N, CTRL)
    person.click("On a web request")
    person.type("render a template")
    person.key(Qt.Key.Key_Return)
    person.write("Template", "hello {{ trigger.body.name }}, welcome", pace_ms=20)
    person.pick_nothing()
    person.write("Name of this plan", "Greeter")
    person.write("Webhook: Path", "greet")
    person.sees(lambda: person.panes()[-1] == "Problems")  # without a count: it was checked and has none
    person.click("Publish")
    person.sees(lambda: person.window.editor.toolbar.state.text() == "Live, version 1")


def test_a_webhook_published_from_the_window_is_answered_by_its_server(person: Person) -> None:
    assert requests.get(f"{person.address}/api/health", timeout=10).json()["status"] == "healthy"
    webhook_plan(person)
    answer = requests.post(f"{person.address}/api/webhook/greet", json={"name": "Ada"}, timeout=10).json()
    assert answer["status"] == "success"
    assert answer["logs"][0]["output"] == "hello Ada, welcome"
    person.click("Runs")
    person.sees(lambda: person.table("Runs")[:1] and person.table("Runs")[0][0] == "Succeeded")


def test_a_closed_window_serves_no_more_and_its_plan_is_there_for_the_next(
    keyed: CommandLine, qtbot: QtBot, serve: Serve
) -> None:
    with window_on(keyed.data_dir, {"ENCRYPTION_KEY": KEY}, qtbot) as person:
        webhook_plan(person)
        address = person.address
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}/api/health", timeout=5)
    (plan,) = serve().get("/api/execution-plans")
    assert (plan["name"], plan["trigger"]["config"]["webhook_path"]) == ("Greeter", "greet")


@pytest.mark.xfail(
    reason="cards of a step that ran again within a frame may stay blank: known, not solved", strict=False
)
def test_one_step_runs_by_itself_on_what_is_stored_and_asks_when_nothing_is(person: Person, vendor: Vendor) -> None:
    fetch, sort = draw_pair(person, vendor.answers("people", (200, PEOPLE)))
    person.pick(sort)
    person.canvas.setFocus()
    person.key(Qt.Key.Key_Return, CTRL)
    person.sees(lambda: person.has("Run them too"))
    assert vendor.ledger == {}
    person.click("Run them too")
    assert person.sees_end() == "Succeeded"
    person.sees_cards("ok", fetch, sort)
    person.pick(sort)
    person.canvas.setFocus()
    person.key(Qt.Key.Key_Return, CTRL)
    person.sees(lambda: person.window.editor.front.live_run.end is None)
    assert person.sees_end() == "Succeeded"
    person.sees_cards("ok", fetch, sort)
    assert vendor.ledger == {"people": 1}
