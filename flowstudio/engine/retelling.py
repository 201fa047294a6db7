"""A run told again: the events that lead to what the store holds of it. Pure.

Whoever meets a run late (a window that opens an old one, or one that is under way) shows it by the same events as one
it saw from the start. Tries that failed and lines of the log are not kept by step, so they are not told again.
"""

from collections.abc import Iterable

from flowstudio.engine.events import (
    RunEnded,
    RunEvent,
    RunStarted,
    RunStateChanged,
    StepCancelled,
    StepFailed,
    StepInterrupted,
    StepSkipped,
    StepStarted,
    StepSucceeded,
    items_in,
)
from flowstudio.engine.model import QUESTION, Failure, Run, RunState, StepRun, StepState
from flowstudio.plan.model import StepId, StepKind

UNKNOWN_FAILURE = Failure("engine.unknown", "The step failed; why was not kept.")


def retell(run: Run, results: Iterable[StepRun]) -> list[RunEvent]:
    """The run's events in the order its results became known. Times are those of the results."""
    kinds = {step.id: step.kind for step in run.plan.steps}
    began = run.started_at or run.created_at
    told: list[RunEvent] = [RunStarted(run.id, began, run.user_id, run.plan.id, run.plan.name, run.trigger.kind.value)]
    rows = sorted(results, key=lambda row: row.sequence)
    for row in rows:
        told += _events_of(row, run, kinds)
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
    began = StepStarted(*about, attempt=1)
    if row.state is StepState.SUCCEEDED:
        items = items_in(kinds.get(row.step_id, StepKind.ACTION), row.output)
        return [began, StepSucceeded(*about, row.attempt, items, row.duration_ms, row.ports, row.message)]
    if row.state is StepState.FAILED:
        failure = row.failure or UNKNOWN_FAILURE
        return [began, StepFailed(*about, row.attempt, failure, row.duration_ms, row.ports)]
    if row.state is StepState.RUNNING and QUESTION in row.metadata:
        return [began, StepInterrupted(*about, row.attempt, row.failure or UNKNOWN_FAILURE)]
    return [began, StepCancelled(*about)] if row.state is StepState.CANCELLED else [began]
