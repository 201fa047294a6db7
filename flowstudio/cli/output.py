"""What a run looks like in a terminal: one line an event, words instead of colours alone.

What servers answered and plans are called is shown without control characters: a terminal would obey them.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from flowstudio.engine.events import (
    LogWritten,
    RunEnded,
    RunEvent,
    RunStarted,
    RunStateChanged,
    StepCancelled,
    StepFailed,
    StepInterrupted,
    StepPaused,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from flowstudio.engine.model import Failure, IterationPath
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Plan
from flowstudio.plan.rules import Problem, Severity
from flowstudio.workspace.errors import PlanNotRunnableError, problem_sentence
from flowstudio.workspace.json_pieces import text_pieces

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""All but tab and line feed; those of C1, which a terminal takes for escapes; those that turn the direction of text."""

LEVEL_COLOURS: Mapping[str, str] = {"warning": "yellow", "error": "red", "debug": "bright_black"}


class RunLines:
    """Turns the events of one run into lines. Steps inside loops are shown when they fail or log, not each by each."""

    def __init__(self, plan: Plan, *, verbose: bool = False) -> None:
        self._labels = {step.id: plain(step.label) for step in plan.steps}
        self._verbose = verbose

    def line(self, event: RunEvent) -> str | None:
        """The styled line of an event; None for one that is not shown."""
        text = self._text(event)
        return None if text is None else f"{_clock(event.at)}  {text}"

    def _text(self, event: RunEvent) -> str | None:
        match event:
            case RunStarted():
                return click.style(f"Running “{plain(event.plan_name)}”", bold=True)
            case StepStarted() if event.attempt > 1 or (event.iteration and not self._verbose):
                return None
            case StepStarted():
                return f"{_word('start', 'cyan')} {self.name(event.step_id, event.iteration)}"
            case StepSucceeded() if event.iteration and not self._verbose:
                return None
            case StepSucceeded():
                facts = f"{count(event.items, 'item')}, {milliseconds(event.duration_ms)}"
                message = f"  {plain(event.message)}" if event.message else ""
                return f"{_word('ok', 'green')} {self.name(event.step_id, event.iteration)}  ({facts}){message}"
            case StepFailed():
                name = self.name(event.step_id, event.iteration)
                return f"{_word('FAILED', 'red')} {name}  {sentence(event.failure.sentence, event.failure.fix)}"
            case StepRetrying():
                name = self.name(event.step_id, event.iteration)
                wait = f"again in {event.delay_s:.1f} s"
                return f"{_word('retry', 'yellow')} {name}  {plain(event.failure.sentence)} {wait}"
            case StepInterrupted(failure=why):
                return f"{_word('asks', 'yellow')} {sentence(why.sentence, why.fix)}"
            case StepSkipped() if event.iteration and not self._verbose:
                return None
            case StepSkipped():
                name = self.name(event.step_id, event.iteration)
                return f"{_word('skip', 'bright_black')} {name}  {plain(event.reason)}"
            case StepPaused():
                return f"{_word('held', 'yellow')} {self.name(event.step_id, event.iteration)}  {plain(event.reason)}"
            case StepCancelled():
                return f"{_word('stopped', 'yellow')} {self.name(event.step_id, event.iteration)}"
            case LogWritten():
                place = f"{self.name(event.step_id, event.iteration)}  " if event.step_id else ""
                return f"{_word('log', LEVEL_COLOURS.get(event.level, 'white'))} {place}{plain(event.text)}"
            case RunStateChanged(failure=Failure() as why):
                return f"{_word('run', 'yellow')} {event.state}  {sentence(why.sentence, why.fix)}"
            case RunStateChanged():
                return f"{_word('run', 'cyan')} {event.state}"
            case RunEnded():
                return _ending(event)
        return None

    def name(self, step_id: str | None, iteration: IterationPath) -> str:
        """A step as people know it: its label, with the item it ran for, counted from 1."""
        label = self._labels.get(step_id or "", plain(step_id or ""))
        return f"{label} [{'.'.join(str(index + 1) for index in iteration)}]" if iteration else label


def _ending(event: RunEnded) -> str:
    colours = {"succeeded": "green", "failed": "red"}
    text = f"Run {event.state} in {milliseconds(event.duration_ms)}, {count(event.steps_done, 'step')} done."
    styled = click.style(text, fg=colours.get(str(event.state), "yellow"), bold=True)
    if event.failure is None or event.failure.step_id is not None:
        return styled  # the step's own line has said why
    return f"{styled} {sentence(event.failure.sentence, event.failure.fix)}"


def sentence(text: str, fix: str) -> str:
    return plain(f"{text} {fix}").strip()


def plain(text: str) -> str:
    """A text whose control characters can be seen instead of being obeyed."""
    return CONTROLS.sub(_escaped, text)


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def milliseconds(duration_ms: float) -> str:
    return f"{duration_ms:.0f} ms" if duration_ms < 1000 else f"{duration_ms / 1000:.1f} s"


def show_error(error: FlowStudioError) -> None:
    """One or two lines on standard error: what happened, what to do."""
    if isinstance(error, PlanNotRunnableError):
        for problem in error.problems:
            click.echo(problem_line(problem), err=True)
        return
    click.echo(f"Error: {plain(error.sentence)}", err=True)
    if error.fix:
        click.echo(f"  {plain(error.fix)}", err=True)


def problem_line(problem: Problem) -> str:
    word = "Error" if problem.severity is Severity.ERROR else "Warning"
    return f"{word}: {plain(problem_sentence(problem))}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, the last one ragged. A row is one line."""
    if not rows:
        return ""
    rows = [[plain(cell).replace("\n", " ⏎ ") for cell in row] for row in rows]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def show_json(value: object) -> None:
    """Piece by piece: what lies in files is brought one after the other."""
    for piece in text_pieces(value):
        click.echo(plain(piece), nl=False)  # JSON has written the others as escapes, as these are now
    click.echo()


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _word(text: str, colour: str) -> str:
    return click.style(f"{text:<8}", fg=colour)


def _clock(at: datetime) -> str:
    return click.style(f"{at.astimezone():%H:%M:%S}", fg="bright_black")
