"""Runs and step runs as rows, and back. Pure."""

from collections.abc import Mapping
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
from flowstudio.storage.columns import from_micros
from flowstudio.storage.json_codec import decode
from flowstudio.storage.plan_cache import StoredPlan

STATUS: Mapping[RunState, str] = {
    RunState.QUEUED: "pending",
    RunState.RUNNING: "running",
    RunState.WAITING: "running",
    RunState.PAUSED: "running",
    RunState.INTERRUPTED: "running",
    RunState.SUCCEEDED: "success",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "cancelled",
}
"""The old service's word for each state."""


def revision_row(run: Run, stored: StoredPlan) -> dict[str, Any]:
    return {"user_id": run.user_id, "hash": stored.hash, "document": stored.text, "created_at": run.created_at}


def run_row(run: Run, plan_hash: str) -> dict[str, Any]:
    return {
        "id": run.id,
        "plan_id": run.plan.id,
        "user_id": run.user_id,
        "plan_name": run.plan.name,
        "plan_hash": plan_hash,
        "state": run.state.value,
        "status": STATUS[run.state],
        "trigger_kind": run.trigger.kind.value,
        "trigger_id": run.trigger.trigger_id,
        "trigger_data": run.trigger.data,
        "output": run.response,
        "failure": failure_document(run.failure),
        "error_message": run.failure.sentence if run.failure else None,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.finished_at,
        "options": options_document(run.options),
        "parent_run_id": run.parent.run_id if run.parent else None,
        "parent_step_id": run.parent.step_id if run.parent else None,
        "parent_iteration": iteration_text(run.parent.iteration) if run.parent else None,
        "depth": run.depth,
        "resume_key": run.resume_key or None,
        "payloads": None,
    }


def run_of(row: RowMapping, plan: Plan) -> Run:
    return Run(
        id=row["id"],
        user_id=row["user_id"],
        plan=plan,
        state=RunState(row["state"]),
        trigger=TriggerEvent(TriggerKind(row["trigger_kind"]), row["trigger_data"], row["trigger_id"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["completed_at"],
        failure=failure_of(row["failure"]),
        response=row["output"],
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
        "status_new": STATUS[state],
        "failure_new": failure_document(change.failure),
        "error_new": change.failure.sentence if change.failure else None,
        "output_new": change.response,
        "started_new": change.at if state is RunState.RUNNING else None,
        "completed_new": change.at if state.is_final else None,
    }


def step_row(step: StepRun) -> dict[str, Any]:
    return {
        "run_id": step.run_id,
        "step_id": step.step_id,
        "iteration": iteration_text(step.iteration),
        "state": step.state.value,
        "sequence": step.sequence,
        "attempt": step.attempt,
        "ports": step.ports,
        "output": step.output,
        "message": step.message,
        "failure": failure_document(step.failure),
        "metadata": step.metadata or None,
        "started_at": step.started_at,
        "duration_ms": step.duration_ms,
        "payloads": None,
    }


def step_of(
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
    payloads: str | None,
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
        None if output is None else decode(output),
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
