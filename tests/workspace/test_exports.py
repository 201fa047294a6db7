"""Exports of runs while the history changes under them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from flowstudio.engine.model import Run, RunState, StepRun, StepState, TriggerEvent
from flowstudio.plan.model import Plan
from flowstudio.vault.redact import Redactor
from flowstudio.workspace.exports import ExportFormat, Exports

NOW = datetime(2026, 3, 4, tzinfo=UTC)


class CleanedMeanwhile:
    """A history whose run is removed after its first step was read."""

    def __init__(self) -> None:
        self.run: Run | None = Run("r", "ann", Plan("p", "Plan"), RunState.SUCCEEDED, TriggerEvent(), NOW)

    def find(self, user_id: str, run_id: str) -> Run | None:
        return self.run

    def each_step_run(self, run_id: str) -> Iterator[StepRun]:
        yield StepRun(run_id, "s", (), StepState.SUCCEEDED, 1)
        self.run = None

    def log_lines(self, *_: Any) -> list[Any]:
        return []


def test_an_export_of_a_run_that_is_removed_meanwhile_comes_to_its_end() -> None:
    clock = SimpleNamespace(now=lambda: NOW)
    exports = Exports(cast(Any, CleanedMeanwhile()), Redactor(), cast(Any, clock))
    document = json.loads(b"".join(exports.run("ann", "r", ExportFormat.JSON).pieces))
    assert [each["step_id"] for each in document["steps"]] == ["s"]
    assert document["log"] == []
