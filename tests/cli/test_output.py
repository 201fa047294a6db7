"""What a run looks like in a terminal."""

import json
from datetime import UTC, datetime

import click
import pytest

from flowstudio.cli.output import RunLines, show_error, show_json, table
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


EVIL = "\x1b]0;title\x07\x1b[2J\r\x9b31m\u202eok"
OBEYED = set(EVIL) - set("]0;title[2J31mok")


def test_what_a_server_said_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = RunLines(Plan("p", EVIL, steps=(Step("s", "http", "get", title=EVIL),)))
    failure = Failure("http.status", EVIL, EVIL)
    said = [
        lines.line(RunStarted("r", NOW, "local", "p", EVIL, "manual")),
        lines.line(LogWritten("r", NOW, "info", EVIL, "s")),
        lines.line(StepFailed("r", NOW, "s", (), 1, failure, 1.0, ())),
        table([(EVIL, "a\nforged line")]),
    ]
    show_error(FlowStudioError(EVIL, fix=EVIL))
    show_json({"said": EVIL})
    printed = capsys.readouterr()
    text = click.unstyle("".join(filter(None, said))) + printed.out + printed.err
    assert not OBEYED & set(text.replace("\n", ""))
    assert "\\u001b[2J" in text
    assert json.loads(printed.out) == {"said": EVIL}
    assert "\n" not in (said[-1] or "")
