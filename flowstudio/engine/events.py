"""What happens in runs: frozen, JSON-ready, published on the Bus after the journal holds it.

`as_json` gives {"type": "step succeeded", ...} for streams and `--json` logs. Times are aware UTC datetimes.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

from flowstudio.engine.model import Failure, IterationPath, RunState
from flowstudio.plan.evaluation.deferred import Deferred
from flowstudio.plan.model import Json, StepId, StepKind


@dataclass(frozen=True, slots=True)
class RunEvent:
    type: ClassVar[str]
    run_id: str
    at: datetime

    def as_json(self) -> dict[str, Json]:
        document: dict[str, Json] = {"type": self.type}
        for each in fields(self):
            document[each.name] = _plain(getattr(self, each.name))
        return document


@dataclass(frozen=True, slots=True)
class RunStarted(RunEvent):
    type: ClassVar[str] = "run started"
    user_id: str
    plan_id: str
    plan_name: str
    trigger: str


@dataclass(frozen=True, slots=True)
class RunHeld(RunEvent):
    """A queued run does not start yet. reason: what it waits for, as a sentence."""

    type: ClassVar[str] = "run held"
    reason: str


@dataclass(frozen=True, slots=True)
class RunStateChanged(RunEvent):
    """Any move but the first and the last: waiting, paused, running again. failure: why a run is interrupted."""

    type: ClassVar[str] = "run state"
    state: RunState
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class RunEnded(RunEvent):
    type: ClassVar[str] = "run ended"
    state: RunState
    failure: Failure | None
    duration_ms: float
    steps_done: int


@dataclass(frozen=True, slots=True)
class StepStarted(RunEvent):
    type: ClassVar[str] = "step started"
    step_id: StepId
    iteration: IterationPath
    attempt: int


@dataclass(frozen=True, slots=True)
class StepHeld(RunEvent):
    """An attempt waits for its turn. reason: for what, as a sentence; until: when it should come, None: unknown."""

    type: ClassVar[str] = "step held"
    step_id: StepId
    iteration: IterationPath
    attempt: int
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class StepPaused(RunEvent):
    """The run pauses before this step. reason: why, as a sentence; input: what it would start with, secrets masked."""

    type: ClassVar[str] = "step paused"
    step_id: StepId
    iteration: IterationPath
    attempt: int
    reason: str
    input: Json


@dataclass(frozen=True, slots=True)
class StepInterrupted(RunEvent):
    """The step was in flight at a crash. failure: the question a person has to answer."""

    type: ClassVar[str] = "step interrupted"
    step_id: StepId
    iteration: IterationPath
    attempt: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class StepRetrying(RunEvent):
    type: ClassVar[str] = "step retrying"
    step_id: StepId
    iteration: IterationPath
    attempt: int
    delay_s: float
    failure: Failure


@dataclass(frozen=True, slots=True)
class StepSucceeded(RunEvent):
    """items: how many the output holds (a list's length, else 1, None 0). ports: where the result left by."""

    type: ClassVar[str] = "step succeeded"
    step_id: StepId
    iteration: IterationPath
    attempt: int
    items: int
    duration_ms: float
    ports: tuple[str, ...]
    message: str = ""


@dataclass(frozen=True, slots=True)
class StepFailed(RunEvent):
    type: ClassVar[str] = "step failed"
    step_id: StepId
    iteration: IterationPath
    attempt: int
    failure: Failure
    duration_ms: float
    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepSkipped(RunEvent):
    """reason: why it will not run, e.g. "its branch was not taken"."""

    type: ClassVar[str] = "step skipped"
    step_id: StepId
    iteration: IterationPath
    reason: str


@dataclass(frozen=True, slots=True)
class StepCancelled(RunEvent):
    type: ClassVar[str] = "step cancelled"
    step_id: StepId
    iteration: IterationPath


@dataclass(frozen=True, slots=True)
class LogWritten(RunEvent):
    """level: debug, info, warning, error. step_id is None for lines about the run itself."""

    type: ClassVar[str] = "log"
    level: str
    text: str
    step_id: StepId | None = None
    iteration: IterationPath = ()


def items_in(kind: StepKind, output: Any) -> int:
    """How many things a step's output holds, as cards and wires count them; a loop's are its results."""
    if kind.holds_steps and isinstance(output, dict):
        output = output.get("results")
    if isinstance(output, list):
        return len(output)
    if isinstance(output, Deferred) and output.is_list:
        return output.length
    return 0 if output is None else 1


def _plain(value: object) -> Json:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Failure):
        return {"code": value.code, "sentence": value.sentence, "fix": value.fix, "facts": dict(value.facts)}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
