"""The commands. Each reads its arguments, asks the services, prints; rules live further down."""

import json
import sys
import threading
from pathlib import Path

import click

from flowstudio import __version__
from flowstudio.cli.context import INPUT, JSON_OUT, USER, application, faces, has_display, until_signal
from flowstudio.cli.output import count, problem_line, table
from flowstudio.cli.run_command import BAD_INPUT, FAILED, LOOK_S, read_input, run_plan
from flowstudio.cli.runs_commands import runs
from flowstudio.cli.samples import read_sample, samples
from flowstudio.cli.secret_commands import credentials, token
from flowstudio.cli.steering_commands import call_run, cancel_run, pause_run, resume_run, step_over
from flowstudio.cli.storage_commands import storage
from flowstudio.engine.model import PLAIN, RunOptions
from flowstudio.plan.rules import Severity, check_plan
from flowstudio.settings import load_settings
from flowstudio.workspace.catalogue import providers_as_json
from flowstudio.workspace.files import read_plan_file
from flowstudio.workspace.ports import LOCAL_USER


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flowstudio")
@click.pass_context
def flowstudio(context: click.Context) -> None:
    """Draw a plan, run it for real, lose nothing. Without a command the window opens."""
    if context.invoked_subcommand is not None:
        return
    if not has_display():
        click.echo("Error: there is no display to open the window on.", err=True)
        click.echo("  Use flowstudio run FILE, flowstudio sample or flowstudio serve instead.", err=True)
        context.exit(FAILED)
    context.exit(faces(context).desktop(load_settings()))


@flowstudio.command()
@click.argument("file", type=click.Path(path_type=Path))
@INPUT
@click.option("--dry-run", "is_dry", is_flag=True, help="Only read; show each request that would change something.")
@click.option("--pins", "uses_pins", is_flag=True, help="Let the plan's pinned outputs stand in for their steps.")
@JSON_OUT
@USER
@click.pass_context
def run(
    context: click.Context, file: Path, data: str | None, is_dry: bool, uses_pins: bool, as_json: bool, user_id: str
) -> None:
    """Run a plan: a .flow file or a plan in the API's shape.

    Exit code 0: it succeeded; 1: it failed; 2: the plan or the arguments are not usable; 130: stopped by Ctrl+C.
    """
    plan, value = read_plan_file(file), read_input(data)
    options = RunOptions(is_dry=is_dry, uses_pins=uses_pins)
    with application(context) as running:
        code = run_plan(running, user_id, plan, value, options, as_json=as_json)
    context.exit(code)


@flowstudio.command()
@click.argument("name", required=False)
@INPUT
@JSON_OUT
@click.pass_context
def sample(context: click.Context, name: str | None, data: str | None, as_json: bool) -> None:
    """Run a sample plan by name; list them without one."""
    if name is None:
        click.echo(table([(each.name, each.title, str(each.path)) for each in samples()]))
        return
    plan, value = read_sample(name), read_input(data)
    with application(context) as running:
        code = run_plan(running, LOCAL_USER, plan, value, PLAIN, as_json=as_json)
    context.exit(code)


@flowstudio.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: 5001]")
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None) -> None:
    """Serve the HTTP API, webhooks and schedules until stopped."""
    stop = threading.Event()
    with application(context, load_settings(host=host, port=port)) as running, until_signal(stop):
        running.start()
        listening = running.serve()
        if listening.message:
            click.echo(listening.message, err=True)
        click.echo(f"FlowStudio listens on {listening.address}. Ctrl+C stops it.")
        sys.stdout.flush()
        while not stop.wait(LOOK_S):  # in slices, or Windows would not notice Ctrl+C
            pass
        click.echo("Stopping.", err=True)


@flowstudio.group()
def plan() -> None:
    """Work with plan files."""


@plan.command()
@click.argument("file", type=click.Path(path_type=Path))
@USER
@click.pass_context
def check(context: click.Context, file: Path, user_id: str) -> None:
    """Say everything that is wrong with a plan. Exit code 2 when it cannot run."""
    checked = read_plan_file(file)
    problems = check_plan(checked, faces(context).catalogue(load_settings(), user_id))
    for problem in problems:
        click.echo(problem_line(problem), err=problem.severity is Severity.ERROR)
    if any(problem.severity is Severity.ERROR for problem in problems):
        context.exit(BAD_INPUT)
    click.echo(f"“{checked.name}” can run: {count(len(checked.steps), 'step')}, {count(len(problems), 'warning')}.")


@flowstudio.command()
@click.option("--search", "query", default="", help="Only what fits these words.")
@JSON_OUT
@USER
@click.pass_context
def providers(context: click.Context, query: str, as_json: bool, user_id: str) -> None:
    """List the providers and their actions."""
    registry = faces(context).catalogue(load_settings(), user_id)
    for fault in registry.problems:
        click.echo(f"Warning: {fault.file}, line {fault.line}, {fault.key}: {fault.sentence}", err=True)
    document = providers_as_json(registry, query)
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    chosen = {hit.manifest.id for hit in registry.search(query, 1000)} if query else None
    rows = [
        (f"{manifest.id}.{action.id}", manifest.title, action.title)
        for manifest in registry.manifests
        if chosen is None or manifest.id in chosen
        for action in manifest.actions
    ]
    click.echo(table(rows))


for steering in (cancel_run, pause_run, resume_run, step_over, call_run):
    runs.add_command(steering)
flowstudio.add_command(runs)
flowstudio.add_command(credentials)
flowstudio.add_command(token)
flowstudio.add_command(storage)
