"""`flowstudio run`: a plan file in the terminal, watched to its end."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

import click

from flowstudio.cli.faces import RunningApplication
from flowstudio.cli.output import RunLines, count, show_json
from flowstudio.engine.events import RunEnded, RunEvent
from flowstudio.engine.model import Run, RunOptions, RunState, TriggerEvent
from flowstudio.plan.model import Json, Plan
from flowstudio.plan.reading.reader import check_json
from flowstudio.plan.rules import DocumentError
from flowstudio.workspace.errors import BadRequestError, FileUnreadableError
from flowstudio.workspace.files import read_file
from flowstudio.workspace.resumption import iteration_path
from flowstudio.workspace.run_ids import new_run_id
from flowstudio.workspace.run_json import unsent_as_json

SUCCESS, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
EXAMPLE = """For instance --input '{"email": "ada@example.org"}' or --input @data.json."""
LOOK_S = 0.2
"""How often the wait looks up: on Windows only then is Ctrl+C noticed."""


def read_input(text: str | None, option: str = "--input") -> Json:
    """An option as a value: JSON itself, or @FILE (@- for standard input). Raises BadRequestError."""
    if text is None:
        return None
    source = option
    if text == "@-":
        text, source = sys.stdin.read(), "standard input"
    elif text.startswith("@"):
        source = text[1:]
        try:
            text = read_file(Path(source)).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FileUnreadableError(f"{source} is not UTF-8 text.", fix="Save it as UTF-8.") from error
    try:
        value: Json = json.loads(text)
        check_json(value, source)
    except json.JSONDecodeError as error:
        raise BadRequestError(
            f"{source} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}.", fix=EXAMPLE
        ) from error
    except DocumentError as error:
        raise BadRequestError(error.sentence, fix=EXAMPLE) from error
    except (ValueError, RecursionError) as error:
        raise BadRequestError(
            f"{source} cannot be read: a number of too many digits, or too deep.", fix=EXAMPLE
        ) from error
    return value


def run_plan(
    application: RunningApplication, user_id: str, plan: Plan, data: Json, options: RunOptions, *, as_json: bool
) -> int:
    """Runs the plan and shows its events; the exit code. With as_json the Execution alone is on standard output.

    A dry run's unsent requests follow at its end, in the Execution as `dry_run`.
    """
    services = application.services
    run_id = new_run_id()
    events: SimpleQueue[RunEvent] = SimpleQueue()

    def take(event: object) -> None:
        if isinstance(event, RunEvent) and event.run_id == run_id:
            events.put(event)

    unsubscribe = services.bus.subscribe(take)
    try:
        services.runs.start(user_id, plan, TriggerEvent(data=data), run_id, options)
        code = _watch(application, user_id, run_id, RunLines(plan), events, to_stderr=as_json)
        services.runs.wait(run_id)  # the event comes a moment before the engine has let go of the run
    finally:
        unsubscribe()
    unsent = unsent_as_json(services.runs.steps(user_id, run_id)) if options.is_dry else []
    if as_json:
        execution = services.history.execution(user_id, run_id)
        show_json({**execution, "dry_run": unsent} if options.is_dry else execution)
    elif unsent:
        _show_unsent(RunLines(plan), unsent)
    return code


def _show_unsent(lines: RunLines, unsent: Sequence[Mapping[str, Json]]) -> None:
    click.echo(f"\nNothing of this was sent ({count(len(unsent), 'request')}):")
    for each in unsent:
        click.echo(f"\n{lines.name(str(each['step_id']), iteration_path(str(each['iteration'])) or ())}")
        show_json(each["request"])


def _watch(
    application: RunningApplication,
    user_id: str,
    run_id: str,
    lines: RunLines,
    events: "SimpleQueue[RunEvent]",
    *,
    to_stderr: bool,
) -> int:
    """Prints until the run ended. The first Ctrl+C cancels the run and waits for its end, the second leaves."""
    is_interrupted = False
    while True:
        try:
            event = events.get(timeout=LOOK_S)
            text = lines.line(event)
            if text is not None:
                click.echo(text, err=to_stderr)
            if isinstance(event, RunEnded):
                return INTERRUPTED if is_interrupted else exit_code(event.state)
        except Empty:
            continue
        except KeyboardInterrupt:
            if is_interrupted:
                raise
            is_interrupted = True
            click.echo("Stopping the run. Press Ctrl+C again to leave at once.", err=True)
            application.services.runs.cancel(user_id, run_id)


def wait_for_end(application: RunningApplication, user_id: str, run_id: str) -> Run:
    """The run once it ended or stands still. The first Ctrl+C cancels it, the second leaves."""
    services, is_interrupted = application.services, False
    while True:
        try:
            ended = services.runs.wait(run_id, LOOK_S)
        except KeyboardInterrupt:
            if is_interrupted:
                raise
            is_interrupted = True
            click.echo("Stopping the run. Press Ctrl+C again to leave at once.", err=True)
            services.runs.cancel(user_id, run_id)
            continue
        run = ended or services.runs.get(user_id, run_id)
        if run.state.is_final or run.state is RunState.INTERRUPTED:
            return run


def exit_code(state: RunState) -> int:
    return SUCCESS if state is RunState.SUCCEEDED else FAILED
