"""Taking up runs that were unfinished when the process ended.

A run is walked again from its beginning; every step with a durable result is settled with it instead of started, so
the walk arrives at the steps without one. What such a step's row says is all that is known of it:

- waiting: it had not started. A step that goes on after a wait says "running" before it does, durably.
- running: it was in flight.
- no row, and all that leads to it is durable: it may have been in flight if its run was at work; in any other state of
  a run nothing was. Before a write starts, all its run did until then is durable, so what is reached only through
  steps that are done again was not in flight.

What may have been in flight and may not simply be repeated is in doubt: the plan's settings decide, or a person does.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from flowstudio.engine.attempt import Attempt, Outcome
from flowstudio.engine.compile import Compiler, Node, Program
from flowstudio.engine.errors import InFlightError, failure_of
from flowstudio.engine.model import QUESTION, Answer, Failure, IterationPath, Run, RunState, StepRun, StepState
from flowstudio.engine.ports import RunStore
from flowstudio.engine.progress import Known, Progress, Verdict
from flowstudio.engine.step_failures import conclude
from flowstudio.engine.stops import Steered, steered_of
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import AfterCrash, Json, Plan, StepKind

log = logging.getLogger(__name__)

ANSWER = "answer"
"""Key in the metadata of the row that an answer made."""


def runs_to_take_up(store: RunStore) -> list[Run]:
    """Oldest first. Interrupted runs wait for a person's answer; one whose last answer a crash overtook goes on."""
    return [
        run
        for run in store.unfinished()
        if run.state is not RunState.INTERRUPTED or not questions(store.step_runs(run.id))
    ]


def known_results(rows: Sequence[StepRun]) -> Known:
    return {(row.step_id, row.iteration): row for row in rows}


def verdict_of(plan: Plan, rows: Sequence[StepRun]) -> Verdict | None:
    """How the run was already ending: a cancelled step is only ever written then.

    A failed step or a stop step that ends the run needs no help here: the walk meets its result and heeds it.
    """
    stops = {step.id for step in plan.steps if step.kind is StepKind.STOP}
    was_ending = any(
        (row.state is StepState.FAILED and not row.ports) or (row.state is StepState.SUCCEEDED and row.step_id in stops)
        for row in rows
    )
    if not was_ending and any(row.state is StepState.CANCELLED for row in rows):
        return Verdict(RunState.CANCELLED)
    return None


def compile_again(run: Run, compiler: Compiler) -> Program | Failure:
    """The run's program, or why the plan it was started with cannot run any more."""
    try:
        return compiler.compile(run.plan, run.user_id)
    except FlowStudioError as error:
        log.warning("Run %s cannot be taken up again: %s", run.id, error)
        return failure_of(error)


def unfold(ready: Sequence[Attempt], open_loop: Callable[[Attempt], list[Attempt]]) -> list[Attempt]:
    """What is ready once the loops that were open at the crash are open again.

    Only then all steps are known that may have been in flight, and all questions are asked at once.
    """
    found: list[Attempt] = []
    queue = deque(ready)
    while queue:
        attempt = queue.popleft()
        is_held = attempt.steered is not None and not attempt.steered.is_let_go
        if attempt.is_replayed and attempt.node.kind.holds_steps and not is_held:
            queue.extend(open_loop(attempt))
        else:
            found.append(attempt)
    return found


def resolve(
    run: Run, progress: Progress, ready: Sequence[Attempt], *, was_at_work: bool
) -> tuple[list[Attempt], Failure | None]:
    """What is left to start after what was in flight is decided by the plan's settings, or what a person is asked."""
    if progress.verdict is not None or run.options.is_dry:
        return list(ready), None
    doubtful = [attempt for attempt in ready if is_in_doubt(attempt, was_at_work=was_at_work)]
    policy = run.plan.settings.after_crash
    if not doubtful or policy is AfterCrash.RETRY:
        return list(ready), None
    if policy is AfterCrash.FAIL:
        certain = [attempt for attempt in ready if attempt not in doubtful]
        for attempt in doubtful:
            certain += progress.settle(attempt, _failed(attempt))
        return certain, None
    questions = [doubt(attempt.node, attempt.walk.path) for attempt in doubtful]
    for attempt, question in zip(doubtful, questions, strict=True):
        progress.ask(attempt, question)
    return [], questions[0]


def is_in_doubt(attempt: Attempt, *, was_at_work: bool) -> bool:
    """Whether nobody knows if the step took effect, and doing it again could do it twice."""
    if attempt.node.may_repeat:
        return False
    return attempt.row is StepState.RUNNING or (was_at_work and attempt.row is None and attempt.is_replayed)


def doubt(node: Node, path: IterationPath) -> Failure:
    """The question a step in doubt asks: which step of which provider, and what can be done."""
    step, item = node.step, f", item {'.'.join(str(index + 1) for index in path)}," if path else ""
    error = InFlightError(
        f"“{step.label}”{item} was under way when FlowStudio stopped, and {step.provider} takes no key that would make "
        "it safe to send again: it may have happened or not.",
        fix=f"Look at {step.provider}, then answer: retry to do it again, done if it happened, fail if it shall not.",
        facts={"provider": step.provider, "action": step.action, "iteration": ".".join(map(str, path))},
    )
    return failure_of(error, step.id)


def questions(rows: Iterable[StepRun]) -> list[StepRun]:
    """The rows whose steps wait for an answer."""
    return [row for row in rows if row.state is StepState.RUNNING and QUESTION in row.metadata]


def outcome_after(answer: Answer, node: Node, asked: StepRun, output: Json) -> Outcome:
    """What an answer makes of the step."""
    steered = steered_of(asked.metadata) or Steered()
    state = StepState.WAITING if answer is Answer.RETRY else StepState.SUCCEEDED
    told: dict[str, Json] = {ANSWER: answer.value, **steered.marks(state)}
    if answer is Answer.RETRY:
        return Outcome(StepState.WAITING, metadata=told)
    if answer is Answer.DONE:
        return Outcome(StepState.SUCCEEDED, node.passes, output, "A person said it was done.", metadata=told)
    return conclude(node, failed_in_flight(node, asked.iteration), told)


def _failed(attempt: Attempt) -> Outcome:
    """What the policy "fail" makes of a step in doubt."""
    return conclude(attempt.node, failed_in_flight(attempt.node, attempt.walk.path))


def failed_in_flight(node: Node, path: IterationPath) -> Failure:
    """Why a step failed that was in flight and is to count as failed."""
    asked = doubt(node, path)
    sentence = f"“{node.step.label}” was under way when FlowStudio stopped and counts as failed."
    return replace(asked, sentence=sentence, fix=f"Look at {node.step.provider}: it may have happened all the same.")


class Unowned:
    """Owner of the entries of a run that is not taken up."""

    def refused(self, error: FlowStudioError) -> None:
        log.error("An entry of a run that is not under way could not be stored: %s", error)
