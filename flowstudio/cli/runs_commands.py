"""`flowstudio runs`: what ran, and what came of it."""

import json

import click

from flowstudio.cli.context import JSON_OUT, USER, application
from flowstudio.cli.output import milliseconds, sentence, table
from flowstudio.engine.model import Run, StepRun
from flowstudio.workspace.run_json import path_as_text, run_as_json, step_as_json


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
        click.echo(json.dumps([run_as_json(run) for run in found], indent=2, ensure_ascii=False))
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
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    click.echo("  ".join(_run_row(run)))
    if run.failure is not None:
        click.echo(sentence(run.failure.sentence, run.failure.fix))
    click.echo(table([_step_row(step) for step in steps]))


def _run_row(run: Run) -> tuple[str, ...]:
    return (run.id, run.state.value, f"{run.created_at.astimezone():%Y-%m-%d %H:%M:%S}", run.plan.name)


def _step_row(step: StepRun) -> tuple[str, ...]:
    said = step.failure.sentence if step.failure is not None else step.message
    return (step.step_id, path_as_text(step.iteration), step.state.value, milliseconds(step.duration_ms), said)
