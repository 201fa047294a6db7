"""A run told again: the events that lead to what the store holds of it. Pure.

Whoever meets a run late (a window that opens an old one, or one that is under way) shows it by the same events as one
it saw from the start. Of tries that failed lines of the log tell.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from flowstudio.engine.events import (
    LogWritten,
    RunEnded,
    RunEvent,
    RunStarted,
    RunStateChanged,
    StepCancelled,
    StepFailed,
    StepHeld,
    StepInterrupted,
    StepPaused,
    StepSkipped,
    StepStarted,
    StepSucceeded,
    items_in,
)
from flowstudio.engine.model import QUESTION, REUSED_FROM, Failure, Run, RunState, StepRun, StepState
from flowstudio.engine.stops import HELD, INPUT, REASON
from flowstudio.plan.model import StepId, StepKind

IS_REUSED = "Reused from an earlier run."
UNKNOWN_FAILURE = Failure("engine.unknown", "The step failed; why was not kept.")


def retell(run: Run, results: Iterable[StepRun], lines: Iterable[LogWritten] = ()) -> list[RunEvent]:
    """The run's events in the order its results became known, lines of its log by their time between them.

    Times are those of the results.
    """
    kinds = {step.id: step.kind for step in run.plan.steps}
    began = run.started_at or run.created_at
    started = RunStarted(run.id, began, run.user_id, run.plan.id, run.plan.name, run.trigger.kind.value)
    told: list[RunEvent] = [] if run.state is RunState.QUEUED else [started]
    rows = sorted(results, key=lambda row: row.sequence)
    waiting = deque(lines)
    for row in rows:
        events = _events_of(row, run, kinds)
        while waiting and waiting[0].at < events[0].at:
            told.append(waiting.popleft())
        told += events
    told += waiting
    if run.state.is_final:
        ended = run.finished_at or began
        done = sum(row.state in (StepState.SUCCEEDED, StepState.FAILED) for row in rows)
        elapsed_ms = (ended - began).total_seconds() * 1000
        told.append(RunEnded(run.id, ended, run.state, run.failure, elapsed_ms, done))
    elif run.state not in (RunState.QUEUED, RunState.RUNNING):
        told.append(RunStateChanged(run.id, began, run.state, run.failure))
    return told


def _events_of(row: StepRun, run: Run, kinds: dict[StepId, StepKind]) -> list[RunEvent]:
    at = row.started_at or run.started_at or run.created_at
    about = (run.id, at, row.step_id, row.iteration)
    if row.state is StepState.SKIPPED:
        return [StepSkipped(*about, row.message)]
    if row.state is StepState.WAITING and HELD in row.metadata:
        return [StepPaused(*about, row.attempt, str(row.metadata.get(REASON, "")), row.metadata.get(INPUT))]
    if row.state is StepState.WAITING and "waits_for" in row.metadata:
        until = row.metadata.get("until") or row.metadata.get("due")
        due = datetime.fromisoformat(until) if isinstance(until, str) else None
        return [StepHeld(*about, row.attempt, str(row.metadata["waits_for"]), due)]
    told: list[RunEvent] = [StepStarted(*about, attempt=1)]
    waited_ms = row.metadata.get("waited_ms")
    if isinstance(waited_ms, int | float):
        asked = (run.id, at - timedelta(milliseconds=waited_ms), row.step_id, row.iteration)
        told.insert(0, StepHeld(*asked, row.attempt, str(row.metadata.get("waited_for", "")), at))
    if row.state is StepState.SUCCEEDED:
        items = items_in(kinds.get(row.step_id, StepKind.ACTION), row.output)
        told.append(StepSucceeded(*about, row.attempt, items, row.duration_ms, row.ports, _message(row)))
    elif row.state is StepState.FAILED:
        failure = row.failure or UNKNOWN_FAILURE
        told.append(StepFailed(*about, row.attempt, failure, row.duration_ms, row.ports))
    elif row.state is StepState.RUNNING and QUESTION in row.metadata:
        told.append(StepInterrupted(*about, row.attempt, row.failure or UNKNOWN_FAILURE))
    elif row.state is StepState.CANCELLED:
        told.append(StepCancelled(*about))
    return told


def _message(row: StepRun) -> str:
    return f"{IS_REUSED} {row.message}".rstrip() if REUSED_FROM in row.metadata else row.message
