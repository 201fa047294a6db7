"""The command line in this process, over a real application."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography.fernet import Fernet

from flowstudio import app
from flowstudio.cli.faces import Faces
from flowstudio.cli.program import main
from flowstudio.plan.document import dumps
from flowstudio.plan.model import Plan

Run: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", Fernet.generate_key().decode())


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """(exit code, standard output, standard error) of a command."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        code = main(Faces(app.build, app.catalogue, app.run_desktop), [str(each) for each in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def save(tmp_path: Path) -> Callable[[Plan | dict[str, Any] | str], Path]:
    """Writes a plan, a document or any text to a file."""

    def write(content: Plan | dict[str, Any] | str) -> Path:
        path = tmp_path / "plan.flow"
        if isinstance(content, Plan):
            path.write_bytes(dumps(content))
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write
