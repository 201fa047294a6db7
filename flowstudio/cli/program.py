"""Runs the command line: every error becomes one or two lines and an exit code, never a traceback."""

import io
import logging
import sys
from collections.abc import Sequence
from contextlib import closing, suppress

import click

from flowstudio import paths
from flowstudio.cli.commands import flowstudio
from flowstudio.cli.faces import Faces
from flowstudio.cli.output import show_error
from flowstudio.cli.run_command import BAD_INPUT, FAILED, INTERRUPTED
from flowstudio.errors import FlowStudioError
from flowstudio.plan.expression import ExpressionError
from flowstudio.plan.rules import PlanError
from flowstudio.settings import SettingsError
from flowstudio.vault.redact import Redactor
from flowstudio.workspace.errors import WorkspaceError
from flowstudio.workspace.log_file import LogFile

BAD = (PlanError, ExpressionError, WorkspaceError, SettingsError)
"""Errors of what the user gave: exit code 2. The world's faults (a full disk, a locked vault) are 1."""

log = logging.getLogger(__name__)


def main(faces: Faces, arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    _never_fail_on_characters()
    try:
        code = flowstudio.main(
            args=None if arguments is None else list(arguments),
            prog_name="flowstudio",
            standalone_mode=False,
            obj=faces,
        )
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return INTERRUPTED
    except FlowStudioError as error:
        show_error(error)
        return BAD_INPUT if isinstance(error, BAD) else FAILED
    except BrokenPipeError:
        return _leave_quietly()
    except Exception:
        # The application that kept the log is closed by now, and a terminal is no place for a traceback.
        with closing(LogFile(paths.log_dir(paths.data_dir()), Redactor().text)):
            log.exception("A command failed on a bug")
        click.echo("Error: FlowStudio made a mistake.", err=True)
        click.echo(f"  The details are in {paths.log_dir(paths.data_dir())}.", err=True)
        return FAILED
    return code if isinstance(code, int) else 0


def _never_fail_on_characters() -> None:
    """A terminal that cannot show a character shows a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _leave_quietly() -> int:
    """Whoever read our output has gone; flushing at exit must not complain about it."""
    with suppress(OSError, ValueError):
        sys.stdout.close()
    return FAILED
