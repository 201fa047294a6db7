"""Interrupted runs: a person's answers to what was in flight at a crash, and their end by a cancel.

An interrupted run is rows, not an object: its questions are running rows that say so. An answer replaces its row, and
with the last one the run is taken up like any other that a crash left.
"""

import threading
from collections.abc import Callable, Sequence

from flowstudio.engine import recovery
from flowstudio.engine.attempt import Outcome
from flowstudio.engine.compile import Compiler, Node
from flowstudio.engine.errors import NotInterruptedError
from flowstudio.engine.events import LogWritten, RunEvent, RunStateChanged, StepFailed, StepSucceeded, items_in
from flowstudio.engine.journal import Journal
from flowstudio.engine.model import Answer, Failure, IterationPath, Run, RunState, StepRun, StepState
from flowstudio.engine.ports import Clock, RunChange, RunStore
from flowstudio.engine.progress import Verdict
from flowstudio.plan.model import Json, StepId

TakeUp = Callable[[Run, Verdict | None], bool]


class Answers:
    """Thread-safe: one answer at a time, so that the last one is known to be the last."""

    def __init__(self, store: RunStore, journal: Journal, compiler: Compiler, clock: Clock, take_up: TakeUp) -> None:
        self._store = store
        self._journal = journal
        self._compiler = compiler
        self._clock = clock
        self._take_up = take_up
        self._lock = threading.RLock()  # the end of one interrupted run may cancel those it called

    def give(self, run_id: str, step_id: StepId, path: IterationPath, answer: Answer, output: Json) -> None:
        """Answers for one step, durably; the run goes on once no question is left.

        Raises NotInterruptedError when the step has no open question, the StorageError family when it cannot be kept.
        """
        with self._lock:
            run = self._interrupted(run_id)
            rows = self._store.step_runs(run_id)
            asked = _asked(run, rows, step_id, path)
            program = recovery.compile_again(run, self._compiler)
            if not isinstance(program, Failure):
                self._keep(run, rows, asked, program.nodes[step_id], answer, output)
            left = [each for each in recovery.questions(rows) if each is not asked]
            if left and not isinstance(program, Failure):
                self._ask(run, left[0].failure)
            else:
                self._take_up(run, None)

    def cancel(self, run_id: str) -> bool:
        """Ends an interrupted run; False when the run is none."""
        with self._lock:
            run = self._store.get(run_id)
            if run is None or run.state is not RunState.INTERRUPTED:
                return False
            return self._take_up(run, Verdict(RunState.CANCELLED))

    def _interrupted(self, run_id: str) -> Run:
        run = self._store.get(run_id)
        if run is None or run.state is not RunState.INTERRUPTED:
            state = "unknown" if run is None else run.state.value
            raise NotInterruptedError(f"The run {run_id} asks nothing: it is {state}.", facts={"state": state})
        return run

    def _keep(
        self, run: Run, rows: Sequence[StepRun], asked: StepRun, node: Node, answer: Answer, output: Json
    ) -> None:
        outcome = recovery.outcome_after(answer, node, asked, output)
        row = StepRun(
            run_id=run.id,
            step_id=asked.step_id,
            iteration=asked.iteration,
            state=outcome.state,
            sequence=max(each.sequence for each in rows) + 1,
            attempt=asked.attempt,
            ports=outcome.ports,
            output=outcome.output,
            message=outcome.message,
            failure=outcome.failure,
            metadata=outcome.metadata,
            started_at=asked.started_at,
        )
        self._journal.keep(row, self._event(run, asked, node, outcome), recovery.Unowned())

    def _ask(self, run: Run, failure: Failure | None) -> None:
        """Says the next question as the run's own."""
        now = self._clock.now()
        change = RunChange(run.id, RunState.INTERRUPTED, now, failure)
        self._journal.keep(change, RunStateChanged(run.id, now, RunState.INTERRUPTED, failure), recovery.Unowned())

    def _event(self, run: Run, asked: StepRun, node: Node, outcome: Outcome) -> RunEvent:
        about = (run.id, self._clock.now())
        step = (asked.step_id, asked.iteration)
        if outcome.state is StepState.SUCCEEDED:
            items = items_in(node.kind, outcome.output)
            return StepSucceeded(*about, *step, asked.attempt, items, 0.0, outcome.ports, outcome.message)
        if outcome.failure is not None:
            return StepFailed(*about, *step, asked.attempt, outcome.failure, 0.0, outcome.ports)
        return LogWritten(*about, "info", f"“{node.step.label}” is done again: a person said so.", *step)


def _asked(run: Run, rows: Sequence[StepRun], step_id: StepId, path: IterationPath) -> StepRun:
    open_ones = recovery.questions(rows)
    for row in open_ones:
        if (row.step_id, row.iteration) == (step_id, path):
            return row
    names = ", ".join(_name(row.step_id, row.iteration) for row in open_ones)
    raise NotInterruptedError(
        f"Step “{_name(step_id, path)}” of run {run.id} has no open question.",
        fix=f"These have one: {names}." if names else "",
        facts={"steps": names},
    )


def _name(step_id: StepId, path: IterationPath) -> str:
    return f"{step_id} ({'.'.join(map(str, path))})" if path else step_id
