"""One attempt at one step: render its params, do what it says, tell how it went. Touches no run state.

The runner decides when and in which thread; here is what happens in between. Expected faults end as a failed Outcome;
a bug in an action's code too, logged with its traceback, so that one broken action never takes the engine down.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from random import Random

from flowstudio.engine import flow
from flowstudio.engine.calls import Calls
from flowstudio.engine.cancel import CancelToken
from flowstudio.engine.compile import Node
from flowstudio.engine.errors import (
    CallLostError,
    StalledError,
    StepBugError,
    StepTimeoutError,
    StoppedError,
    failure_as_json,
    failure_of,
)
from flowstudio.engine.events import LogWritten, RunEvent
from flowstudio.engine.gates import Gates, Permit
from flowstudio.engine.loops import ForEach, Loop, While
from flowstudio.engine.merging import Arrival, merge
from flowstudio.engine.model import Failure, Run, RunLink, RunState, StepState
from flowstudio.engine.payloads import PayloadStore
from flowstudio.engine.ports import ActionInvoker, ActionResult, Clock, Exchange, Invocation
from flowstudio.engine.retry import next_delay
from flowstudio.engine.stops import Steered, brief
from flowstudio.engine.time_limit import TimeLimit
from flowstudio.engine.timers import Timers
from flowstudio.engine.walk import Walk
from flowstudio.errors import FlowStudioError
from flowstudio.plan.expression import ExpressionError, Scope
from flowstudio.plan.model import NOTHING, Json, OnError, StepId, StepKind

log = logging.getLogger(__name__)

_HARMLESS = frozenset({"pure", "read"})
"""Effects a dry run has."""
DRY = "dry_run"
UNSENT = "unsent"
"""Key and value in the metadata of a step whose result a dry run does not have."""
NOT_SENT = "Not sent: a dry run only shows what it would send."
NOT_WAITED = "Not waited for: this is a dry run."
NO_CALL = "A dry run waits for no call."
NEEDS_ANSWER = "It needs the result of “{}”, which a dry run does not have."


@dataclass(slots=True)
class Outcome:
    """A step's end. ports: what it leaves by; none after a failure that ends the run."""

    state: StepState
    ports: tuple[str, ...] = ()
    output: Json = None
    message: str = ""
    failure: Failure | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Delay:
    """No end yet: the step goes on at `due`, holding no thread. failure: what the next attempt hopes to avoid."""

    due: datetime
    failure: Failure | None = None
    delay_s: float = 0.0


class Awaits(StrEnum):
    """What lets a parked attempt go on: its time, a call from outside, the end of the run it started, its provider's
    limits, of which a restart asks anew."""

    TIME = "time"
    CALL = "call"
    RUN = "run"
    TURN = "turn"


@dataclass(slots=True)
class Hold:
    """No end yet: the step goes on when what it awaits comes, and holds no thread until then.

    due: when it ends at the latest, None for never. reason: what it waits for, as a sentence. facts: kept with it.
    """

    awaits: Awaits
    due: datetime | None
    reason: str
    facts: Mapping[str, Json] = field(default_factory=dict)


class Attempt:
    """One try of one step in one walk, from the moment it may start until it is settled or given up.

    due: when a parked attempt goes on: a wait step then ends, another step is tried again, one that awaits something
    has waited too long. row: the state of the step's row in the journal, None while it has none. is_replayed: all that
    leads to it is known from an earlier life of the run, so that it may have been at work there. thread_id: the thread
    it runs on, 0 until it does. started: on the monotonic clock, 0.0 until it does. tell, note: where its events go,
    and what it said to servers. loop: the while it asks the condition of, after its first turn, or the loop whose
    results it puts together. permit: what the gate of its provider gave it. steered: what a person decided of it at a
    breakpoint.
    """

    __slots__ = (
        "awaits",
        "due",
        "is_replayed",
        "loop",
        "node",
        "note",
        "number",
        "permit",
        "row",
        "started",
        "started_at",
        "steered",
        "tell",
        "thread_id",
        "walk",
    )

    def __init__(self, walk: Walk, node: Node, number: int = 1) -> None:
        self.walk = walk
        self.node = node
        self.number = number
        self.due: datetime | None = None
        self.awaits = Awaits.TIME
        self.loop: Loop | None = None
        self.row: StepState | None = None
        self.permit: Permit | None = None
        self.is_replayed = False
        self.steered: Steered | None = None
        self.thread_id = 0
        self.started: float = 0.0
        self.started_at: datetime | None = None
        self.tell: Callable[[RunEvent], None] = _silently
        self.note: Callable[[Exchange], None] = _silently

    @property
    def is_new(self) -> bool:
        """It was never begun: it has no row, or one that says that it waited for its turn."""
        return self.row is None or (self.number == 1 and self.permit is not None and self.row is StepState.WAITING)

    def again(self, due: datetime | None, *, is_retry: bool, awaits: Awaits = Awaits.TIME) -> "Attempt":
        """What goes on at `due`, or with what it awaits: the next try, or the same step's end of waiting."""
        if is_retry:
            attempt = Attempt(self.walk, self.node, self.number + 1)
        else:
            attempt = Attempt(self.walk, self.node, self.number)
            attempt.started_at, attempt.started = self.started_at, self.started
        attempt.due, attempt.awaits, attempt.row, attempt.steered = due, awaits, self.row, self.steered
        return attempt


