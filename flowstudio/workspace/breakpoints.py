"""Runs that pause before a step: where they stand, with which input, and how they go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from flowstudio.engine.model import IterationPath, Run, RunState, StepRun, StepState
from flowstudio.engine.stops import HELD, INPUT, REASON, Edits
from flowstudio.plan.model import Json, StepId
from flowstudio.workspace.errors import RunStateError
from flowstudio.workspace.ports import RunHistory
from flowstudio.workspace.runs import Runs, cannot

NO_PARAMS: Final[Mapping[str, Json]] = {}


class PausingEngine(Protocol):
    """The part of the engine that lets runs stand before steps."""

    def resume(self, run_id: str, edits: Edits) -> bool: ...
    def step_over(self, run_id: str, step_id: StepId | None, iteration: IterationPath, edits: Edits) -> bool: ...
    def set_breakpoints(self, run_id: str, breakpoints: Mapping[StepId, str]) -> bool: ...


@dataclass(frozen=True, slots=True)
class HeldStep:
    """A step a run stands before. input: as it would start, secrets masked and long values cut."""

    step_id: StepId
    iteration: IterationPath
    reason: str
    input: Json


@dataclass(frozen=True, slots=True)
class InputEdit:
    """Params that replace the rendered ones of a held step; those left out stay as they are."""

    step_id: StepId
    iteration: IterationPath
    params: Mapping[str, Json]


class Breakpoints:
    """Thread-safe."""

    def __init__(self, engine: PausingEngine, runs: Runs, history: RunHistory) -> None:
        self._engine = engine
        self._runs = runs
        self._history = history

    def set(self, user_id: str, run_id: str, breakpoints: Mapping[StepId, str]) -> None:
        """Replaces the breakpoints of a run under way: step id -> condition, "" for always.

        Raises NoSuchRunError, RunStateError when it has ended, BreakpointError, ExpressionError.
        """
        run = self._runs.get(user_id, run_id)
        if not self._engine.set_breakpoints(run_id, breakpoints):
            raise cannot("given breakpoints", run)

    def held(self, user_id: str, run_id: str) -> Sequence[HeldStep]:
        """The steps the run stands before, in the order it came to them. Raises NoSuchRunError."""
        self._runs.get(user_id, run_id)
        rows = (row for row in self._history.step_runs(run_id) if row.state is StepState.WAITING)
        return [_held_step(row) for row in rows if HELD in row.metadata]

    def resume(self, user_id: str, run_id: str, edits: Sequence[InputEdit] = ()) -> None:
        """Goes on with all that is held, until the next breakpoint.

        Raises NoSuchRunError, RunStateError when the run is not paused or does not stand before an edited step.
        """
        run = self._runs.get(user_id, run_id)
        if not self._engine.resume(run_id, self._edits(run, edits)):
            raise cannot("resumed", run)

    def step_over(
        self,
        user_id: str,
        run_id: str,
        step_id: StepId | None = None,
        iteration: IterationPath = (),
        params: Mapping[str, Json] = NO_PARAMS,
    ) -> None:
        """Performs one held step, the first for None, and pauses before what comes next. Raises like resume."""
        run = self._runs.get(user_id, run_id)
        if step_id is None:
            first = next(iter(self.held(user_id, run_id)), None)
            step_id, iteration = (first.step_id, first.iteration) if first is not None else (None, ())
        edits = self._edits(run, [InputEdit(step_id, iteration, params)] if step_id is not None and params else [])
        if self._engine.step_over(run_id, step_id, iteration, edits):
            return
        run = self._runs.get(user_id, run_id)
        if run.state is not RunState.PAUSED:
            raise cannot("stepped over", run)
        what = "No step is held now." if step_id is None else f"The run does not stand before “{step_id}”."
        raise RunStateError(what, facts={"state": run.state.value})

    def _edits(self, run: Run, edits: Sequence[InputEdit]) -> Edits:
        """What differs from the input that was shown: a client may send back all of it, masked secrets and cuts too."""
        held = {(each.step_id, each.iteration): each for each in self.held(run.user_id, run.id)} if edits else {}
        found: dict[tuple[StepId, IterationPath], Mapping[str, Json]] = {}
        for edit in edits:
            key = (edit.step_id, edit.iteration)
            if key not in held:
                sentence = f"The run does not stand before “{edit.step_id}”, so its input cannot be edited."
                raise RunStateError(sentence, facts={"state": run.state.value})
            shown = held[key].input
            before = shown.items() if isinstance(shown, dict) else ()
            changed = {name: value for name, value in edit.params.items() if (name, value) not in before}
            if changed:
                found[key] = changed
        return found


def _held_step(row: StepRun) -> HeldStep:
    return HeldStep(row.step_id, row.iteration, str(row.metadata.get(REASON, "")), row.metadata.get(INPUT))
