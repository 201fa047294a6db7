"""What an expression can read when it is evaluated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowstudio.plan.evaluation.deferred import Holding
from flowstudio.plan.model import NOTHING, Json, StepId

STEP_FIELDS = ("output", "message", "error")
RESUME_URL = "resume_url"
"""Where a call resumes the run; only runs of plans that wait for one have it."""
RUN_FIELDS = ("id", "plan", "started_at", RESUME_URL)


@dataclass(frozen=True, slots=True)
class StepView:
    """A step's result, read as `steps.<id>.output`, `.message` and `.error` (None when it did not fail)."""

    output: Json = None
    message: str = ""
    error: Json = None

    def as_json(self) -> dict[str, Json]:
        return {"output": self.output, "message": self.message, "error": self.error}


class Scope:
    """The values behind `steps`, `trigger`, `vars`, `item`, `index`, `loops` and `run`.

    steps: results so far, by step id; it may grow while the scope lives. item, index: of the innermost loop; index
    None means there is no loop around. loops: {loop id: {"item", "index"}} of every loop around. run: {"id", "plan",
    "started_at"} and, if it waits for calls, "resume_url". holding: whether any of this may hold deferred values.
    Reading never changes or copies any of them.
    """

    __slots__ = ("holding", "index", "item", "loops", "run", "steps", "trigger", "vars")

    def __init__(
        self,
        steps: Mapping[StepId, StepView] | None = None,
        *,
        trigger: Json = None,
        vars: Mapping[str, Json] = NOTHING,
        item: Json = None,
        index: int | None = None,
        loops: Mapping[StepId, Any] = NOTHING,
        run: Mapping[str, Json] = NOTHING,
        holding: Holding | None = None,
    ) -> None:
        self.steps: Mapping[StepId, StepView] = {} if steps is None else steps
        self.trigger = trigger
        self.vars = vars
        self.item = item
        self.index = index
        self.loops = loops
        self.run = run
        self.holding = holding or Holding()

    def inside(self, loop: StepId, item: Json, index: int) -> "Scope":
        """The same, read from inside one more loop."""
        return Scope(
            self.steps,
            trigger=self.trigger,
            vars=self.vars,
            item=item,
            index=index,
            loops={**self.loops, loop: {"item": item, "index": index}},
            run=self.run,
            holding=self.holding,
        )
