"""The plan that runs when a run of another one failed, with that run as its input.

The error run's id follows from the failed run's, and it is stored once the failure is certain and before the failed
run's end is written. So whenever the process dies there is exactly one: either the failed run has no end yet, fails
again in its next life and meets the error run there, or both are on disk. It starts after that end.
"""

import logging
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from flowstudio.engine.errors import EngineClosedError, failure_as_json
from flowstudio.engine.events import LogWritten
from flowstudio.engine.journal import Journal
from flowstudio.engine.model import Failure, Run, RunState, TriggerEvent
from flowstudio.engine.ports import Clock, PlanSource, RunStore
from flowstudio.engine.progress import Verdict
from flowstudio.engine.tickets import Ticket
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Json, TriggerKind

log = logging.getLogger(__name__)


class RunStarting(Protocol):
    """The engine, as it starts follow-up runs. Both raise NotRunnableError, ExpressionError, EngineClosedError."""

    def store_new(self, run: Run) -> Run | None: ...
    def start_stored(self, run: Run) -> None: ...


class ErrorPlans:
    """Thread-safe."""

    def __init__(self, runs: RunStarting, store: RunStore, plans: PlanSource, journal: Journal, clock: Clock) -> None:
        self._runs = runs
        self._store = store
        self._plans = plans
        self._journal = journal
        self._clock = clock

    def prepare(self, failed: Run, verdict: Verdict, last: Ticket) -> Run | None:
        """Stores the error run of a run that is about to end; None when it does not fail, has none, or had one before.

        last: the way to the disk of all that the failed run did. Blocks until that is there: it will fail again then.
        """
        plan_id = failed.plan.settings.error_plan
        if not plan_id or failed.options.is_dry or verdict.state is not RunState.FAILED:
            return None
        with suppress(FlowStudioError):  # the run was told of a refusal already
            self._journal.outlast(last)
        try:
            return None if self._is_of_error_plan(failed) else self._store_run(failed, verdict.failure, plan_id)
        except EngineClosedError:
            log.info("Run %s fails, and starts its error plan, at the next start", failed.id)
        except FlowStudioError as error:
            self._tell(failed, f"The error plan “{plan_id}” does not run for this failure. {error}")
        return None

    def _store_run(self, failed: Run, failure: Failure | None, plan_id: str) -> Run | None:
        plan = self._plans.find(failed.user_id, plan_id)
        if plan is None:
            self._tell(failed, f"The error plan “{plan_id}” does not exist, so nothing runs for this failure.")
            return None
        now = self._clock.now()
        run = Run(
            id=f"error:{failed.id}",
            user_id=failed.user_id,
            plan=plan,
            state=RunState.QUEUED,
            trigger=TriggerEvent(TriggerKind.ERROR, told_of(failed, failure, now)),
            created_at=now,
        )
        return self._runs.store_new(run)

    def start(self, run: Run) -> None:
        """Starts a stored error run; the failed run's end is durable. A closing engine leaves it to the next start."""
        try:
            self._runs.start_stored(run)
        except FlowStudioError as error:
            log.info("The error run %s waits for the next start: %s", run.id, error)

    def _is_of_error_plan(self, run: Run) -> bool:
        """Whether an error plan stands at the beginning of it all: its own failures start nothing."""
        origin: Run | None = run
        while origin is not None and origin.parent is not None:
            origin = self._store.get(origin.parent.run_id)
        return origin is not None and origin.trigger.kind is TriggerKind.ERROR

    def _tell(self, run: Run, text: str) -> None:
        log.warning("Run %s: %s", run.id, text)
        self._journal.tell(LogWritten(run.id, self._clock.now(), "warning", text))


def told_of(run: Run, failure: Failure | None, finished_at: datetime) -> dict[str, Json]:
    """What the error plan reads as `{{ trigger }}`.

    Addresses among the failure's facts are left out: they may hold keys.
    """
    why: dict[str, Json] | None = None
    if failure is not None:
        facts = {name: fact for name, fact in failure.facts.items() if "://" not in str(fact)}
        why = {**failure_as_json(failure), "facts": facts, "step_id": failure.step_id}
    return {
        "run": {
            "id": run.id,
            "state": RunState.FAILED.value,
            "failure": why,
            "started_at": (run.started_at or run.created_at).isoformat(),
            "finished_at": finished_at.isoformat(),
            "trigger": {"kind": run.trigger.kind.value, "id": run.trigger.trigger_id, "data": run.trigger.data},
        },
        "plan": {"id": run.plan.id, "name": run.plan.name},
    }
