"""History: runs in the contract's Execution shape."""

from collections import Counter
from collections.abc import Mapping, Sequence

from flowstudio.engine.model import Failure, Run, RunState, StepRun, StepState
from flowstudio.plan.model import Json, Plan, StepId
from flowstudio.workspace.errors import NoSuchRunError
from flowstudio.workspace.old_status import OLD_STATUS
from flowstudio.workspace.plan_json import iso
from flowstudio.workspace.ports import RunHistory

RECENT = 10

_STEP_STATUS: Mapping[StepState, str] = {
    StepState.SUCCEEDED: "success",
    StepState.FAILED: "failed",
    StepState.CANCELLED: "failed",
    StepState.SKIPPED: "skipped",
}


class History:
    """Reads what happened; every method sees the runs of user_id alone."""

    def __init__(self, history: RunHistory) -> None:
        self._history = history

    def execution(self, user_id: str, run_id: str) -> dict[str, Json]:
        """One Execution. Raises NoSuchRunError."""
        run = self._history.find(user_id, run_id)
        if run is None:
            raise NoSuchRunError("Execution not found")
        return self.of(run)

    def of(self, run: Run, steps: Sequence[StepRun] | None = None) -> dict[str, Json]:
        """The Execution of a run the caller holds, perhaps with its results."""
        return execution(run, self._history.step_runs(run.id) if steps is None else steps)

    def logs(self, user_id: str, plan_id: str | None = None, limit: int = 100) -> Sequence[dict[str, Json]]:
        """Newest first: {id, plan_id, plan_name, status, timestamp, steps}."""
        return [self._log(run) for run in self._history.list_runs(user_id, plan_id=plan_id, limit=limit)]

    def status(self, user_id: str) -> dict[str, Json]:
        """{total_executions, successful, failed, recent_activity}."""
        counts = Counter(dict(self._history.counts(user_id)))
        recent = self._history.list_runs(user_id, limit=RECENT)
        return {
            "total_executions": counts.total(),
            "successful": counts[RunState.SUCCEEDED],
            "failed": counts[RunState.FAILED],
            "recent_activity": [self.of(run) for run in recent],
        }

    def _log(self, run: Run) -> dict[str, Json]:
        return {
            "id": run.id,
            "plan_id": run.plan.id,
            "plan_name": run.plan.name,
            "status": OLD_STATUS[run.state],
            "timestamp": iso(run.started_at or run.created_at),
            "steps": step_logs(run.plan, self._history.step_runs(run.id)),
        }


def execution(run: Run, steps: Sequence[StepRun]) -> dict[str, Json]:
    """The Execution shape of a run and its step results."""
    return {
        "id": run.id,
        "execution_plan_id": run.plan.id,
        "user_id": run.user_id,
        "status": OLD_STATUS[run.state],
        "started_at": iso(run.started_at or run.created_at),
        "finished_at": iso(run.finished_at),
        "trigger_data": run.trigger.data,
        "error_message": _sentence(run.failure),
        "logs": step_logs(run.plan, steps),
    }


def step_logs(plan: Plan, steps: Sequence[StepRun]) -> list[Json]:
    """A StepLog for each result, in the order they became known."""
    orders = step_orders(plan)
    by_id = {step.id: step for step in plan.steps}
    logs: list[Json] = []
    for result in steps:
        step = by_id.get(result.step_id)
        if step is None or result.state not in _STEP_STATUS:
            continue
        log: dict[str, Json] = {
            "step": orders[step.id],
            "step_id": step.id,
            "provider": step.provider,
            "action": step.action,
            "action_name": step.label,
            "status": _STEP_STATUS[result.state],
            "message": result.message,
            "output": result.output,
            "error": _sentence(result.failure),
            "timestamp": iso(result.started_at),
            "duration": round(result.duration_ms, 3),
        }
        if result.iteration:
            log["iteration"] = result.iteration[-1] + 1
            if len(result.iteration) > 1:
                log["iteration_path"] = [index + 1 for index in result.iteration]
        logs.append(log)
    return logs


def step_orders(plan: Plan) -> Mapping[StepId, int]:
    """Each step's 1-based order as the old references count.

    Steps they do not count follow after them, but what is inside a counted loop has the loop's own order: the old
    service knew a loop and its action as one step.
    """
    ids = {step.id for step in plan.steps}
    counted = [*dict.fromkeys(step_id for step_id in plan.ordinals if step_id in ids)]
    orders = {step_id: order for order, step_id in enumerate(counted, start=1)}
    last = len(counted)
    for step in plan.steps:
        if step.id not in orders:
            inherited = orders.get(step.parent) if step.parent is not None and counted else None
            last += inherited is None
            orders[step.id] = inherited or last
    return orders


def _sentence(failure: Failure | None) -> str | None:
    return None if failure is None else f"{failure.sentence} {failure.fix}".strip()
