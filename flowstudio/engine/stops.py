"""Breakpoints: before which steps a run pauses, what is shown of the step it stands before, and how a person goes on.

What is known of a stopped step is a row like any other, so that a run that is killed while it is paused stays paused
at the same place: a waiting row says it is held and with which input, or let go and with which params replaced.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from flowstudio.engine.errors import BreakpointError
from flowstudio.engine.model import IterationPath, Run, StepRun, StepState
from flowstudio.plan.evaluation.deferred import Deferred
from flowstudio.plan.expression import Condition, ExpressionError, Scope, compile_condition
from flowstudio.plan.legacy import TRIGGER_OFFSET
from flowstudio.plan.model import Json, Plan, StepId

if TYPE_CHECKING:
    from flowstudio.engine.attempt import Attempt

HELD: Final = "held"
INPUT: Final = "input"
REASON: Final = "reason"
LET_GO: Final = "let_go"
EDITED: Final = "edited"
EDIT: Final = "edit"
"""Keys in the metadata of rows: see Steered and Progress.stop_before."""

AT_BREAKPOINT: Final = "There is a breakpoint before this step."
AFTER_STEP: Final = "It is the next step."

Edits: TypeAlias = Mapping[tuple[StepId, IterationPath], Mapping[str, Json]]
"""Params that replace the rendered ones, by step and iteration."""
NO_EDITS: Final[Edits] = {}

LONGEST_TEXT: Final = 2000
MOST_ENTRIES: Final = 50
DEEPEST: Final = 12


@dataclass(frozen=True, slots=True)
class Steered:
    """What a person decided of one step in one iteration.

    is_let_go: the run stood before it and went on. edit: params that replace the rendered ones, in every try of it.
    """

    is_let_go: bool = False
    edit: Mapping[str, Json] = field(default_factory=dict)

    def marks(self, state: StepState) -> dict[str, Json]:
        """What its rows say of it: that it was edited for good, with what only until it has its result."""
        if not self.edit:
            return {}
        is_open = state in (StepState.RUNNING, StepState.WAITING)
        return {EDITED: True, EDIT: dict(self.edit)} if is_open else {EDITED: True}


def steered_of(metadata: Mapping[str, Json]) -> Steered | None:
    """What an open row tells; None when nobody steered its step."""
    edit = metadata.get(EDIT)
    if not metadata.keys() & {HELD, LET_GO, EDIT}:
        return None
    return Steered(HELD not in metadata, edit if isinstance(edit, dict) else {})


def decide(attempt: "Attempt", edits: Edits) -> bool:
    """Lets an attempt go that a pause held, with its edit; False when nobody looked at it: nothing is to be kept."""
    edit = edits.get((attempt.node.step.id, attempt.walk.path), {})
    if attempt.steered is None and not edit:
        return False
    before = attempt.steered.edit if attempt.steered is not None else {}
    attempt.steered = Steered(True, {**before, **edit})
    return True


def stops_of(run: Run, known: Mapping[tuple[StepId, IterationPath], StepRun] | None) -> "Stops | None":
    """None for a run without breakpoints that stands before no step."""
    stands = any(HELD in row.metadata for row in (known or {}).values() if row.state is StepState.WAITING)
    return Stops(run.plan, run.options.breakpoints) if run.options.breakpoints or stands else None


class Stops:
    """Where a live run pauses. Replaced as a whole when its breakpoints change; its run's lock guards is_stepping."""

    def __init__(self, plan: Plan, breakpoints: Mapping[StepId, str], *, is_stepping: bool = False) -> None:
        """is_stepping: pause before whatever comes next. Raises BreakpointError, ExpressionError."""
        self._conditions = compile_breakpoints(plan, breakpoints)
        self.is_stepping = is_stepping

    def reason(self, attempt: "Attempt", scope: Scope) -> str | None:
        """Why the run pauses before this attempt; None: it does not. A retry is no new step, nor is a wait's end."""
        if attempt.steered is not None:
            return None if attempt.steered.is_let_go else AT_BREAKPOINT
        if not attempt.is_new or attempt.loop is not None:
            return None
        if attempt.node.step.id in self._conditions and (at := self._at(attempt.node.step.id, scope)):
            return at
        return AFTER_STEP if self.is_stepping else None

    def _at(self, step_id: StepId, scope: Scope) -> str | None:
        condition = self._conditions[step_id]
        try:
            return AT_BREAKPOINT if condition is None or condition.holds(scope) else None
        except ExpressionError as error:
            return f"The condition of its breakpoint cannot be answered. {error.sentence}"


def compile_breakpoints(plan: Plan, breakpoints: Mapping[StepId, str]) -> dict[StepId, Condition | None]:
    """The condition of each, None for always. Raises BreakpointError for a step that is not there, ExpressionError."""
    labels = {step.id: step.label for step in plan.steps}
    ordinals = plan.ordinals or tuple(labels)
    found: dict[StepId, Condition | None] = {}
    for step_id, text in breakpoints.items():
        if step_id not in labels:
            fix = f"Its steps are {', '.join([*labels][:20])}." if labels else "It has no steps."
            raise BreakpointError(f"The plan “{plan.name}” has no step “{step_id}” to pause before.", fix=fix)
        try:
            has_offset = plan.extra.get(TRIGGER_OFFSET) is True
            found[step_id] = compile_condition(text, ordinals, has_offset) if text.strip() else None
        except ExpressionError as error:
            raise error.located(labels[step_id], "breakpoint") from error
    return found


def brief(value: Any, depth: int = 0) -> Json:
    """A value short enough to look at: long texts and lists are cut, and say so."""
    if isinstance(value, Deferred):
        return f"… ({value.length} {'entries' if value.is_list else 'characters or members'}, {value.size} bytes)"
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    if isinstance(value, list | dict) and depth >= DEEPEST:
        return "…"
    if isinstance(value, list):
        more: list[Json] = [f"… ({len(value)} entries)"] if len(value) > MOST_ENTRIES else []
        return [brief(each, depth + 1) for each in value[:MOST_ENTRIES]] + more
    if isinstance(value, dict):
        shown: dict[str, Json] = {key: brief(value[key], depth + 1) for key in [*value][:MOST_ENTRIES]}
        return shown if len(value) <= MOST_ENTRIES else {**shown, "…": f"{len(value)} members"}
    plain: Json = value
    return plain