def performs_dry(node: Node) -> bool:
    """Whether a dry run makes the action's call, too."""
    return node.effect in _HARMLESS


def _silently(*told: object) -> None:
    """Where goes what is told by an attempt that has not begun, or by one whose calls are not worth keeping."""


Ending = Outcome | Delay | Hold | flow.Iterate | flow.Repeat
GiveUp = Callable[[Attempt, Outcome | Delay], None]


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
            return conclude(node, _bug(node, bug))

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
            return conclude(attempt.node, _failure(attempt.node, result), result.metadata)
        metadata: dict[str, Json] = {**result.metadata, DRY: UNSENT}
        return Outcome(StepState.SKIPPED, attempt.node.passes, result.output, NOT_SENT, None, metadata)

    def _act(self, run: Run, attempt: Attempt, params: dict[str, Json], cancel: CancelToken, give_up: GiveUp) -> Ending:
        limit_s = attempt.node.step.timeout_s
        if limit_s is None:
            result = self._invoker.invoke(self._invocation(run, attempt, params, cancel))
            return self._judge(run, attempt, result, cancel)
        with TimeLimit(limit_s, self._grace_s, self._timers, cancel) as limit:
            timed_out = _timed_out(attempt.node, limit_s)
            limit.watch(lambda: give_up(attempt, self._failed_or_delayed(attempt, timed_out)))
            result = self._invoker.invoke(self._invocation(run, attempt, params, limit.token))
        if limit.is_over and not cancel.is_set:
            return self._failed_or_delayed(attempt, timed_out)
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
        return self._failed_or_delayed(attempt, _failure(attempt.node, result), result.metadata)

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
            keep=_silently if attempt.node.is_repeatable else partial(_keep, run.id, attempt),
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
            return self._failed_or_delayed(attempt, _uncalled(attempt.node, limit_s))
        due = None if limit_s is None else self._clock.now() + timedelta(seconds=limit_s)
        return Hold(Awaits.CALL, due, f"“{attempt.node.step.label}” waits for a call.")

    def _call(self, run: Run, attempt: Attempt, params: dict[str, Json]) -> Ending:
        """Starts the run of another plan. Its step holds no thread until that has ended; see take_result."""
        node, limit_s = attempt.node, attempt.node.step.timeout_s
        link = RunLink(run.id, node.step.id, attempt.walk.path)
        if attempt.awaits is Awaits.RUN and limit_s is not None:
            self._calls.abandon(link, attempt.number)
            return self._failed_or_delayed(attempt, _timed_out(node, limit_s))
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
            return self._failed_or_delayed(attempt, _failure_of_call(node, child), metadata)
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


def conclude(node: Node, failure: Failure, metadata: Mapping[str, Json] = NOTHING) -> Outcome:
    """A failure that is final, turned by the step's own policy into the ways it leaves by."""
    policy = node.step.on_error
    if policy is OnError.STOP:
        return Outcome(StepState.FAILED, (), None, failure.sentence, failure, metadata)
    ports = ("error",) if policy is OnError.BRANCH else node.passes
    return Outcome(StepState.FAILED, ports, {"error": failure_as_json(failure)}, failure.sentence, failure, metadata)


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


def _failure(node: Node, result: ActionResult) -> Failure:
    error = result.error
    if error is None:
        sentence = result.message or f"Step “{node.step.label}” failed and gave no reason."
        return Failure("provider.failed", sentence, step_id=node.step.id)
    return Failure(
        error.code, error.sentence, error.fix, error.facts, node.step.id, error.retryable, error.retry_after_s
    )


def _failure_of_call(node: Node, child: Run) -> Failure:
    """The child's own failure, as that of the step that called it."""
    failure = child.failure
    if failure is None:
        cancelled = CallLostError(
            f"The run of “{child.plan.name}” that “{node.step.label}” waited for was cancelled.",
            fix="Run it again, or let the step go on after a failure.",
        )
        failure = failure_of(cancelled)
    facts: dict[str, Json] = {**failure.facts, "run": child.id}
    return replace(failure, step_id=node.step.id, facts=facts)


def _timed_out(node: Node, limit_s: float) -> Failure:
    error = StepTimeoutError(
        f"Step “{node.step.label}” took longer than its time limit of {limit_s:g} s.",
        fix="Raise the step's time limit, or find out why it takes so long.",
    )
    return failure_of(error, node.step.id, retryable=True)


def _uncalled(node: Node, limit_s: float) -> Failure:
    error = StepTimeoutError(
        f"“{node.step.label}” waited {limit_s:g} s for a call, and none came.",
        fix="Call the run's resume address in time, or let the step wait longer.",
    )
    return failure_of(error, node.step.id, retryable=True)


def _bug(node: Node, bug: BaseException) -> Failure:
    """Names the kind of exception only: its text may hold what the action was given."""
    error = StepBugError(
        f"Step “{node.step.label}” broke: the code of {node.step.provider}.{node.step.action} has a fault "
        f"({type(bug).__name__}).",
        fix="The log has the details; please report them.",
    )
    return failure_of(error, node.step.id)
