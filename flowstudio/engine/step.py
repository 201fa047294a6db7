"""One attempt at one step: render its params, do what it says, tell how it went. Touches no run state.

The runner decides when and in which thread; here is what happens in between. Expected faults end as a failed Outcome;
a bug in an action's code too, logged with its traceback, so that one broken action never takes the engine down.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

from flowstudio.engine import flow
from flowstudio.engine.attempt import Attempt, Awaits, Delay, Ending, GiveUp, Hold, Outcome, silently
from flowstudio.engine.calls import Calls
from flowstudio.engine.cancel import CancelToken
from flowstudio.engine.compile import Node
from flowstudio.engine.dry import DRY, NO_CALL, NOT_SENT, NOT_WAITED, UNSENT, performs_dry
from flowstudio.engine.errors import (
    CallLostError,
    StalledError,
    StoppedError,
    failure_of,
)
from flowstudio.engine.events import LogWritten
from flowstudio.engine.gates import Gates
from flowstudio.engine.loops import ForEach, While
from flowstudio.engine.merging import Arrival, merge
from flowstudio.engine.model import Failure, Run, RunLink, RunState, StepState
from flowstudio.engine.payloads import PayloadStore
from flowstudio.engine.ports import ActionInvoker, ActionResult, Clock, Exchange, Invocation
from flowstudio.engine.retry import next_delay
from flowstudio.engine.step_failures import bug_in, conclude, failure_of_call, failure_told, too_late, uncalled
from flowstudio.engine.stops import brief
from flowstudio.engine.time_limit import TimeLimit
from flowstudio.engine.timers import Timers
from flowstudio.errors import FlowStudioError
from flowstudio.plan.expression import ExpressionError, Scope
from flowstudio.plan.model import NOTHING, Json, StepId, StepKind

log = logging.getLogger(__name__)


class StepPerformer:
    """Performs attempts. Thread-safe."""

    def __init__(
        self,
        invoker: ActionInvoker,
        gates: Gates,
        calls: Calls,
        payloads: PayloadStore,
        timers: Timers,
        clock: Clock,
        grace_s: float,
    ) -> None:
        self._invoker = invoker
        self._payloads = payloads
        self._gates = gates
        self._calls = calls
        self._timers = timers
        self._clock = clock
        self._grace_s = grace_s
        self._rng = Random()  # noqa: S311 - jitter, no secret

    def perform(self, run: Run, attempt: Attempt, scope: Scope, cancel: CancelToken, give_up: GiveUp) -> Ending:
        """How the attempt ended. Blocks as long as the action does.

        give_up: called from the timer thread with the outcome of an attempt that came back neither at its time limit
        nor in the grace after it; what the attempt itself returns later is to be ignored.
        """
        node = attempt.node
        try:
            ending = self._perform(run, attempt, scope, cancel, give_up)
            return self._slim(ending, scope) if isinstance(ending, Outcome) else ending
        except StalledError:
            raise  # nothing was done, and it is done when the journal can be written again
        except ExpressionError as error:
            return conclude(node, failure_of(error, node.step.id))
        except FlowStudioError as error:
            # A param of the language's own, a result that is no JSON, the lost file of a large value.
            located = replace(failure_of(error, node.step.id), sentence=f"Step “{node.step.label}”: {error.sentence}")
            return conclude(node, located)
        except (Exception, SystemExit) as bug:
            # SystemExit too: a library's sys.exit() must end its step and not the thread, or the run waits for ever.
            log.exception("Step %s (%s.%s) of run %s broke", node.step.id, node.step.provider, node.step.action, run.id)
            return conclude(node, bug_in(node, bug))

    def _perform(self, run: Run, attempt: Attempt, scope: Scope, cancel: CancelToken, give_up: GiveUp) -> Ending:
        node = attempt.node
        if attempt.loop is not None and attempt.loop.is_done:
            return Outcome(StepState.SUCCEEDED, node.passes, attempt.loop.output())
        params = render(node, scope) if attempt.loop is None else {}
        if attempt.steered is not None:
            params.update(attempt.steered.edit)
        if node.kind is StepKind.ACTION:
            if run.options.is_dry and not performs_dry(node):
                return self._preview(run, attempt, params, cancel)
            return self._act(run, attempt, params, cancel, give_up)
        return self._steer(run, attempt, params, scope)

    def _slim(self, outcome: Outcome, scope: Scope) -> Outcome:
        """The outcome with its large parts in files; here, since this thread holds no lock of the run's."""
        output = self._payloads.keep(outcome.output, scope.holding)
        if output is not outcome.output:
            scope.holding.is_any = True
            outcome.output = output
        return outcome

    def pins(self, run: Run) -> Mapping[StepId, Json]:
        """The outputs that stand in for steps of the run, their large parts in files."""
        pins = run.plan.pins if run.options.uses_pins else {}
        return {step_id: self._payloads.keep(output) for step_id, output in pins.items()}

    def shown(self, run: Run, attempt: Attempt, scope: Scope, cancel: CancelToken) -> tuple[Json, str]:
        """The input of a step that has not started, for a person: rendered, secrets masked, long values cut.

        Or None, and a sentence that says why there is none.
        """
        try:
            return self._input(run, attempt, scope, cancel), ""
        except ExpressionError as error:
            return None, f" Its input cannot be worked out: {error.sentence}"

    def _input(self, run: Run, attempt: Attempt, scope: Scope, cancel: CancelToken) -> dict[str, Json]:
        node = attempt.node
        params = render(node, scope)
        if node.kind is StepKind.ACTION:
            params = dict(self._invoker.masked(self._invocation(run, attempt, params, cancel)))
        elif node.condition is not None:
            params["condition"] = _holds(node, params, scope)
        if attempt.steered is not None:
            params.update(attempt.steered.edit)
        return {name: brief(value) for name, value in params.items()}

    def _preview(self, run: Run, attempt: Attempt, params: dict[str, Json], cancel: CancelToken) -> Ending:
        """A dry run's step that would change something: what it would send, and nothing more."""
        result = self._invoker.preview(self._invocation(run, attempt, params, cancel))
        if not result.success:
            return conclude(attempt.node, failure_told(attempt.node, result), result.metadata)
        metadata: dict[str, Json] = {**result.metadata, DRY: UNSENT}
        return Outcome(StepState.SKIPPED, attempt.node.passes, result.output, NOT_SENT, None, metadata)

    def _act(self, run: Run, attempt: Attempt, params: dict[str, Json], cancel: CancelToken, give_up: GiveUp) -> Ending:
        limit_s = attempt.node.step.timeout_s
        if limit_s is None:
            result = self._invoker.invoke(self._invocation(run, attempt, params, cancel))
            return self._judge(run, attempt, result, cancel)
        with TimeLimit(limit_s, self._grace_s, self._timers, cancel) as limit:
            failure = too_late(attempt.node, limit_s)
            limit.watch(lambda: give_up(attempt, self._failed_or_delayed(attempt, failure)))
            result = self._invoker.invoke(self._invocation(run, attempt, params, limit.token))
        if limit.is_over and not cancel.is_set:
            return self._failed_or_delayed(attempt, failure)
        return self._judge(run, attempt, result, cancel)

    def _judge(self, run: Run, attempt: Attempt, result: ActionResult, cancel: CancelToken) -> Ending:
        if result.success:
            passes = attempt.node.passes
            return Outcome(StepState.SUCCEEDED, passes, result.output, result.message, None, result.metadata)
        if result.error is not None and result.error.retry_after_s is not None:
            step = attempt.node.step
            self._gates.close_for(result.error.retry_after_s, run.user_id, step.provider, step.credential)
        if cancel.is_set:
            return Outcome(StepState.CANCELLED)
        return self._failed_or_delayed(attempt, failure_told(attempt.node, result), result.metadata)

    def _failed_or_delayed(
        self, attempt: Attempt, failure: Failure, metadata: Mapping[str, Json] = NOTHING
    ) -> Outcome | Delay:
        delay_s = next_delay(failure, attempt.node.step.retry, attempt.number, self._rng)
        if delay_s is None:
            return conclude(attempt.node, failure, metadata)
        return Delay(self._clock.now() + timedelta(seconds=delay_s), failure, delay_s)

    def _invocation(self, run: Run, attempt: Attempt, params: dict[str, Json], cancel: CancelToken) -> Invocation:
        step, path = attempt.node.step, attempt.walk.path
        return Invocation(
            user_id=run.user_id,
            run_id=run.id,
            step_id=step.id,
            iteration=path,
            attempt=attempt.number,
            provider=step.provider,
            action=step.action,
            params=params,
            credential=step.credential,
            timeout_s=step.timeout_s,
            cancel=cancel,
            log=partial(self._log, run.id, attempt),
            keep=silently if attempt.node.is_repeatable else partial(_keep, run.id, attempt),
            idempotency_key=f"{run.id}:{step.id}:{'.'.join(map(str, path))}",
        )

    def _log(self, run_id: str, attempt: Attempt, level: str, text: str) -> None:
        attempt.tell(LogWritten(run_id, self._clock.now(), level, text, attempt.node.step.id, attempt.walk.path))

    def _steer(self, run: Run, attempt: Attempt, params: dict[str, Json], scope: Scope) -> Ending:
        """A step of the language itself."""
        node, kind = attempt.node, attempt.node.kind
        if kind is StepKind.CONDITION:
            return _branched(flow.condition(_holds(node, params, scope)))
        if kind is StepKind.SWITCH:
            return _branched(flow.switch(params))
        if kind is StepKind.MERGE:
            return Outcome(StepState.SUCCEEDED, node.passes, merge(params, _arrivals(attempt)))
        if kind is StepKind.RESPOND:
            return Outcome(StepState.SUCCEEDED, node.passes, flow.respond(params))
        if kind is StepKind.STOP:
            return _stop(node, params)
        if kind is StepKind.WAIT:
            return self._look_ahead(attempt, params) if run.options.is_dry else self._wait(attempt, params)
        if kind is StepKind.SUBPLAN:
            return self._call(run, attempt, params)
        if kind is StepKind.WHILE:
            return self._repeat(run, attempt, params, scope)
        if kind.ends_item:
            return Outcome(StepState.SUCCEEDED, (), params.get("result"))
        return self._iterate(run, attempt, params)

    def _wait(self, attempt: Attempt, params: dict[str, Json]) -> Ending:
        if attempt.node.step.action == "webhook":
            return self._await_call(attempt, params)
        now = self._clock.now()
        if attempt.due is not None:
            return Outcome(StepState.SUCCEEDED, attempt.node.passes, {"until": attempt.due.isoformat()})
        due = flow.due(attempt.node.step.action, params, now)
        return Delay(due, None, (due - now).total_seconds())

    def _look_ahead(self, attempt: Attempt, params: dict[str, Json]) -> Outcome:
        """A dry run does not wait: a time is as good as come, a call brings nothing."""
        node = attempt.node
        if node.step.action == "webhook":
            return Outcome(StepState.SKIPPED, node.passes, None, NO_CALL, None, {DRY: UNSENT})
        due = flow.due(node.step.action, params, self._clock.now())
        return Outcome(StepState.SUCCEEDED, node.passes, {"until": due.isoformat()}, NOT_WAITED)

    def _await_call(self, attempt: Attempt, params: dict[str, Json]) -> Ending:
        limit_s = flow.patience(params)
        if attempt.awaits is Awaits.CALL and limit_s is not None:
            return self._failed_or_delayed(attempt, uncalled(attempt.node, limit_s))
        due = None if limit_s is None else self._clock.now() + timedelta(seconds=limit_s)
        return Hold(Awaits.CALL, due, f"“{attempt.node.step.label}” waits for a call.")

    def _call(self, run: Run, attempt: Attempt, params: dict[str, Json]) -> Ending:
        """Starts the run of another plan. Its step holds no thread until that has ended; see take_result."""
        node, limit_s = attempt.node, attempt.node.step.timeout_s
        link = RunLink(run.id, node.step.id, attempt.walk.path)
        if attempt.awaits is Awaits.RUN and limit_s is not None:
            self._calls.abandon(link, attempt.number)
            return self._failed_or_delayed(attempt, too_late(node, limit_s))
        call = flow.call(params)
        try:
            child = self._calls.place(run, link, attempt.number, call)
        except StalledError:
            raise
        except FlowStudioError as error:
            return self._failed_or_delayed(attempt, failure_of(error, node.step.id))
        due = None if limit_s is None else self._clock.now() + timedelta(seconds=limit_s)
        facts: dict[str, Json] = {"run": child.id, "plan": child.plan.id}
        return Hold(Awaits.RUN, due, f"“{node.step.label}” runs the plan “{child.plan.name}”.", facts)

    def take_result(self, attempt: Attempt, child: Run | None) -> Outcome | Delay:
        """What the end of the run a step called means for the step. child: None when the history has lost it."""
        node = attempt.node
        if child is None:
            lost = CallLostError(f"The run that “{node.step.label}” waited for is gone from the history.")
            return self._failed_or_delayed(attempt, failure_of(lost, node.step.id))
        metadata: dict[str, Json] = {"run": child.id, "plan": child.plan.id}
        if child.state is not RunState.SUCCEEDED:
            return self._failed_or_delayed(attempt, failure_of_call(node, child), metadata)
        if child.options.is_dry and self._calls.has_marked(child, DRY, UNSENT):
            text = f"“{child.plan.name}” ran dry, and what it would give may hang on what it did not send."
            return Outcome(StepState.SKIPPED, node.passes, None, text, metadata={**metadata, DRY: UNSENT})
        try:
            return Outcome(StepState.SUCCEEDED, node.passes, self._calls.result(child), metadata=metadata)
        except FlowStudioError as error:
            return self._failed_or_delayed(attempt, failure_of(error, node.step.id), metadata)

    def _iterate(self, run: Run, attempt: Attempt, params: dict[str, Json]) -> flow.Iterate:
        if isinstance(attempt.loop, ForEach):  # it rested between two items
            return flow.Iterate(attempt.loop.items, attempt.loop.parallel, 0)
        iterate = flow.iterate(params)
        if iterate.left_over:
            text = f"{iterate.left_over} items are left over: the loop stops after {len(iterate.items)}, its limit."
            self._log(run.id, attempt, "warning", text)
        return iterate

    def _repeat(self, run: Run, attempt: Attempt, params: dict[str, Json], scope: Scope) -> flow.Repeat:
        """Asks a while's condition before its next turn. Its other params are what they were before the first."""
        node, loop = attempt.node, attempt.loop
        if not isinstance(loop, While):
            turn, item, limit = 0, params.get("start"), flow.most_iterations(params)
        else:
            turn, item, limit = loop.started, loop.last, loop.limit
        holds = _holds(node, params, scope.inside(node.step.id, item, turn))
        if holds and turn >= limit:
            text = f"The loop stops after {limit} turns, its limit; its condition still holds."
            self._log(run.id, attempt, "warning", text)
        return flow.Repeat(holds, item, limit)


