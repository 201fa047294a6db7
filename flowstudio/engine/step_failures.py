"""Why a step failed, in sentences that name it, and what its policy makes of that. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from flowstudio.engine.attempt import Outcome
from flowstudio.engine.compile import Node
from flowstudio.engine.errors import (
    CallLostError,
    StepBugError,
    StepTimeoutError,
    failure_as_json,
    failure_of,
)
from flowstudio.engine.model import Failure, Run, StepState
from flowstudio.engine.ports import ActionResult
from flowstudio.plan.model import NOTHING, Json, OnError


def conclude(node: Node, failure: Failure, metadata: Mapping[str, Json] = NOTHING) -> Outcome:
    """A failure that is final, turned by the step's own policy into the ways it leaves by."""
    policy = node.step.on_error
    if policy is OnError.STOP:
        return Outcome(StepState.FAILED, (), None, failure.sentence, failure, metadata)
    ports = ("error",) if policy is OnError.BRANCH else node.passes
    return Outcome(StepState.FAILED, ports, {"error": failure_as_json(failure)}, failure.sentence, failure, metadata)


def failure_told(node: Node, result: ActionResult) -> Failure:
    error = result.error
    if error is None:
        sentence = result.message or f"Step “{node.step.label}” failed and gave no reason."
        return Failure("provider.failed", sentence, step_id=node.step.id)
    return Failure(
        error.code, error.sentence, error.fix, error.facts, node.step.id, error.retryable, error.retry_after_s
    )


def failure_of_call(node: Node, child: Run) -> Failure:
    """The child's own failure, as that of the step that called it."""
    failure = child.failure
    if failure is None:
        cancelled = CallLostError(
            f"The run of “{child.plan.name}” that “{node.step.label}” waited for was cancelled.",
            fix="Run it again, or let the step go on after a failure.",
        )
        failure = failure_of(cancelled)
    facts: dict[str, Json] = {**failure.facts, "run": child.id}
    return replace(failure, step_id=node.step.id, facts=facts)


def too_late(node: Node, limit_s: float) -> Failure:
    error = StepTimeoutError(
        f"Step “{node.step.label}” took longer than its time limit of {limit_s:g} s.",
        fix="Raise the step's time limit, or find out why it takes so long.",
    )
    return failure_of(error, node.step.id, retryable=True)


def uncalled(node: Node, limit_s: float) -> Failure:
    error = StepTimeoutError(
        f"“{node.step.label}” waited {limit_s:g} s for a call, and none came.",
        fix="Call the run's resume address in time, or let the step wait longer.",
    )
    return failure_of(error, node.step.id, retryable=True)


def bug_in(node: Node, bug: BaseException) -> Failure:
    """Names the kind of exception only: its text may hold what the action was given."""
    error = StepBugError(
        f"Step “{node.step.label}” broke: the code of {node.step.provider}.{node.step.action} has a fault "
        f"({type(bug).__name__}).",
        fix="The log has the details; please report them.",
    )
    return failure_of(error, node.step.id)
