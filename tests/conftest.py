"""What every test gets: an offscreen Qt, its own data folder, and a log in which a warning is a failure."""

import logging
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for name in ("ENCRYPTION_KEY", "DATABASE_URL", "OPENAI_API_KEY"):
    os.environ.pop(name, None)
# A shell's background job ignores Ctrl+C, and so would every program that a test starts from it.
signal.signal(signal.SIGINT, signal.default_int_handler)


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder and a home of the test's own: plans write below ~ by default."""
    monkeypatch.setenv("FLOWSTUDIO_DATA_DIR", str(tmp_path / "data"))
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp("home")))


@pytest.fixture(autouse=True)
def _no_unexpected_warning(request: pytest.FixtureRequest) -> Iterator[None]:
    """An unexpected warning in FlowStudio's log fails the test; `@pytest.mark.logs("regex")` expects one."""
    collector = _Collector()
    logger = logging.getLogger("flowstudio")
    logger.addHandler(collector)
    try:
        yield
    finally:
        logger.removeHandler(collector)
    expected = [pattern for mark in request.node.iter_markers("logs") for pattern in mark.args]
    surprises = [line for line in collector.lines if not any(re.search(each, line) for each in expected)]
    assert not surprises, f"unexpected warnings in the log: {surprises}"