def _keep(run_id: str, attempt: Attempt, at: datetime, document: Mapping[str, Json]) -> None:
    attempt.note(Exchange(run_id, attempt.node.step.id, attempt.walk.path, attempt.number, at, document))


def render(node: Node, scope: Scope) -> dict[str, Json]:
    """The step's params with their expressions evaluated. Raises ExpressionError naming step and field."""
    params = dict(node.constants)
    for name, template in node.templates:
        try:
            params[name] = template.render(scope)
        except ExpressionError as error:
            raise error.located(node.step.label, name) from error
    return params


def _holds(node: Node, params: Mapping[str, Json], scope: Scope) -> bool:
    if node.condition is None or "condition" in params:  # a constant, or one a person edited
        return flow.is_true(params.get("condition"))
    try:
        return node.condition.holds(scope)
    except ExpressionError as error:
        raise error.located(node.step.label, "condition") from error


def _arrivals(attempt: Attempt) -> list[Arrival]:
    found = attempt.walk.arrivals(attempt.node)
    return [Arrival(source, result.view.output, result.sequence) for source, result in found]


def _branched(branch: flow.Branch) -> Outcome:
    return Outcome(StepState.SUCCEEDED, branch.ports, branch.output)


def _stop(node: Node, params: Mapping[str, Json]) -> Outcome:
    message = str(params.get("message") or "")
    if flow.is_true(params.get("success", True)):
        return Outcome(StepState.SUCCEEDED, (), None, message)
    error = StoppedError(message or f"The run was stopped by “{node.step.label}”.")
    return Outcome(StepState.FAILED, (), None, error.sentence, failure_of(error, node.step.id))
