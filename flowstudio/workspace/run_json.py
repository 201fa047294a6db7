"""Runs and step runs as the API and `--json` show them. The old clients' shape is in history.py."""

from collections.abc import Iterable

from flowstudio.engine.dry import DRY, UNSENT
from flowstudio.engine.model import Answer, Failure, IterationPath, Run, RunOptions, StepRun
from flowstudio.engine.stops import EDIT
from flowstudio.plan.model import Json
from flowstudio.workspace.breakpoints import HeldStep
from flowstudio.workspace.plan_json import iso
from flowstudio.workspace.run_log import LogLine


def run_as_json(run: Run) -> dict[str, Json]:
    """Everything about a run but its steps; `answer` is what its caller gets."""
    return {
        "id": run.id,
        "plan_id": run.plan.id,
        "plan_name": run.plan.name,
        "user_id": run.user_id,
        "state": run.state.value,
        "trigger": {"kind": run.trigger.kind.value, "id": run.trigger.trigger_id, "data": run.trigger.data},
        "created_at": iso(run.created_at),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "failure": failure_as_json(run.failure),
        "answer": run.response,
        "options": options_as_json(run.options),
        "parent": _parent(run),
    }


def step_as_json(step: StepRun) -> dict[str, Json]:
    """All but the params a person gave an unfinished step: there may be a secret among them."""
    return {
        "step_id": step.step_id,
        "iteration": path_as_text(step.iteration),
        "state": step.state.value,
        "sequence": step.sequence,
        "attempt": step.attempt,
        "ports": list(step.ports),
        "output": step.output,
        "message": step.message,
        "failure": failure_as_json(step.failure),
        "metadata": {name: value for name, value in step.metadata.items() if name != EDIT},
        "started_at": iso(step.started_at),
        "duration_ms": step.duration_ms,
    }


def unsent_as_json(steps: Iterable[StepRun]) -> list[dict[str, Json]]:
    """What a dry run would have sent, in the order it came to it."""
    return [
        {"step_id": step.step_id, "iteration": path_as_text(step.iteration), "request": step.output}
        for step in steps
        if step.metadata.get(DRY) == UNSENT and step.output is not None
    ]


def held_as_json(held: HeldStep) -> dict[str, Json]:
    """A step a paused run stands before."""
    return {
        "step_id": held.step_id,
        "iteration": path_as_text(held.iteration),
        "reason": held.reason,
        "input": held.input,
    }


def log_line_as_json(line: LogLine) -> dict[str, Json]:
    return {
        "sequence": line.sequence,
        "at": iso(line.at),
        "level": line.level,
        "step_id": line.step_id,
        "iteration": path_as_text(line.iteration),
        "text": line.text,
    }


def question_as_json(step: StepRun) -> dict[str, Json]:
    """A step that was in flight at a crash, as what a person is asked."""
    return {
        "step_id": step.step_id,
        "iteration": path_as_text(step.iteration),
        "question": failure_as_json(step.failure),
        "answers": [answer.value for answer in Answer],
    }


def failure_as_json(failure: Failure | None) -> dict[str, Json] | None:
    if failure is None:
        return None
    return {
        "code": failure.code,
        "sentence": failure.sentence,
        "fix": failure.fix,
        "facts": dict(failure.facts),
        "step_id": failure.step_id,
    }


def options_as_json(options: RunOptions) -> dict[str, Json]:
    """Only what differs from a plain run."""
    document: dict[str, Json] = {
        "dry_run": options.is_dry,
        "pins": options.uses_pins,
        "breakpoints": dict(options.breakpoints),
        "only": None if options.only is None else [*sorted(options.only)],
        "based_on": options.based_on,
    }
    return {name: value for name, value in document.items() if value not in (False, None, {})}


def path_as_text(path: IterationPath) -> str:
    """ "3.0" for the first item of an inner loop in the fourth of an outer one, "" at the top level."""
    return ".".join(map(str, path))


def _parent(run: Run) -> dict[str, Json] | None:
    if run.parent is None:
        return None
    return {
        "run_id": run.parent.run_id,
        "step_id": run.parent.step_id,
        "iteration": path_as_text(run.parent.iteration),
    }
