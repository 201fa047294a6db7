"""Steps' results as CSV (RFC 4180), fit to be opened by a spreadsheet.

A text that begins like a formula gets an apostrophe in front, so that no spreadsheet runs what a server answered.
Source: owasp.org/www-community/attacks/CSV_Injection. Numbers that are numbers stay as they are, a minus in front too.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flowstudio.engine.model import Run, StepRun
from flowstudio.plan.model import Json
from flowstudio.workspace.plan_json import iso
from flowstudio.workspace.run_json import path_as_text

COLUMNS = (
    "sequence", "step_id", "title", "provider", "action", "iteration", "state", "attempt", "started_at", "duration_ms",
    "message", "error_code", "error", "output",
)  # fmt: skip
LONGEST_CELL = 32_000
"""Characters; a spreadsheet's cell holds 32,767."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ROWS_AT_ONCE = 200
DEEPEST = 3
"""Objects around a list that are looked into for it."""


def step_rows(run: Run, steps: Iterable[StepRun]) -> Iterator[Sequence[Json]]:
    """COLUMNS, then a row for each result of a step."""
    by_id = {step.id: step for step in run.plan.steps}
    yield COLUMNS
    for each in steps:
        step, failure = by_id.get(each.step_id), each.failure
        yield (
            each.sequence,
            each.step_id,
            step.label if step else "",
            step.provider if step else "",
            step.action if step else "",
            path_as_text(each.iteration),
            each.state.value,
            each.attempt,
            iso(each.started_at),
            each.duration_ms,
            each.message,
            failure.code if failure else "",
            failure.sentence if failure else "",
            each.output,
        )


def table_rows(output: Json) -> Iterator[Sequence[Json]]:
    """A step's output as a table: a list is its rows, of an object the first list of objects in it, else it is one row.

    The columns are all members its rows have, in the order they are met.
    """
    rows = _table(output)
    names = list(dict.fromkeys(str(name) for row in rows if isinstance(row, dict) for name in row))
    if not names:
        width = max((len(row) for row in rows if isinstance(row, list)), default=1)
        yield [f"column {number}" for number in range(1, width + 1)] if width > 1 else ["value"]
        yield from (row if isinstance(row, list) else [row] for row in rows)
        return
    has_others = any(not isinstance(row, dict) for row in rows)
    yield [*names, "value"] if has_others else names
    for row in rows:
        if isinstance(row, dict):
            cells: list[Json] = [row.get(name) for name in names]
            yield [*cells, None] if has_others else cells
        else:
            yield [*[None] * len(names), row]


def as_csv(rows: Iterable[Sequence[Json]]) -> Iterator[bytes]:
    """The rows as UTF-8 with the mark by which spreadsheets know it, some at a time."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_MINIMAL)
    yield b"\xef\xbb\xbf"
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell(value) for value in row])
        if number % ROWS_AT_ONCE == 0:
            yield _taken(written)
    yield _taken(written)


def _taken(written: io.StringIO) -> bytes:
    text = written.getvalue()
    written.seek(0)
    written.truncate()
    return text.encode("utf-8", "replace")


def _cell(value: Any) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text.replace("\0", "�")
    if len(text) > LONGEST_CELL:
        text = f"{text[:LONGEST_CELL]}…"
    return f"'{text}" if text.startswith(FORMULA) else text


def _table(output: Any) -> Sequence[Any]:
    if isinstance(output, list):
        return output
    if isinstance(output, dict):
        return _first_list([output]) or [output]
    return [] if output is None else [output]


def _first_list(objects: Sequence[dict[str, Any]], depth: int = 0) -> Sequence[Any] | None:
    """The outermost list of objects among the members, as an API's answer wraps its rows."""
    members = [each for one in objects for each in one.values()]
    for each in members:
        if isinstance(each, list) and any(isinstance(row, dict) for row in each):
            return each
    inner = [each for each in members if isinstance(each, dict)]
    return _first_list(inner, depth + 1) if inner and depth < DEEPEST else None
