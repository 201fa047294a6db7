"""What the shown run has done so far, card by card and wire by wire: pure, fed with batches of run events."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from flowstudio.engine.events import (
    RunEnded,
    RunEvent,
    RunStarted,
    StepCancelled,
    StepFailed,
    StepHeld,
    StepInterrupted,
    StepPaused,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from flowstudio.engine.model import IterationPath
from flowstudio.plan.model import StepId
from flowstudio.ui.canvas.faces import WORDS, Look, count_text, duration_text


class Flow(IntEnum):
    """A wire in the shown run."""

    PLAIN = 0
    TAKEN = 1
    RUNNING = 2
    NOT_TAKEN = 3


@dataclass(slots=True)
class StepTally:
    """Everything the run's events said about one step, over all its iterations."""

    active: int = 0
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    items: int = 0
    duration_ms: float = 0.0
    retrying: int = 0
    problem: str = ""
    held: dict[IterationPath, str] = field(default_factory=dict)
    """What stands still, with the word for it: waiting for its turn or a call, paused at a breakpoint, asking."""
    left_by: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)

    @property
    def look(self) -> Look:
        if self.active or self.held:
            return Look.WAITING if self.retrying or self.held else Look.RUNNING
        for count, look in (
            (self.failed, Look.FAILED),
            (self.cancelled, Look.CANCELLED),
            (self.succeeded, Look.OK),
            (self.skipped, Look.SKIPPED),
        ):
            if count:
                return look
        return Look.IDLE

    @property
    def word(self) -> str:
        if self.active and self.retrying:
            return f"try {self.retrying + 1}"
        if self.held:
            word = "paused" if "paused" in self.held.values() else next(iter(self.held.values()))
            return f"{len(self.held)} {word}" if len(self.held) > 1 else word
        if self.active and self.started > 1:
            return f"running {self.started}"
        return WORDS[self.look]

    @property
    def figures(self) -> str:
        """Items out and time spent, as the card shows them; empty before the first result."""
        if not self.succeeded and not self.failed:
            return ""
        time = duration_text(self.duration_ms)
        return f"{count_text(self.items)} · {time}" if self.succeeded else time

    @property
    def has_ended(self) -> bool:
        return not self.active and not self.held and self.look is not Look.IDLE


class LiveRun:
    """The run the canvas shows. A new run of the plan takes the place of the one before."""

    def __init__(self, plan_id: str) -> None:
        self.plan_id = plan_id
        self.run_id: str | None = None
        self.is_active = False
        self._tallies: dict[StepId, StepTally] = {}

    def clear(self) -> None:
        self.run_id = None
        self.is_active = False
        self._tallies = {}

    def tally(self, step_id: StepId) -> StepTally | None:
        return self._tallies.get(step_id)

    def take(self, events: Iterable[RunEvent]) -> tuple[bool, set[StepId]]:
        """Counts the events of the shown run. Gives (a new run began, steps whose look or figures changed)."""
        is_new = False
        touched: set[StepId] = set()
        for event in events:
            if isinstance(event, RunStarted) and event.plan_id == self.plan_id:
                self.clear()
                self.run_id, self.is_active, is_new = event.run_id, True, True
                touched.clear()
            elif event.run_id == self.run_id:
                touched |= self._count(event)
        return is_new, touched

    def flow(self, source: StepId, port: str, target: StepId) -> Flow:
        """How the wire stands: TAKEN once something left by its port, NOT_TAKEN once nothing can any more."""
        tally = self._tallies.get(source)
        if tally is None:
            return Flow.PLAIN
        ahead = self._tallies.get(target)
        has_left = tally.left_by[port] or (port == "body" and ahead is not None and ahead.started)
        if has_left:
            return Flow.RUNNING if ahead is not None and ahead.active else Flow.TAKEN
        return Flow.NOT_TAKEN if tally.has_ended else Flow.PLAIN

    def count(self, source: StepId, port: str, target: StepId) -> int:
        """Items that went along the wire. Into a loop's body: how often its first step started."""
        if port == "body":
            ahead = self._tallies.get(target)
            return ahead.started if ahead is not None else 0
        tally = self._tallies.get(source)
        return tally.passed[port] if tally is not None else 0

    def _count(self, event: RunEvent) -> set[StepId]:
        if isinstance(event, RunEnded):
            self.is_active = False
            return self._settle()
        step_id = getattr(event, "step_id", None)
        if not step_id:
            return set()
        tally = self._tallies.setdefault(step_id, StepTally())
        return {step_id} if _add(tally, event) else set()

    def _settle(self) -> set[StepId]:
        """Nothing runs after the end, whatever the last events said."""
        still = {step_id for step_id, tally in self._tallies.items() if tally.active or tally.held}
        for step_id in still:
            tally = self._tallies[step_id]
            tally.cancelled += tally.active
            tally.active = 0
            tally.held.clear()
        return still


def _add(tally: StepTally, event: RunEvent) -> bool:
    """Adds one event of the step; False for kinds that change nothing on the card."""
    if isinstance(event, StepStarted | StepSucceeded | StepFailed | StepCancelled | StepSkipped):
        tally.held.pop(event.iteration, None)
    if isinstance(event, StepHeld | StepPaused):
        tally.held[event.iteration] = "waiting" if isinstance(event, StepHeld) else "paused"
        tally.problem = event.reason
    elif isinstance(event, StepInterrupted):
        tally.held[event.iteration] = "asks"
        tally.problem = event.failure.sentence
    elif isinstance(event, StepStarted):
        if event.attempt == 1 or not tally.active:
            tally.active += 1
            tally.started += 1
        tally.retrying = 0
    elif isinstance(event, StepRetrying):
        tally.retrying = event.attempt
        tally.problem = event.failure.sentence
    elif isinstance(event, StepSucceeded | StepFailed | StepCancelled):
        tally.active = max(0, tally.active - 1)
        tally.retrying = 0
        _add_result(tally, event)
    elif isinstance(event, StepSkipped):
        tally.skipped += 1
        tally.problem = event.reason
    else:
        return False
    return True


def _add_result(tally: StepTally, event: StepSucceeded | StepFailed | StepCancelled) -> None:
    if isinstance(event, StepCancelled):
        tally.cancelled += 1
        return
    tally.duration_ms += event.duration_ms
    if isinstance(event, StepSucceeded):
        tally.succeeded += 1
        tally.items += event.items
        tally.problem = ""
    else:
        tally.failed += 1
        tally.problem = event.failure.sentence
    for port in event.ports:
        tally.left_by[port] += 1
        tally.passed[port] += event.items if isinstance(event, StepSucceeded) else 1
