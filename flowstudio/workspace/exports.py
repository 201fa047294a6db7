"""Exports: all that the history holds of a run, as JSON, CSV or HAR, written as it is read; and its log.

A run of 100,000 steps takes no more memory than one of ten: rows are read, masked and written one after the other.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Any

from flowstudio.engine.model import IterationPath, Run, StepRun
from flowstudio.engine.ports import Clock
from flowstudio.plan.document import to_document
from flowstudio.plan.evaluation.deferred import abridged, resolved
from flowstudio.plan.model import Json, StepId
from flowstudio.vault.redact import Redactor
from flowstudio.workspace import export_csv, export_har
from flowstudio.workspace.errors import BadRequestError, NoSuchRunError
from flowstudio.workspace.export_mask import ExportMask
from flowstudio.workspace.json_pieces import json_pieces
from flowstudio.workspace.plan_json import iso
from flowstudio.workspace.ports import RunHistory
from flowstudio.workspace.run_json import log_line_as_json, path_as_text, run_as_json, step_as_json
from flowstudio.workspace.run_log import Level, LogLine

FORMAT = "flowstudio-run/1"
LOG_PAGE = 1000
SHOWN = 64 * 1024
"""Bytes of an output that CSV brings from files for one cell."""


class ExportFormat(StrEnum):
    JSON = "json"
    CSV = "csv"
    HAR = "har"


CONTENT_TYPES = {
    ExportFormat.JSON: "application/json",
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.HAR: "application/json",
}


@dataclass(frozen=True, slots=True)
class Export:
    """pieces can be read once; reading them reads the history. name: of a file for it."""

    name: str
    content_type: str
    pieces: Iterator[bytes]


class Exports:
    """Thread-safe. Nothing it gives holds a secret."""

    def __init__(self, history: RunHistory, redactor: Redactor, clock: Clock) -> None:
        self._history = history
        self._redactor = redactor
        self._clock = clock

    def run(self, user_id: str, run_id: str, kind: ExportFormat) -> Export:
        """The whole run. Raises NoSuchRunError."""
        run = self._find(user_id, run_id)
        write = {ExportFormat.JSON: self._as_json, ExportFormat.CSV: self._as_csv, ExportFormat.HAR: self._as_har}[kind]
        pieces = write(run, ExportMask(self._redactor, run))
        return Export(f"run-{run_id}.{kind}", CONTENT_TYPES[kind], pieces)

    def table(self, user_id: str, run_id: str, step_id: StepId, iteration: IterationPath = ()) -> Export:
        """One step's output as a CSV table. Raises NoSuchRunError, BadRequestError when it has no result."""
        run = self._find(user_id, run_id)
        result = self._history.step_run(run_id, step_id, iteration)
        if result is None:
            where = f"step “{step_id}”" + (f" in iteration {path_as_text(iteration)}" if iteration else "")
            raise BadRequestError(f"The run {run_id} has no result of {where}.", facts={"field": "step"})
        mask = ExportMask(self._redactor, run)
        rows = (
            [mask.value(cell) for cell in row] for row in export_csv.table_rows(mask.value(resolved(result.output)))
        )
        name = "-".join(filter(None, ("run", run_id, step_id, path_as_text(iteration))))
        return Export(f"{name}.csv", CONTENT_TYPES[ExportFormat.CSV], export_csv.as_csv(rows))

    def log(
        self, user_id: str, run_id: str, level: Level = Level.DEBUG, after: int = 0, limit: int = LOG_PAGE
    ) -> Sequence[LogLine]:
        """The next lines of a run's log after that sequence, of that level and above. Raises NoSuchRunError."""
        run = self._find(user_id, run_id)
        lines = self._history.log_lines(run_id, level, after, limit)
        return ExportMask(self._redactor, run).lines(lines) if lines else ()

    def whole_log(self, user_id: str, run_id: str, level: Level = Level.DEBUG) -> Iterator[LogLine]:
        """All of them, read as it goes. Raises NoSuchRunError at the first."""
        run = self._find(user_id, run_id)
        yield from self._lines(run, ExportMask(self._redactor, run), level)

    def _lines(self, run: Run, mask: ExportMask, level: Level = Level.DEBUG) -> Iterator[LogLine]:
        after = 0
        while lines := self._history.log_lines(run.id, level, after, LOG_PAGE):
            yield from mask.lines(lines)
            after = lines[-1].sequence

    def _find(self, user_id: str, run_id: str) -> Run:
        run = self._history.find(user_id, run_id)
        if run is None:
            raise NoSuchRunError(f"There is no run {run_id}.")
        return run

    def _as_json(self, run: Run, mask: ExportMask) -> Iterator[bytes]:
        head = {
            "format": FORMAT,
            "exported_at": iso(self._clock.now()),
            "run": run_as_json(run),
            "plan": to_document(run.plan),
        }
        steps = (step_as_json(step) for step in self._history.each_step_run(run.id))
        log = map(log_line_as_json, self._lines(run, mask))  # the history may let go of the run meanwhile
        return _document(mask, head, steps=steps, log=log)

    def _as_har(self, run: Run, mask: ExportMask) -> Iterator[bytes]:
        entries = (export_har.entry(exchange) for exchange in self._history.exchanges(run.id))
        return chain((b'{"log":',), _document(mask, export_har.head(run), entries=entries), (b"}",))

    def _as_csv(self, run: Run, mask: ExportMask) -> Iterator[bytes]:
        rows = export_csv.step_rows(run, map(_shown, self._history.each_step_run(run.id)))
        return export_csv.as_csv([mask.value(cell) for cell in row] for row in rows)


def _shown(step: StepRun) -> StepRun:
    return replace(step, output=abridged(step.output, SHOWN))


def _document(mask: ExportMask, head: dict[str, Any], **lists: Iterable[dict[str, Json]]) -> Iterator[bytes]:
    """A JSON object: the members of head, then the lists, each entry on a line of its own."""
    opening = b"".join(json_pieces(mask.value(head)))
    yield opening[:-1]
    for name, entries in lists.items():
        yield f',\n"{name}":['.encode()
        for number, each in enumerate(entries):
            yield b",\n" if number else b"\n"
            yield from json_pieces(mask.value(each))
        yield b"]"
    yield b"}"
