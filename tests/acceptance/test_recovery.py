"""`kill -9` of the window: nothing that was drawn is lost, and what ran goes on.

What is proven here, in the product's words: autosave journal with recovery after a crash · after `kill -9` the next
start resumes the run at the first step without a durable result · `kill -9` of a real process in mid-run. The window
that is killed is a real one in a process of its own, edited by mouse and keys.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from faces import CommandLine
from pytestqt.qtbot import QtBot
from vendor import Vendor
from windows import window_on

CHILD = Path(__file__).with_name("person_child.py")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(keyed: CommandLine) -> Iterator[Start]:
    """Starts a person at a window of another process."""
    started: list[subprocess.Popen[str]] = []

    def begin(*scene: str) -> "subprocess.Popen[str]":
        arguments = [sys.executable, str(CHILD), str(keyed.data_dir), *scene]
        process = subprocess.Popen(arguments, env=keyed.environ(), stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def kill(process: "subprocess.Popen[str]") -> str:
    """SIGKILL; what it had still said."""
    process.kill()
    said, _ = process.communicate(timeout=30)
    return said or ""


def test_killed_in_mid_edit_the_next_start_shows_the_last_letter(
    start: Start, keyed: CommandLine, qtbot: QtBot
) -> None:
    process = start("edit")
    assert process.stdout is not None
    said = [line.rstrip("\n") for line in islice(process.stdout, 25)]
    said += kill(process).splitlines()
    assert len(said) >= 25

    with window_on(keyed.data_dir, keyed.environment, qtbot) as person:
        person.sees(lambda: person.window.editor.front is not None)
        (step,) = person.plan.steps
        assert step.title.startswith(max(said, key=len))
        assert len(step.title) <= len(max(said, key=len)) + 1
        assert step.params["url"] == "http://127.0.0.1:9/never"
        person.sees(lambda: "FlowStudio closed unexpectedly. 1 plan restored" in person.notice)
        person.pick(step.id)
        person.write("Name of this step", "Renamed after the crash")
        assert person.plan.steps[0].title == "Renamed after the crash"


def test_killed_in_mid_run_the_next_start_goes_on_with_it(
    start: Start, keyed: CommandLine, qtbot: QtBot, vendor: Vendor
) -> None:
    vendor.held.add("held")
    process = start("run", *(vendor.url(name) for name in ("first", "held", "last")))
    vendor.wait_for("held")
    kill(process)
    vendor.release()

    with window_on(keyed.data_dir, keyed.environment, qtbot) as person:
        person.sees(lambda: person.window.editor.front is not None)
        assert len(person.plan.steps) == 3
        assert "closed unexpectedly" in person.notice
        vendor.wait_for("last")
        person.click("Runs")
        person.sees(lambda: [row[0] for row in person.table("Runs")] == ["Succeeded"])
    assert vendor.ledger == {"first": 1, "held": 2, "last": 1}
