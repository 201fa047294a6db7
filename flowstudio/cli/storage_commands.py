"""`flowstudio storage`: how much room the history takes, and giving it back."""

import json
import threading

import click

from flowstudio.cli.context import JSON_OUT, USER, application, until_signal
from flowstudio.cli.output import count, table
from flowstudio.cli.run_command import INTERRUPTED
from flowstudio.workspace.history_space import HistoryLimits, StorageReport, cleaned_as_json, report_as_json

_UNITS = ("B", "kB", "MB", "GB", "TB")


@click.group()
def storage() -> None:
    """See how much room the history takes, and clean it."""


@storage.command()
@JSON_OUT
@USER
@click.pass_context
def report(context: click.Context, as_json: bool, user_id: str) -> None:
    """Say what takes room: the database, large values in files, each plan's runs."""
    with application(context) as running:
        found = running.services.history_space.report()
    if as_json:
        click.echo(json.dumps(report_as_json(found, user_id), indent=2, ensure_ascii=False))
        return
    click.echo(table(_facts(found)))
    shares = [each for each in found.plans if each.user_id == user_id]
    if shares:
        rows = [(each.name, str(each.runs), str(each.steps), str(each.log_lines)) for each in shares]
        click.echo("\n" + table([("Plan", "Runs", "Steps", "Log lines"), *rows]))


@storage.command()
@JSON_OUT
@click.pass_context
def clean(context: click.Context, as_json: bool) -> None:
    """Remove the runs that the limits do not allow, and give the room back to the disk."""
    stop = threading.Event()
    with application(context) as running, until_signal(stop):
        done = running.services.history_space.clean(stop)
    if as_json:
        click.echo(json.dumps(cleaned_as_json(done), indent=2))
    else:
        removed = f"{count(done.runs, 'run')} and {count(done.revisions, 'unused plan revision')}"
        click.echo(f"Removed {removed}: {size(done.bytes_before)} before, {size(done.bytes_after)} now.")
    if not done.is_whole:
        click.echo("Stopped before the end.", err=True)
        context.exit(INTERRUPTED)


def size(size_bytes: int) -> str:
    """In units of 1024, as files are shown."""
    value, unit = float(size_bytes), _UNITS[0]
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def _facts(found: StorageReport) -> list[tuple[str, str]]:
    files = f" in {count(found.payload_files, 'file')}" if found.payload_files else ""
    facts = [
        ("Database", f"{size(found.database_bytes)}, {size(found.free_bytes)} of it free  ({found.database})"),
        ("Large values", f"{size(found.payload_bytes)}{files}"),
        ("Unused plan revisions", str(found.unused_revisions)),
        ("Oldest run", f"{found.oldest_run.astimezone():%Y-%m-%d %H:%M}" if found.oldest_run else "none"),
        ("Limits", _limits(found.limits)),
    ]
    return [*facts, ("Note", found.note)] if found.note else facts


def _limits(limits: HistoryLimits) -> str:
    said = [
        f"at most {size(limits.max_bytes)}" if limits.max_bytes else "",
        f"{limits.days:g} days after their end" if limits.days else "",
        f"{count(limits.runs, 'run')} of a plan" if limits.runs else "",
    ]
    return ", ".join(each for each in said if each) or "none"
