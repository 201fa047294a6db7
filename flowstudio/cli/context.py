"""What every command shares: options, the running application, signals, the display."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from flowstudio.cli.faces import Faces, RunningApplication
from flowstudio.settings import Settings, load_settings
from flowstudio.workspace.ports import LOCAL_USER
from flowstudio.workspace.users import check_user_id

USER = click.option(
    "--user",
    "user_id",
    default=LOCAL_USER,
    show_default=True,
    help="Act as this user.",
    callback=lambda _context, _option, text: check_user_id(text),
)
INPUT = click.option("--input", "data", metavar="JSON|@FILE", help="Data the run starts with, read as {{ trigger }}.")
JSON_OUT = click.option("--json", "as_json", is_flag=True, help="Print JSON alone on standard output.")


def faces(context: click.Context) -> Faces:
    found = context.find_object(Faces)
    assert found is not None
    return found


@contextmanager
def application(context: click.Context, settings: Settings | None = None) -> Iterator[RunningApplication]:
    """An application for the length of one command."""
    running = faces(context).build(settings or load_settings())
    try:
        yield running
    finally:
        running.close()


@contextmanager
def until_signal(stop: threading.Event) -> Iterator[None]:
    """Sets stop on Ctrl+C and on SIGTERM, and puts the old behaviour back at the end."""

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    old = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def has_display() -> bool:
    """Whether a window could open. On Linux somebody has to say where; an explicit Qt platform counts as such."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
