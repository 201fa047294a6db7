"""Which command runs the child: this Python, the packaged application itself, or a Python the user names."""

import os
import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

from flowstudio.providers.errors import BadParamError, ProviderError

STEP_ARGUMENT: Final = "--python-step"
"""The packaged application, started with this argument alone, has to run `child.main()` and nothing else."""


class NoPythonError(ProviderError):
    """There is no Python to run the step's code."""

    code = "provider.no_python"


def command(chosen: str) -> list[str]:
    """The program and its arguments. chosen: path of an interpreter, "" for FlowStudio's own.

    -I: no environment variables, no user packages, no current folder on the path; -S: no site-packages either.
    A Python the user chose keeps its site-packages, which is why one chooses it.
    """
    if chosen:
        return [_checked(chosen), "-I", "-X", "utf8", _child()]
    if getattr(sys, "frozen", False):
        return [sys.executable, STEP_ARGUMENT]
    if not sys.executable:
        raise NoPythonError("FlowStudio does not know its own Python.", fix="Name an interpreter in the step.")
    return [sys.executable, "-I", "-S", "-X", "utf8", _child()]


def environment(folder: str) -> dict[str, str]:
    """Nothing of FlowStudio's own environment but what a process needs to start; the temporary folder is home."""
    clean = {"PATH": os.defpath, "HOME": folder, "TMPDIR": folder, "TEMP": folder, "TMP": folder, "LANG": "C.UTF-8"}
    if os.name == "nt":
        clean |= {name: os.environ[name] for name in ("SYSTEMROOT", "COMSPEC") if name in os.environ}
    return clean


def _checked(chosen: str) -> str:
    path = Path(chosen).expanduser()
    if not path.is_absolute() or not path.is_file() or not os.access(path, os.X_OK):
        raise BadParamError(
            f"'{chosen}' is not the full path of a Python interpreter.", fix="Use something like /usr/bin/python3."
        )
    return str(path)


def _child() -> str:
    """The child program as a file on disk: a wheel and a one-folder bundle both hold it as one."""
    program = Path(str(files(__package__) / "child.py"))
    if not program.is_file():
        raise NoPythonError(
            "This FlowStudio was packaged without its Python runner.", fix="Leave the interpreter empty."
        )
    return str(program)
