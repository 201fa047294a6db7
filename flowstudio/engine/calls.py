"""Runs that other runs started as a step, and who waits for their end.

A sub-plan step starts a run of its own and is parked until that has ended; here stands which step awaits which run.
The child's id follows from its caller's run, step, iteration and attempt, and the child is durable before its caller's
row says that it waits. So whenever the process dies, the next life meets the same child again: it is not run twice.

What ends, pauses or goes on takes the runs it called along; a run without a caller that waits for it is cancelled.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from flowstudio.engine.compile import Program
from flowstudio.engine.errors import CallTooDeepError, NoSuchPlanError
from flowstudio.engine.flow import Call
from flowstudio.engine.model import Run, RunLink, RunOptions, RunState, StepRun, StepState, TriggerEvent
from flowstudio.engine.ports import Clock, PlanSource, RunStore
from flowstudio.plan.evaluation.deferred import opened
from flowstudio.plan.model import Json, Plan, StepId, TriggerKind

DEEPEST = 10
"""How many calls a run may be away from the trigger that began it all."""

Tell = Callable[[Run | None], None]


class RunSteering(Protocol):
    """The engine, as callers see it."""

    def submit(self, run: Run) -> bool: ...
    def is_active(self, run_id: str) -> bool: ...
    def cancel(self, run_id: str) -> bool: ...
    def pause_with(self, caller_id: str, run_id: str) -> None: ...


class Calls:
    """Thread-safe."""

    def __init__(
        self,
        runs: RunSteering,
        store: RunStore,
        plans: PlanSource,
        compile: Callable[[Plan, str], Program],
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._store = store
        self._plans = plans
        self._compile = compile
        self._clock = clock
        self._lock = threading.Lock()
        self._callers: dict[str, Tell] = {}
        self._children: dict[str, set[str]] = defaultdict(set)

    def place(self, caller: Run, link: RunLink, attempt: int, call: Call) -> Run:
        """Starts the run that a step calls, or meets the one it started in an earlier life. Durable on return.

        Raises NoSuchPlanError, CallTooDeepError, NotRunnableError, ExpressionError, the StorageError family.
        """
        if caller.depth >= DEEPEST:
            raise CallTooDeepError(
                f"Plans call each other more than {DEEPEST} deep: {caller.plan.name} is the last that may run.",
                fix="End the chain of calls earlier, by a condition before the step that calls on.",
            )
        plan = self._plans.find(caller.user_id, call.plan_id)
        if plan is None:
            raise NoSuchPlanError(
                f"There is no plan with the id “{call.plan_id}” to run.", fix="Choose another plan in this step."
            )
        child = Run(
            id=child_id(link, attempt),
            user_id=caller.user_id,
            plan=plan,
            state=RunState.QUEUED,
            trigger=TriggerEvent(TriggerKind.PLAN, call.inputs),
            created_at=self._clock.now(),
            options=RunOptions(is_dry=True) if caller.options.is_dry else RunOptions(),
            parent=link,
            depth=caller.depth + 1,
        )
        self._runs.submit(child)
        return child

    def abandon(self, link: RunLink, attempt: int) -> None:
        """The step that called waits no longer: its run is cancelled."""
        run_id = child_id(link, attempt)
        with self._lock:
            self._callers.pop(run_id, None)
        self._runs.cancel(run_id)

    def attach(self, link: RunLink, attempt: int, tell: Tell) -> None:
        """Calls tell once with the run that this step called when it has ended, or with None when it is gone."""
        run_id = child_id(link, attempt)
        with self._lock:
            self._callers[run_id] = tell
        if self._runs.is_active(run_id):
            # Its end comes after the engine has forgotten it, so `ended` finds the caller.
            self._runs.pause_with(link.run_id, run_id)  # the caller may be paused since before the run began
            return
        run = self._store.get(run_id)
        if run is None or run.state.is_final:
            self._tell(run_id, run)

    def began(self, run: Run) -> None:
        """The engine has taken the run up. One whose caller did not wait until it was stored is cancelled at once."""
        if run.parent is None:
            return
        with self._lock:
            self._children[run.parent.run_id].add(run.id)
        if not self._runs.is_active(run.parent.run_id) and self.is_orphan(run):
            self._runs.cancel(run.id)

    def ended(self, run: Run) -> None:
        """The engine has forgotten the run. An interrupted one may still come to its end: its caller waits on."""
        if not run.state.is_final:
            return
        with self._lock:
            orphans = self._children.pop(run.id, ())
            if run.parent is not None and run.parent.run_id in self._children:
                siblings = self._children[run.parent.run_id]
                siblings.discard(run.id)
                if not siblings:
                    del self._children[run.parent.run_id]
        self._tell(run.id, run)
        for orphan in orphans:
            self._runs.cancel(orphan)

    def children(self, run_id: str) -> list[str]:
        """Ids of the runs under way that this one called."""
        with self._lock:
            return list(self._children.get(run_id, ()))

    def is_orphan(self, run: Run) -> bool:
        """Whether a run found after a restart has nobody left who waits for it."""
        link = run.parent
        if link is None:
            return False
        caller = self._store.get(link.run_id)
        if caller is None or caller.state.is_final:
            return True
        row = self._store.step_run(link.run_id, link.step_id, link.iteration)
        return row is not None and row.state not in (StepState.RUNNING, StepState.WAITING)

    def result(self, child: Run) -> Json:
        """What a step gets from the run it called: the body of its response, else the output of its live last step."""
        response = opened(child.response)
        if isinstance(response, dict):
            body: Json = response.get("body")
            return body
        block = self._compile(child.plan, child.user_id).top
        outputs: dict[StepId, Json] = {}
        for index in block.terminals:
            step_id = block.nodes[index].step.id
            row = self._store.step_run(child.id, step_id, ())
            if row is not None and _is_live(row):
                outputs[step_id] = row.output
        if len(outputs) == 1:
            return next(iter(outputs.values()))
        return dict(outputs) if outputs else None

    def has_marked(self, child: Run, key: str, value: str) -> bool:
        """Whether some result of the run says that in its metadata."""
        return any(row.metadata.get(key) == value for row in self._store.step_runs(child.id))

    def _tell(self, run_id: str, run: Run | None) -> None:
        with self._lock:
            tell = self._callers.pop(run_id, None)
        if tell is not None:
            tell(run)


def child_id(link: RunLink, attempt: int) -> str:
    """The same for the same attempt of the same step, in every life of its run."""
    path = ".".join(map(str, link.iteration))
    return f"sub:{link.run_id}:{link.step_id}:{path}" + (f":{attempt}" if attempt > 1 else "")


def _is_live(row: StepRun) -> bool:
    return row.state is StepState.SUCCEEDED or (row.state in (StepState.FAILED, StepState.SKIPPED) and bool(row.ports))
