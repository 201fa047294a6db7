"""`flowstudio runs`: what ran, and what came of it."""

from pathlib import Path
from typing import Any

import click

from flowstudio.cli.context import JSON_OUT, USER, application
from flowstudio.cli.output import milliseconds, sentence, show_json, table
from flowstudio.cli.run_command import exit_code, read_input, wait_for_end
from flowstudio.cli.serving import serving_here
from flowstudio.engine.model import Answer, Run, RunOptions, StepRun
from flowstudio.settings import load_settings
from flowstudio.workspace.exports import ExportFormat
from flowstudio.workspace.files import write_file
from flowstudio.workspace.reruns import Revision
from flowstudio.workspace.resumption import iteration_path
from flowstudio.workspace.reuse import Choices, Stale
from flowstudio.workspace.run_json import log_line_as_json, path_as_text, run_as_json, step_as_json
from flowstudio.workspace.run_log import Level, LogLine

LEVELS = click.Choice([each.value for each in Level])
KINDS = click.Choice([each.value for each in ExportFormat])


@click.group()
def runs() -> None:
    """Look at runs and what came of them."""


@runs.command("list")
@click.option("--plan", "plan_id", help="Only runs of the plan with this id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first.")
@JSON_OUT
@USER
@click.pass_context
def list_runs(context: click.Context, plan_id: str | None, limit: int, as_json: bool, user_id: str) -> None:
    """List runs, newest first."""
    with application(context) as running:
        found = running.services.runs.list(user_id, plan_id, limit)
    if as_json:
        show_json([run_as_json(run) for run in found])
    else:
        click.echo(table([_run_row(run) for run in found]) if found else "There are no runs.")


@runs.command("show")
@click.argument("run_id")
@JSON_OUT
@USER
@click.pass_context
def show_run(context: click.Context, run_id: str, as_json: bool, user_id: str) -> None:
    """Show a run and the results of its steps."""
    with application(context) as running:
        run = running.services.runs.get(user_id, run_id)
        steps = running.services.runs.steps(user_id, run_id)
    if as_json:
        document = {**run_as_json(run), "steps": [step_as_json(step) for step in steps]}
        show_json(document)
        return
    click.echo(table([_run_row(run)]))
    if run.failure is not None:
        click.echo(sentence(run.failure.sentence, run.failure.fix))
    click.echo(table([_step_row(step) for step in steps]))


@runs.command("log")
@click.argument("run_id")
@click.option("--level", type=LEVELS, default=Level.DEBUG.value, help="Only lines of this level and above.")
@JSON_OUT
@USER
@click.pass_context
def show_log(context: click.Context, run_id: str, level: str, as_json: bool, user_id: str) -> None:
    """Show what the steps of a run, and the engine, told of it."""
    with application(context) as running:
        lines = [*running.services.exports.whole_log(user_id, run_id, Level(level))]
    if as_json:
        show_json([log_line_as_json(line) for line in lines])
    else:
        click.echo(table([_log_row(line) for line in lines]) if lines else "The log has no such lines.")


@runs.command("export")
@click.argument("run_id")
@click.option("--format", "kind", type=KINDS, default=ExportFormat.JSON.value, show_default=True)
@click.option("-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--step", "step_id", help="With --format csv: this step's output as a table.")
@click.option("--iteration", help="With --step: its iteration inside loops, as `runs show` lists it: 3.0.")
@USER
@click.pass_context
def export_run(
    context: click.Context,
    run_id: str,
    kind: str,
    file: Path | None,
    step_id: str | None,
    iteration: str | None,
    user_id: str,
) -> None:
    """Write all that is known of a run: json, csv (a row a step) or har (its HTTP requests). Secrets are masked."""
    if step_id is not None and ExportFormat(kind) is not ExportFormat.CSV:
        raise click.UsageError("--step goes with --format csv: one step's output is a table.")
    with application(context) as running:
        exports = running.services.exports
        if step_id is None:
            export = exports.run(user_id, run_id, ExportFormat(kind))
        else:
            export = exports.table(user_id, run_id, step_id, iteration_path(iteration) or ())
        if file is not None:
            write_file(file, export.pieces)
            click.echo(f"Wrote {file}.", err=True)
            return
        for piece in export.pieces:
            click.echo(piece, nl=False)


