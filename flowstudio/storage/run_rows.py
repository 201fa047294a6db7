"""Runs and step runs as rows, and back. Pure.

Rows of the journal are tuples in the order of their table's columns, in the driver's own types: at ten rows a webhook
call a dictionary and a look-up for each value would cost more than the database.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import RowMapping

from flowstudio.engine.model import (
    PLAIN,
    Failure,
    IterationPath,
    Run,
    RunLink,
    RunOptions,
    RunState,
    StepRun,
    StepState,
    TriggerEvent,
)
from flowstudio.engine.ports import RunChange
from flowstudio.plan.model import Plan, TriggerKind
from flowstudio.storage.columns import from_micros, storable_text, to_micros
from flowstudio.storage.json_codec import PayloadOf, decode, encode
from flowstudio.storage.plan_cache import StoredPlan
from flowstudio.workspace.old_status import OLD_STATUS


def revision_row(run: Run, stored: StoredPlan) -> tuple[Any, ...]:
    return (run.user_id, stored.hash, stored.text, to_micros(run.created_at))


def run_row(run: Run, plan_hash: str) -> tuple[Any, ...]:
    parent = run.parent
    return (
        run.id,
        run.plan.id,
        run.user_id,
        storable_text(run.plan.name),
        plan_hash,
        run.state.value,
        OLD_STATUS[run.state],
        run.trigger.kind.value,
        run.trigger.trigger_id,
        _json(run.trigger.data),
        _json(run.response),
        _json(failure_document(run.failure)),
        storable_text(run.failure.sentence) if run.failure else None,
        to_micros(run.created_at),
        _micros(run.started_at),
        _micros(run.finished_at),
        _json(options_document(run.options)),
        parent.run_id if parent else None,
        parent.step_id if parent else None,
        iteration_text(parent.iteration) if parent else None,
        run.depth,
        run.resume_key or None,
    )


def after(run: Run, change: RunChange) -> Run:
    """The run as the change's UPDATE would leave its row; one that ended stays ended."""
    if run.state.is_final:
        return run
    return replace(
        run,
        state=change.state,
        failure=change.failure,
        response=run.response if change.response is None else change.response,
        started_at=run.started_at or (change.at if change.state is RunState.RUNNING else None),
        finished_at=change.at if change.state.is_final else None,
        options=change.options or run.options,
    )


def run_of(row: RowMapping, plan: Plan, payload_of: PayloadOf | None) -> Run:
    return Run(
        id=row["id"],
        user_id=row["user_id"],
        plan=plan,
        state=RunState(row["state"]),
        trigger=TriggerEvent(
            TriggerKind(row["trigger_kind"]), _value(row["trigger_data"], payload_of), row["trigger_id"]
        ),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["completed_at"],
        failure=failure_of(row["failure"]),
        response=_value(row["output"], payload_of),
        options=options_of(row["options"]),
        parent=_parent_of(row),
        depth=row["depth"],
        resume_key=row["resume_key"] or "",
    )


def _parent_of(row: RowMapping) -> RunLink | None:
    if row["parent_run_id"] is None:
        return None
    return RunLink(row["parent_run_id"], row["parent_step_id"], iteration_path(row["parent_iteration"]))


def options_document(options: RunOptions) -> dict[str, Any] | None:
    """Only what differs from a plain run; None for one."""
    if options is PLAIN:
        return None
    document = {
        "is_dry": options.is_dry,
        "uses_pins": options.uses_pins,
        "breakpoints": dict(options.breakpoints),
        "only": None if options.only is None else sorted(options.only),
        "based_on": options.based_on,
    }
    return {name: value for name, value in document.items() if value not in (False, None, {})} or None


def options_of(document: Mapping[str, Any] | None) -> RunOptions:
    if document is None:
        return PLAIN
    only = document.get("only")
    return RunOptions(**{**document, "only": None if only is None else frozenset(only)})


def change_row(change: RunChange) -> dict[str, Any]:
    """Parameters of the UPDATE; names end in _new so that they cannot meet a column's."""
    state = change.state
    return {
        "run": change.run_id,
        "state_new": state.value,
        "status_new": OLD_STATUS[state],
        "failure_new": failure_document(change.failure),
        "error_new": change.failure.sentence if change.failure else None,
        "output_new": _json(change.response),
        "started_new": change.at if state is RunState.RUNNING else None,
        "completed_new": change.at if state.is_final else None,
        "options_new": None if change.options is None else options_document(change.options) or {},
    }


def step_row(step: StepRun) -> tuple[Any, ...]:
    return (
        step.run_id,
        step.step_id,
        iteration_text(step.iteration),
        step.state.value,
        step.sequence,
        step.attempt,
        _ports_text(step.ports),
        _json(step.output),
        storable_text(step.message),
        _json(failure_document(step.failure)),
        encode(step.metadata) if step.metadata else None,
        _micros(step.started_at),
        step.duration_ms,
    )


@lru_cache(1024)
def _ports_text(ports: tuple[str, ...]) -> str:
    """Most steps leave by the same few ports."""
    return encode(ports)


def _json(value: object) -> str | None:
    return None if value is None else encode(value)


def _value(text: str | None, payload_of: PayloadOf | None) -> Any:
    return None if text is None else decode(text, payload_of)


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def step_of(
    payload_of: PayloadOf | None,
    run_id: str,
    step_id: str,
    iteration: str,
    state: str,
    sequence: int,
    attempt: int,
    ports: str,
    output: str | None,
    message: str,
    failure: str | None,
    metadata: str | None,
    started_at: int | None,
    duration_ms: float,
) -> StepRun:
    """From the columns as the database holds them, in the table's order."""
    return StepRun(
        run_id,
        step_id,
        iteration_path(iteration),
        StepState(state),
        sequence,
        attempt,
        tuple(decode(ports)),
        _value(output, payload_of),
        message,
        None if failure is None else failure_of(decode(failure)),
        {} if metadata is None else decode(metadata),
        None if started_at is None else from_micros(started_at),
        duration_ms,
    )


def iteration_text(path: IterationPath) -> str:
    return ".".join(map(str, path)) if path else ""


def iteration_path(text: str) -> IterationPath:
    return tuple(map(int, text.split("."))) if text else ()


def failure_document(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {
        "code": failure.code,
        "sentence": failure.sentence,
        "fix": failure.fix,
        "facts": failure.facts,
        "step_id": failure.step_id,
        "retryable": failure.retryable,
        "retry_after_s": failure.retry_after_s,
    }


def failure_of(document: Mapping[str, Any] | None) -> Failure | None:
    return None if document is None else Failure(**document)
