"""Why a run cannot start, go on or be steered.

EngineError                 engine.error
├── NotRunnableError        engine.not_runnable     the plan cannot be compiled
├── EngineClosedError       engine.closed           the application is closing
├── IllegalMoveError        engine.illegal_move     a run cannot move from this state to that (a bug)
├── StepTimeoutError        engine.timeout          an attempt took longer than the step's time limit (retryable)
├── StepBugError            engine.bug              the code behind an action broke (ours, logged with its traceback)
├── FlowParamError          engine.flow_param       a param of a condition, loop, wait ... has no usable value
├── StoppedError            engine.stopped          a stop step ended the run as failed
└── ResultLostError         engine.result_lost      a step's result could not be stored
"""

from flowstudio.engine.model import Failure
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Json, StepId


class EngineError(FlowStudioError):
    code = "engine.error"


class NotRunnableError(EngineError):
    code = "engine.not_runnable"


class EngineClosedError(EngineError):
    code = "engine.closed"


class IllegalMoveError(EngineError):
    code = "engine.illegal_move"


class StepTimeoutError(EngineError):
    code = "engine.timeout"


class StepBugError(EngineError):
    code = "engine.bug"


class FlowParamError(EngineError):
    code = "engine.flow_param"


class StoppedError(EngineError):
    code = "engine.stopped"


class ResultLostError(EngineError):
    code = "engine.result_lost"


def failure_of(error: FlowStudioError, step_id: StepId | None = None, *, retryable: bool = False) -> Failure:
    """The error as data, fit for the journal; facts that are not scalars become text."""
    facts: dict[str, Json] = {
        key: value if value is None or isinstance(value, str | int | float | bool) else str(value)
        for key, value in error.facts.items()
    }
    return Failure(error.code, error.sentence, error.fix, facts, step_id, retryable)


def failure_as_json(failure: Failure) -> dict[str, Json]:
    """What expressions read as `steps.<id>.error` and as the output of a step that failed and went on."""
    return {
        "code": failure.code,
        "sentence": failure.sentence,
        "fix": failure.fix,
        "facts": dict(failure.facts),
    }


def engine_bug(bug: Exception) -> StepBugError:
    """A fault of the engine's own that ends a run. Names the kind of exception only: its text may hold a value."""
    return StepBugError(
        f"The engine met a fault of its own in this run ({type(bug).__name__}).",
        fix="The log has the details; please report them.",
    )
