"""Why a request cannot be met.

StorageError                 storage.failed        the database or the data folder refused (a world fault)
├── DiskFullError            storage.disk_full
├── DatabaseLockedError      storage.locked
├── ReadOnlyError            storage.read_only
├── CorruptDatabaseError     storage.corrupt
├── UnreachableError         storage.unreachable   the database server does not answer
├── NewerDatabaseError       storage.newer         made by a newer FlowStudio
├── UnstorableValueError     storage.unstorable    a value has no form the database can hold
└── PayloadLostError         storage.payload_lost  the file of a large value is missing or damaged
WorkspaceError               workspace.error
├── NoSuchPlanError          workspace.no_plan
├── PlanTakenError           workspace.plan_taken    another user's plan has this id
├── NoSuchRunError           workspace.no_run
├── RunStateError            workspace.run_state     a run is in a state that does not allow it
├── OutputsNeededError       workspace.outputs_needed   stored outputs are missing or stale: how to go on is a choice
├── NoSuchWebhookError       workspace.no_webhook
├── NoSuchIntegrationError   workspace.no_integration
├── WebhookTakenError        workspace.webhook_taken
├── WebhookSecretError       workspace.webhook_secret   a caller did not show the webhook's secret
├── PlanNotRunnableError     workspace.not_runnable  the plan has error problems, listed in `problems`
├── SessionClosedError       workspace.session_closed
├── FileUnreadableError      workspace.file          a file named by the user is missing, unreadable or too large
└── BadRequestError          workspace.bad_request   a field of the request is missing or wrong
"""

from collections.abc import Sequence

from flowstudio.errors import FlowStudioError
from flowstudio.plan.rules import Problem

MOST_NAMED = 6
"""Steps that a sentence names before it says how many more there are."""


class StorageError(FlowStudioError):
    code = "storage.failed"


class DiskFullError(StorageError):
    code = "storage.disk_full"


class DatabaseLockedError(StorageError):
    code = "storage.locked"


class ReadOnlyError(StorageError):
    code = "storage.read_only"


class CorruptDatabaseError(StorageError):
    code = "storage.corrupt"


class UnreachableError(StorageError):
    code = "storage.unreachable"


class NewerDatabaseError(StorageError):
    code = "storage.newer"


class UnstorableValueError(StorageError):
    code = "storage.unstorable"


class PayloadLostError(StorageError):
    code = "storage.payload_lost"


class WorkspaceError(FlowStudioError):
    code = "workspace.error"


class NoSuchPlanError(WorkspaceError):
    code = "workspace.no_plan"


class PlanTakenError(WorkspaceError):
    code = "workspace.plan_taken"


class NoSuchRunError(WorkspaceError):
    code = "workspace.no_run"


class RunStateError(WorkspaceError):
    """facts: state."""

    code = "workspace.run_state"


class OutputsNeededError(WorkspaceError):
    """missing, stale: (step id, label) of steps whose stored output a run cannot begin with.

    facts: {"missing": [{"step", "title"}], "stale": [...], "choices": {"missing": ["run"], "stale": ["use", "run"]}};
    choices only for what there is to choose.
    """

    code = "workspace.outputs_needed"

    def __init__(self, missing: Sequence[tuple[str, str]], stale: Sequence[tuple[str, str]]) -> None:
        parts, choices = [], {}
        if missing:
            parts.append(f"there is no stored output of {_named(missing)}")
            choices["missing"] = ["run"]
        if stale:
            parts.append(
                f"what is stored of {_named(stale)} is not what {'it' if len(stale) == 1 else 'they'} would give now"
            )
            choices["stale"] = ["use", "run"]
        super().__init__(
            f"Not all that this run builds on is there: {', and '.join(parts)}.",
            fix=" ".join(
                [
                    *(["Run those steps, too."] if missing else []),
                    *(["Use the stored outputs all the same, or run the steps again."] if stale else []),
                ]
            ),
            facts={
                "missing": [{"step": step_id, "title": label} for step_id, label in missing],
                "stale": [{"step": step_id, "title": label} for step_id, label in stale],
                "choices": choices,
            },
        )


def _named(steps: Sequence[tuple[str, str]]) -> str:
    names = [f"“{label}”" for _, label in steps[:MOST_NAMED]]
    more = len(steps) - len(names)
    if more:
        return f"{', '.join(names)} and {more} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


class NoSuchWebhookError(WorkspaceError):
    code = "workspace.no_webhook"


class NoSuchIntegrationError(WorkspaceError):
    code = "workspace.no_integration"


class WebhookTakenError(WorkspaceError):
    code = "workspace.webhook_taken"


class BadRequestError(WorkspaceError):
    code = "workspace.bad_request"


class WebhookSecretError(WorkspaceError):
    code = "workspace.webhook_secret"


class SessionClosedError(WorkspaceError):
    code = "workspace.session_closed"


class FileUnreadableError(WorkspaceError):
    code = "workspace.file"


class PlanNotRunnableError(WorkspaceError):
    """problems: those of severity error, each naming step and field."""

    code = "workspace.not_runnable"

    def __init__(self, plan_name: str, problems: Sequence[Problem]) -> None:
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"“{plan_name}” cannot run yet, it has {count}: {' '.join(problem_sentence(each) for each in problems)}",
            facts={"problems": [problem_as_json(each) for each in problems]},
        )
        self.problems = tuple(problems)


def problem_sentence(problem: Problem) -> str:
    """The sentence with the place in front: `[step.field] …`."""
    place = ".".join(part for part in (problem.step, problem.field) if part)
    return f"[{place}] {problem.sentence}" if place else problem.sentence


def problem_as_json(problem: Problem) -> dict[str, object]:
    return {
        "step": problem.step,
        "field": problem.field,
        "sentence": problem.sentence,
        "severity": str(problem.severity),
        "code": problem.code,
    }
