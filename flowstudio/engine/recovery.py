"""Taking up runs that were unfinished when the process ended.

A run is walked again from its beginning; every step with a durable result is settled with it instead of started, so
the walk arrives at the first step without one. That step may have been in flight at the crash: it is run again.
"""

import logging
from collections.abc import Sequence

from flowstudio.engine.compile import Compiler, Program
from flowstudio.engine.errors import failure_of
from flowstudio.engine.model import Failure, Run, RunState, StepRun, StepState
from flowstudio.engine.ports import RunStore
from flowstudio.engine.progress import Known, Verdict
from flowstudio.errors import FlowStudioError

log = logging.getLogger(__name__)


def runs_to_take_up(store: RunStore) -> list[Run]:
    """Oldest first. Interrupted runs wait for a person's answer."""
    return [run for run in store.unfinished() if run.state is not RunState.INTERRUPTED]


def known_results(rows: Sequence[StepRun]) -> Known:
    return {(row.step_id, row.iteration): row for row in rows}


def verdict_of(rows: Sequence[StepRun]) -> Verdict | None:
    """How the run was already ending: a cancelled step is only ever written then.

    A failed step that ends the run needs no help here: the walk meets its result and heeds it.
    """
    was_failing = any(row.state is StepState.FAILED and not row.ports for row in rows)
    if not was_failing and any(row.state is StepState.CANCELLED for row in rows):
        return Verdict(RunState.CANCELLED)
    return None


def compile_again(run: Run, compiler: Compiler) -> Program | Failure:
    """The run's program, or why the plan it was started with cannot run any more."""
    try:
        return compiler.compile(run.plan)
    except FlowStudioError as error:
        log.warning("Run %s cannot be taken up again: %s", run.id, error)
        return failure_of(error)


class Unowned:
    """Owner of the last entry of a run that is not taken up."""

    def refused(self, error: FlowStudioError) -> None:
        log.error("The end of a run could not be stored: %s", error)
