"""Which events a run's log keeps as a line. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from flowstudio.engine.events import LogWritten, RunEvent, StepRetrying


def line_of(event: RunEvent | None) -> LogWritten | None:
    """The line that is stored for an event; None for one whose story the rows of the run and its steps tell."""
    make = _LINES.get(type(event))
    return None if make is None else make(event)


def _same(event: LogWritten) -> LogWritten:
    return event


def _of_retry(event: StepRetrying) -> LogWritten:
    text = f"Try {event.attempt} failed. {event.failure.sentence} The next one follows in {event.delay_s:.1f} s."
    return LogWritten(event.run_id, event.at, "warning", text, event.step_id, event.iteration)


_LINES: Mapping[type, Callable[[Any], LogWritten]] = {
    LogWritten: _same,
    StepRetrying: _of_retry,
}
