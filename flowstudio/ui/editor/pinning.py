"""Pinning the last output of a step, so that runs by hand use it instead of doing the step."""

from flowstudio.engine.model import IterationPath, StepRun, StepState
from flowstudio.errors import FlowStudioError
from flowstudio.plan.edits import SetPin, UnsetPin
from flowstudio.plan.evaluation.deferred import resolved
from flowstudio.plan.expression import TooBigError
from flowstudio.plan.model import Json, StepId
from flowstudio.ui.editor.plan_tab import PlanTab
from flowstudio.ui.tasks import Task
from flowstudio.workspace.json_pieces import json_pieces
from flowstudio.workspace.services import Services

MOST_PINNED = 1024 * 1024
"""Bytes of JSON: a pin is part of the plan, and read and written with it."""
RECENT = 10


class NothingToPinError(FlowStudioError):
    """No run has an output of the step, or it is too large for a plan. facts: step."""

    code = "desktop.nothing_to_pin"


def toggle_pin(tab: PlanTab, services: Services, step_id: StepId) -> None:
    """Takes the step's pin away, else pins what the run in front gave, or the last run in which it gave something."""
    plan = tab.open_plan.plan
    if step_id in plan.pins:
        tab.open_plan.push(UnsetPin(step_id))
        return
    live, label = tab.live_run, plan.step(step_id).label
    at = (live.run_id, live.last_iteration.get(step_id, ())) if live.run_id is not None else None

    def read() -> Json:
        return last_output(services, tab.open_plan.user_id, plan.id, step_id, label, at)

    def pin(output: Json) -> None:
        if tab.open_plan.plan.has_step(step_id):
            tab.open_plan.push(SetPin(step_id, output))

    Task(read, tab).success(pin).failure(tab.failed.emit).start()


def last_output(
    services: Services, user_id: str, plan_id: str, step_id: StepId, label: str, at: tuple[str, IterationPath] | None
) -> Json:
    """Blocks. at: the run and iteration to look at first. Raises NothingToPinError."""
    row = services.runs.step(user_id, at[0], step_id, at[1]) if at is not None else None
    if row is None or row.state is not StepState.SUCCEEDED:
        row = _last_success(services, user_id, plan_id, step_id)
    if row is None:
        raise NothingToPinError(
            f"“{label}” gave nothing yet that could be pinned.",
            fix="Run the plan, or this step alone.",
            facts={"step": step_id},
        )
    try:
        output = resolved(row.output, MOST_PINNED)
    except TooBigError as error:
        raise _too_large(label, step_id) from error
    if sum(len(piece) for piece in json_pieces(output)) > MOST_PINNED:
        raise _too_large(label, step_id)
    return output


def _last_success(services: Services, user_id: str, plan_id: str, step_id: StepId) -> StepRun | None:
    for run in services.runs.list(user_id, plan_id=plan_id, limit=RECENT):
        if not run.options.is_dry:
            row = services.runs.step(user_id, run.id, step_id)
            if row is not None and row.state is StepState.SUCCEEDED:
                return row
    return None


def _too_large(label: str, step_id: StepId) -> NothingToPinError:
    return NothingToPinError(
        f"The output of “{label}” is larger than {MOST_PINNED // 1024**2} MB, too large to keep in the plan.",
        fix="Pin a later step that has less.",
        facts={"step": step_id},
    )
