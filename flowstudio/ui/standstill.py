"""Standstill: the steps of a run that do not move now, and why: fed with the run's events."""

from flowstudio.engine.events import (
    RunEnded,
    RunEvent,
    RunStarted,
    StepCancelled,
    StepFailed,
    StepHeld,
    StepPaused,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from flowstudio.engine.model import IterationPath
from flowstudio.engine.stops import AFTER_STEP, AT_BREAKPOINT
from flowstudio.plan.model import AWAITED_CALL, Plan, StepId

Place = tuple[StepId, IterationPath]

_MOVES = (StepStarted, StepSucceeded, StepFailed, StepSkipped, StepCancelled)


class Standstill:
    """paused: what a person is waited for before. waiting: what waits for its turn, a call or another run.

    calls: those of `waiting` that wait for a call. version: counts up when a person could do something else, or the
    first begins to wait or the last ends to; not for each of thousands in a loop.
    """

    def __init__(self, plan: Plan | None = None) -> None:
        self._labels = {step.id: step.label for step in plan.steps} if plan is not None else {}
        self._callable = {s.id for s in plan.steps if (s.provider, s.action) == AWAITED_CALL} if plan else set()
        self.paused: dict[Place, str] = {}
        self.waiting: dict[Place, str] = {}
        self.version = 0

    @property
    def calls(self) -> list[Place]:
        return [place for place in self.waiting if place[0] in self._callable] if self._callable else []

    def take(self, event: RunEvent) -> None:
        if isinstance(event, RunStarted | RunEnded):
            self._note(bool(self.paused or self.waiting))
            self.paused, self.waiting = {}, {}
        elif isinstance(event, StepPaused):
            self._note()
            self.paused[event.step_id, event.iteration] = event.reason
        elif isinstance(event, StepHeld):
            self._note(not self.waiting or event.step_id in self._callable)
            self.waiting[event.step_id, event.iteration] = event.reason
        elif isinstance(event, _MOVES):
            place = (event.step_id, event.iteration)
            was_paused, was_waiting = self.paused.pop(place, None), self.waiting.pop(place, None)
            self._note(was_paused is not None)
            self._note(was_waiting is not None and (not self.waiting or event.step_id in self._callable))

    def reason(self, *, is_paused: bool) -> str:
        """ "Paused before “Save”", or the sentence of what waits; "" when no step says why."""
        if is_paused and self.paused:
            (step_id, _), reason = next(iter(self.paused.items()))
            known = reason in (AT_BREAKPOINT, AFTER_STEP)
            text = f"Paused before “{self._labels.get(step_id, step_id)}”{'' if known else f'. {reason}'}"
            return text + _others(len(self.paused))
        if is_paused or not self.waiting:
            return ""
        return next(reversed(self.waiting.values())) + _others(len(self.waiting))

    def _note(self, is_seen: bool = True) -> None:
        self.version += is_seen


def _others(count: int) -> str:
    return f" and {count - 1} more" if count > 1 else ""