def _log_row(line: LogLine) -> tuple[str, ...]:
    place = ".".join(filter(None, (line.step_id, path_as_text(line.iteration))))
    return (f"{line.at.astimezone():%H:%M:%S.%f}"[:12], line.level, place, line.text)


REVISION = click.option("--current", is_flag=True, help="Run what the plan is now, not what it was then.")


@runs.command("again")
@click.argument("run_id")
@REVISION
@click.option("--dry-run", "is_dry", is_flag=True, help="Only read; `runs show` has what would have been sent.")
@USER
@click.pass_context
def run_again(context: click.Context, run_id: str, current: bool, is_dry: bool, user_id: str) -> None:
    """Run a plan again with the input of an earlier run."""
    with application(context) as running:
        options = RunOptions(is_dry=True) if is_dry else None
        new_id = running.services.reruns.again(user_id, run_id, _revision(current), options)
        ended = wait_for_end(running, user_id, new_id)
    _show_end(context, ended)


@runs.command("restart")
@click.argument("run_id")
@REVISION
@click.option(
    "--stale",
    type=click.Choice([*Stale]),
    help="With --current: what to do with outputs of steps that changed since: use them, or run the steps again.",
)
@USER
@click.pass_context
def restart_run(context: click.Context, run_id: str, current: bool, stale: str | None, user_id: str) -> None:
    """Go on, as a new run, where an earlier one failed."""
    choices = Choices(stale=None if stale is None else Stale(stale))
    with application(context) as running:
        new_id = running.services.reruns.restart(user_id, run_id, _revision(current), choices)
        ended = wait_for_end(running, user_id, new_id)
    _show_end(context, ended)


def _revision(current: bool) -> Revision:
    return Revision.CURRENT if current else Revision.ORIGINAL


@runs.command("answer")
@click.argument("run_id")
@click.argument("answer", type=click.Choice([each.value for each in Answer]))
@click.option("--step", "step_id", help="The step that is meant, when several ask.")
@click.option("--iteration", help="Its iteration inside loops, as `runs show` lists it: 3.0.")
@click.option("--output", metavar="JSON|@FILE", help="With done: the result that the following steps read.")
@USER
@click.pass_context
def answer_run(
    context: click.Context,
    run_id: str,
    answer: str,
    step_id: str | None,
    iteration: str | None,
    output: str | None,
    user_id: str,
) -> None:
    """Say what became of a step that was in flight when the program died.

    retry does it again, done takes it as done, fail lets it count as failed. With the last answer the run goes on: in
    the FlowStudio that serves this folder, or in this command, until its end.
    """
    result = read_input(output, "--output")
    there = serving_here(load_settings(), user_id)
    if there.is_any:
        said = {"answer": answer, "step_id": step_id, "iteration": iteration, "output": result}
        _show_answered(there.steer(run_id, "answer", **said))
        return
    with application(context) as running:
        service = running.services.runs
        service.answer(user_id, run_id, Answer(answer), step_id, iteration_path(iteration) or (), result)
        open_ones = service.questions(user_id, run_id)
        ended = None if open_ones else wait_for_end(running, user_id, run_id)
    for row in open_ones:
        assert row.failure is not None
        click.echo(sentence(row.failure.sentence, row.failure.fix))
    if ended is not None:
        _show_end(context, ended)


def _show_answered(run: dict[str, Any]) -> None:
    click.echo(f"{run['id']}  {run['state']}  {run['plan_name']}")
    for each in run.get("questions") or []:
        click.echo(sentence(each["question"]["sentence"], each["question"]["fix"]))


def _show_end(context: click.Context, ended: Run) -> None:
    click.echo(table([_run_row(ended)]))
    if ended.failure is not None:
        click.echo(sentence(ended.failure.sentence, ended.failure.fix))
    context.exit(exit_code(ended.state))


def _run_row(run: Run) -> tuple[str, ...]:
    return (run.id, run.state.value, f"{run.created_at.astimezone():%Y-%m-%d %H:%M:%S}", run.plan.name)


def _step_row(step: StepRun) -> tuple[str, ...]:
    said = step.failure.sentence if step.failure is not None else step.message
    return (step.step_id, path_as_text(step.iteration), step.state.value, milliseconds(step.duration_ms), said)
