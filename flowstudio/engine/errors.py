"""Why a run cannot start, go on or be steered.

EngineError                 engine.error
├── NotRunnableError        engine.not_runnable     the plan cannot be compiled
├── EngineClosedError       engine.closed           the application is closing
├── IllegalMoveError        engine.illegal_move     a run cannot move from this state to that (a bug)
├── StepTimeoutError        engine.timeout          an attempt took longer than the step's time limit (retryable)
├── StepBugError            engine.bug              the code behind an action broke (ours, logged with its traceback)
├── FlowParamError          engine.flow_param       a param of a condition, loop, wait ... has no usable value
├── BreakpointError         engine.breakpoint       a breakpoint names a step the plan does not have
├── StoppedError            engine.stopped          a stop step ended the run as failed
├── NotWaitingError         engine.not_waiting      a call came, and no step of the run waits for one
├── NoSuchPlanError         engine.no_such_plan     a step would run a plan that does not exist
├── CallTooDeepError        engine.too_deep         plans call plans call plans, past the limit
├── CallLostError           engine.call_lost        the run a step called was cancelled, or is gone
├── InFlightError           engine.in_flight        a step was at work at a crash and may have happened or not
├── NotInterruptedError     engine.not_interrupted  an answer came, and the step has no open question
├── SkippedError            engine.skipped          a run was left out: enough runs of its plan were under way
├── ReplacedError           engine.replaced         a run was ended to make room for a newer one of its plan
├── StalledError            engine.stalled          the journal cannot be written for now: disk full, locked, read-only
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


class BreakpointError(EngineError):
    code = "engine.breakpoint"


class StoppedError(EngineError):
    code = "engine.stopped"


class InFlightError(EngineError):
    code = "engine.in_flight"


class NotInterruptedError(EngineError):
    code = "engine.not_interrupted"


class SkippedError(EngineError):
    code = "engine.skipped"


class ReplacedError(EngineError):
    code = "engine.replaced"


class NotWaitingError(EngineError):
    code = "engine.not_waiting"


class NoSuchPlanError(EngineError):
    code = "engine.no_such_plan"


class CallTooDeepError(EngineError):
    code = "engine.too_deep"


class CallLostError(EngineError):
    code = "engine.call_lost"


class StalledError(EngineError):
    code = "engine.stalled"


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
