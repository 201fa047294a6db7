"""The panes below the canvas: what a run did, line by line and step by step."""

from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from flowstudio.engine.events import (
    LogWritten,
    RunEnded,
    RunEvent,
    RunStarted,
    StepFailed,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from flowstudio.engine.model import Failure, RunState, StepRun, StepState
from flowstudio.plan.rules import Problem, Severity
from flowstudio.ui.icons import Icons
from flowstudio.ui.panels.data_panel import BOTH, INPUT, DataPanel, duration, facts_of
from flowstudio.ui.panels.data_view import pretty
from flowstudio.ui.panels.log_model import LogModel
from flowstudio.ui.panels.log_panel import LogPanel
from flowstudio.ui.panels.problems_panel import ProblemsPanel
from flowstudio.ui.panels.run_panel import RunPanel
from flowstudio.workspace.step_input import StepInput

AT = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
FAILURE = Failure("provider.timeout", "No answer in 30 s.", "Raise the limit.", step_id="b")
LABELS = {"a": "Fetch", "b": "Post"}


def events() -> list[RunEvent]:
    return [
        RunStarted("r", AT, "local", "p", "Plan", "manual"),
        StepStarted("r", AT, "a", (), 1),
        LogWritten("r", AT, "debug", "detail", "a"),
        StepSucceeded("r", AT, "a", (), 1, 12, 34.0, ("out",), "12 rows read"),
        StepStarted("r", AT, "b", (), 1),
        StepRetrying("r", AT, "b", (), 1, 2.0, FAILURE),
        StepFailed("r", AT, "b", (), 2, FAILURE, 900.0, ()),
        StepSkipped("r", AT, "c", (), "its branch was not taken"),
        RunEnded("r", AT, RunState.FAILED, FAILURE, 1000.0, 3),
    ]


@pytest.fixture
def log_panel(qtbot: QtBot, icons: Icons) -> LogPanel:
    panel = LogPanel(icons)
    qtbot.addWidget(panel)
    panel.model.begin(LABELS)
    panel.show_model(panel.model, LABELS)
    panel.model.append(events())
    return panel


def lines(panel: LogPanel) -> list[str]:
    return [str(panel.model.index(row, 2).data()) for row in range(panel.model.rowCount())]


def choose(box: object, data: object) -> None:
    index = box.findData(data)  # type: ignore[attr-defined]
    box.setCurrentIndex(index)  # type: ignore[attr-defined]
    box.activated.emit(index)  # type: ignore[attr-defined]


def test_the_log_tells_each_event_in_a_line(log_panel: LogPanel) -> None:
    shown = lines(log_panel)
    assert shown[0] == "Run started (manual)"
    assert "12 rows read" in shown
    assert "No answer in 30 s. Raise the limit." in shown
    assert "detail" not in shown


def test_the_level_filter_hides_and_brings_back(log_panel: LogPanel) -> None:
    choose(log_panel.level, "error")
    assert all("No answer" in line for line in lines(log_panel))
    choose(log_panel.level, "debug")
    assert "detail" in lines(log_panel)


def test_the_step_filter_shows_one_step(log_panel: LogPanel) -> None:
    choose(log_panel.step, "a")
    assert lines(log_panel) == ["12 rows read"]


def test_ten_thousand_lines_are_one_insertion(log_panel: LogPanel, qtbot: QtBot) -> None:
    inserted: list[int] = []
    log_panel.model.rowsInserted.connect(lambda _, first, last: inserted.append(last - first + 1))
    log_panel.model.append([LogWritten("r", AT, "info", str(number)) for number in range(10_000)])
    assert inserted == [10_000]


def test_the_run_pane_has_a_row_a_step(qtbot: QtBot, icons: Icons) -> None:
    panel = RunPanel(icons)
    qtbot.addWidget(panel)
    model = panel.model
    model.begin(LABELS)
    model.take(events())
    rows = [[model.index(row, column).data() for column in range(model.columnCount())] for row in range(3)]
    assert rows[0] == ["Fetch", "Succeeded", "", "12", "34 ms", "12 rows read"]
    assert rows[1][:2] == ["Post", "Failed"]
    assert rows[2][:2] == ["c", "Skipped"]


def test_iterations_of_a_step_add_up(qtbot: QtBot, icons: Icons) -> None:
    panel = RunPanel(icons)
    qtbot.addWidget(panel)
    panel.model.begin(LABELS)
    for number in range(40):
        panel.model.take([StepSucceeded("r", AT, "a", (number,), 1, 2, 10.0, ("out",))])
    assert [panel.model.index(0, column).data() for column in range(5)] == ["Fetch", "Succeeded", "40×", "80", "400 ms"]


def result(output: object, failure: Failure | None = None) -> StepRun:
    return StepRun("r", "a", (2,), StepState.SUCCEEDED, 1, attempt=2, output=output, failure=failure, duration_ms=34.0)  # type: ignore[arg-type]


def test_the_data_pane_shows_a_table_and_the_same_as_json(qtbot: QtBot, icons: Icons) -> None:
    panel = DataPanel(icons)
    qtbot.addWidget(panel)
    panel.show()
    panel.show_result("Fetch", result([{"name": "Ann"}, {"name": "Bo"}]))
    assert panel.table.isVisible()
    assert panel.model.index(1, 0).data() == "Bo"
    panel.views.choose(1)
    qtbot.waitUntil(lambda: '"name": "Bo"' in panel.json.toPlainText())


def test_the_data_pane_shows_input_output_or_both(qtbot: QtBot, icons: Icons) -> None:
    panel = DataPanel(icons)
    qtbot.addWidget(panel)
    panel.show()
    panel.show_result("Fetch", result(["out"]), StepInput(["in"], "steps.before.output"))
    assert (panel.received.isVisible(), panel.gave.isVisible()) == (False, True)
    panel.sides.choose(INPUT)
    assert (panel.received.isVisible(), panel.gave.isVisible()) == (True, False)
    panel.sides.choose(BOTH)
    assert (panel.received.isVisible(), panel.gave.isVisible()) == (True, True)
    assert panel.received.model.index(0, 0).data() == "in"


def test_a_cell_is_copied_as_text_path_and_expression(qtbot: QtBot, icons: Icons) -> None:
    panel = DataPanel(icons)
    qtbot.addWidget(panel)
    panel.show()
    panel.show_result("Fetch", result({"entries": [{"name": "Ann"}, {"name": "Bo", "the age": 4}], "count": 2}))
    table = panel.gave.table
    table.setFocus()
    panel.activateWindow()
    qtbot.waitUntil(table.hasFocus)
    table.setCurrentIndex(panel.model.index(1, 0))
    board = QGuiApplication.clipboard()
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert board.text() == "Bo"
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert board.text() == "steps.a.output.entries[1].name"
    table.setCurrentIndex(panel.model.index(1, 1))
    panel.gave.copy_expression()
    assert board.text() == '{{ steps.a.output.entries[1]["the age"] }}'


def test_the_data_pane_says_why_a_step_failed(qtbot: QtBot, icons: Icons) -> None:
    panel = DataPanel(icons)
    qtbot.addWidget(panel)
    panel.show()
    panel.show_result("Post", result(None, FAILURE))
    assert panel._problem.isVisible()
    assert panel._problem.text() == "No answer in 30 s. Raise the limit."


def test_the_facts_name_item_and_try() -> None:
    assert facts_of(result([1, 2]), 2) == "item 3  ·  2 items  ·  34 ms  ·  try 2"


@pytest.mark.parametrize(("ms", "text"), [(0, "0 ms"), (999, "999 ms"), (1500, "1.5 s"), (125_000, "2 min 5 s")])
def test_durations_are_short(ms: float, text: str) -> None:
    assert duration(ms) == text


def test_huge_json_is_cut_with_a_word_about_it() -> None:
    text = pretty("x" * 3_000_000)
    assert len(text) < 2_100_000
    assert text.endswith("more characters are not shown here.")


def test_problems_come_errors_first_and_enter_goes_there(qtbot: QtBot, icons: Icons) -> None:
    panel = ProblemsPanel(icons)
    qtbot.addWidget(panel)
    panel.show()
    warning = Problem("a", None, "Not reachable.", Severity.WARNING, "plan.unreachable")
    error = Problem("b", "text", "Text is missing.", Severity.ERROR, "plan.missing")
    panel.show_problems([warning, error], LABELS)
    assert panel.model.index(0, 1).data() == "Text is missing."
    panel.table.selectRow(0)
    with qtbot.waitSignal(panel.problem_chosen) as chosen:
        qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert chosen.args == [error]


def test_the_log_is_searched_in_text_and_names_of_steps(icons: Icons) -> None:
    model = LogModel(icons)
    model.begin({"a": "Fetch the feed", "b": "Save"})
    model.append([LogWritten("r", AT, "info", "Twelve entries", "a"), LogWritten("r", AT, "info", "Done", "b")])
    for text, shown in (("twelve FEED", 1), ("save", 1), ("", 2), ("nowhere", 0)):
        model.set_filter("info", None, text)
        assert model.rowCount() == shown
