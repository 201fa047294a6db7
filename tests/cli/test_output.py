"""What a run looks like in a terminal."""

from datetime import UTC, datetime

import click
import pytest

from flowstudio.cli.output import RunLines, show_error, table
from flowstudio.engine.events import LogWritten, RunEnded, RunStarted, StepFailed, StepStarted, StepSucceeded
from flowstudio.engine.model import Failure, RunState
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Plan, Step

NOW = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
PLAN = Plan("p1", "Leads", steps=(Step("fetch", "http", "request", title="Fetch leads"),))


def shown(event: object) -> str:
    return click.unstyle(RunLines(PLAN).line(event) or "")  # type: ignore[arg-type]


def test_steps_are_called_by_their_titles() -> None:
    line = shown(StepSucceeded("r", NOW, "fetch", (), 1, 12, 345.0, ("out",), "200 OK"))
    assert line.endswith("ok       Fetch leads  (12 items, 345 ms)  200 OK")


def test_a_failure_says_why_and_what_to_do() -> None:
    failure = Failure("x", "It is down.", "Try later.")
    assert "FAILED   Fetch leads  It is down. Try later." in shown(StepFailed("r", NOW, "fetch", (), 1, failure, 1, ()))


def test_steps_in_loops_are_quiet_unless_they_fail() -> None:
    assert shown(StepStarted("r", NOW, "fetch", (3,), 1)) == ""
    failure = Failure("x", "It is down.")
    assert "Fetch leads [4]" in shown(StepFailed("r", NOW, "fetch", (3,), 1, failure, 1, ()))


def test_the_beginning_and_the_end_are_said() -> None:
    assert "Running “Leads”" in shown(RunStarted("r", NOW, "local", "p1", "Leads", "manual"))
    assert "Run succeeded in 1.5 s, 1 step done." in shown(RunEnded("r", NOW, RunState.SUCCEEDED, None, 1500, 1))


def test_logs_of_steps_are_shown_with_their_step() -> None:
    assert "log      Fetch leads  page 2" in shown(LogWritten("r", NOW, "info", "page 2", "fetch"))


def test_an_error_is_two_lines_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(FlowStudioError("It broke.", fix="Mend it."))
    assert capsys.readouterr() == ("", "Error: It broke.\n  Mend it.\n")


def test_tables_align_their_columns() -> None:
    assert table([("a", "long one"), ("bcd", "x")]) == "a    long one\nbcd  x"
