"""What is done in a run and what follows from it, written down as it happens.

Progress is a value that moves, not a call stack: settling one step gives the attempts that may start next, whichever
thread asks. It knows no threads and is guarded by its run's lock. A run taken up after a crash is the same walk: a
step whose durable result is known is settled with it at once instead of being started.
"""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowstudio.engine.compile import Node, Program
from flowstudio.engine.errors import failure_as_json, failure_of_run
from flowstudio.engine.events import (
    LogWritten,
    RunEvent,
    StepCancelled,
    StepFailed,
    StepInterrupted,
    StepRetrying,
    StepSkipped,
    StepSucceeded,
    items_in,
)
from flowstudio.engine.flow import Iterate, Repeat
from flowstudio.engine.journal import Journal, Owner, Ticket, settled_ticket
from flowstudio.engine.loops import ForEach, Loop, While, started_before
from flowstudio.engine.model import QUESTION, Failure, IterationPath, Run, RunState, StepRun, StepState
from flowstudio.engine.ports import Clock
from flowstudio.engine.step import Attempt, Awaits, Delay, Hold, Outcome
from flowstudio.engine.walk import LEFT_OUT, NestedViews, Result, Walk, enclosing_loops
from flowstudio.plan.expression import Scope, StepView
from flowstudio.plan.model import Json, OnError, StepId, StepKind

Known = dict[tuple[StepId, IterationPath], StepRun]
"""Durable results of an earlier life of the run, by step and iteration; taken out as they are used."""

NOT_TAKEN = "its branch was not taken"
ITEM_ENDED = "its item ended before it"
DISABLED = "disabled"
RUN_ENDED = "the run ended before it"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ends before its last step: a stop step, a failure, a cancel."""

    state: RunState
    failure: Failure | None = None


class Progress:
    """The tree of walks of one run."""

    def __init__(
        self,
        run: Run,
        program: Program,
        known: Known,
        verdict: Verdict | None,
        journal: Journal,
        clock: Clock,
        owner: Owner,
        resume_url: str = "",
    ) -> None:
        """resume_url: where a call resumes the run; empty when none of its steps waits for one."""
        self._run = run
        self._known = known
        self._journal = journal
        self._clock = clock
        self._owner = owner
        self._sequence = max((row.sequence for row in known.values()), default=0)
        self._durable = settled_ticket()
        self._constants = _scope_constants(run, resume_url)
        self._top = Walk(program.top)
        self._started_before = started_before(known.values(), program.nodes) if known else {}
        self._open: dict[Walk, None] = {}
        self._attempts: dict[Loop, Attempt] = {}
        self.last_ticket = self._durable
        self.steps_done = 0
        self.verdict = verdict
        self.response: Json = None

    @property
    def is_done(self) -> bool:
        return self._top.frontier.is_done

    def begin(self) -> list[Attempt]:
        """The attempts that may start first. Those with `due` set are parked, not started."""
        settling = _Settling(is_replay=True)
        self._enter(self._top, settling)
        return self._run_down(settling)

    def settle(self, attempt: Attempt, outcome: Outcome) -> list[Attempt]:
        """Records a step's end; the attempts that may start now."""
        if attempt.loop is not None:  # its condition could not be asked, or the run ends
            self._attempts.pop(attempt.loop, None)
        return self._run_down(_Settling(attempt, outcome))

    def iterate(self, attempt: Attempt, ending: Iterate | Repeat) -> list[Attempt]:
        """Opens a loop, or takes in what a while's condition answered; the attempts that may start now."""
        loop = self._loop(attempt, ending)
        self._attempts[loop] = attempt
        settling = _Settling(is_replay=attempt.is_replayed)
        self._go_round(loop, settling)
        return self._run_down(settling)

    def _loop(self, attempt: Attempt, ending: Iterate | Repeat) -> Loop:
        if isinstance(ending, Iterate):
            before = self._started_before.get((attempt.node.step.id, attempt.walk.path), 0)
            return ForEach(attempt.walk, attempt.node, ending.items, ending.parallel, before)
        if attempt.loop is None:
            attempt.loop = While(attempt.walk, attempt.node, ending.start, ending.limit)
        attempt.loop.answer(ending.holds)
        return attempt.loop

    def park(self, attempt: Attempt, delay: Delay) -> None:
        """Records that a step goes on at a later time, so that the time survives a restart."""
        step_id, path = attempt.node.step.id, attempt.walk.path
        event = None
        if delay.failure is not None:
            event = StepRetrying(
                self._run.id, self._clock.now(), step_id, path, attempt.number, delay.delay_s, delay.failure
            )
        metadata: dict[str, Json] = {"due": delay.due.isoformat()}
        self._write(attempt, Outcome(StepState.WAITING, failure=delay.failure, metadata=metadata), event)

    def hold(self, attempt: Attempt, hold: Hold) -> None:
        """Records what a step awaits, so that the waiting survives a restart."""
        metadata: dict[str, Json] = {"awaits": hold.awaits.value, **hold.facts}
        if hold.due is not None:
            metadata["due"] = hold.due.isoformat()
        event = LogWritten(self._run.id, self._clock.now(), "info", hold.text, attempt.node.step.id, attempt.walk.path)
        self._write(attempt, Outcome(StepState.WAITING, metadata=metadata), event)

    def ask(self, attempt: Attempt, question: Failure) -> None:
        """Records that nobody knows whether a step took effect, and that a person is to say so."""
        event = StepInterrupted(
            self._run.id, self._clock.now(), attempt.node.step.id, attempt.walk.path, attempt.number, question
        )
        self._write(attempt, Outcome(StepState.RUNNING, failure=question, metadata={QUESTION: True}), event)

    def start_anew(self, attempt: Attempt) -> Ticket:
        """Records that a step that was waiting starts: from now on a crash finds it in flight. Wait for the ticket."""
        return self._write(attempt, Outcome(StepState.RUNNING), None)

    def mark_rest(self, interrupted: Collection[Attempt]) -> None:
        """Marks every step that has no end yet: cancelled if it was under way, else skipped."""
        under_way = {(attempt.walk, attempt.node) for attempt in (*interrupted, *self._attempts.values())}
        for walk in tuple(self._open):
            for node in walk.block.nodes:
                if node.step.id in walk.results:
                    continue
                outcome = Outcome(StepState.SKIPPED, message=RUN_ENDED)
                if (walk, node) in under_way:
                    outcome = Outcome(StepState.CANCELLED)
                self._record(Attempt(walk, node), outcome)

    def scope(self, walk: Walk) -> Scope:
        """What the steps of a walk can read; made once, its steps look their results up when asked."""
        if walk.scope is None:
            in_loop = walk.loop is not None
            walk.scope = Scope(
                steps=NestedViews(walk) if in_loop else walk.views,
                item=walk.item,
                index=walk.path[-1] if in_loop else None,
                loops=enclosing_loops(walk),
                **self._constants,
            )
        return walk.scope

    def _run_down(self, settling: "_Settling") -> list[Attempt]:
        """Settles until only attempts are left that need a thread. A list, no recursion: chains may be long."""
        while settling.settled:
            attempt, outcome, row = settling.settled.popleft()
            walk, node = attempt.walk, attempt.node
            self._record(attempt, outcome, row)
            self._heed(walk, node, outcome)
            advance = walk.frontier.settle(node.index, outcome.ports)
            for index in advance.dead:
                self._skip(walk, walk.block.nodes[index])
            for index in advance.ready:
                self._offer(Attempt(walk, walk.block.nodes[index]), settling)
            if walk.frontier.is_done:
                self._leave(walk, settling)
        return settling.ready

    def _enter(self, walk: Walk, settling: "_Settling") -> None:
        self._open[walk] = None
        for index in walk.frontier.begin():
            self._offer(Attempt(walk, walk.block.nodes[index]), settling)
        if walk.frontier.is_done:
            self._leave_unused(walk)

    def _leave(self, walk: Walk, settling: "_Settling") -> None:
        self._open.pop(walk, None)
        if walk.loop is not None:
            walk.loop.come_back(walk)
            self._go_round(walk.loop, settling)

    def _leave_unused(self, walk: Walk) -> None:
        """A block without steps is done as soon as it is entered."""
        self._open.pop(walk, None)
        if walk.loop is not None:
            walk.loop.come_back(walk)

    def _go_round(self, loop: Loop, settling: "_Settling") -> None:
        for walk in loop.start_next():
            self._enter(walk, settling)
        if loop.asks:
            attempt = self._attempts[loop]
            attempt.is_replayed = settling.is_replay
            settling.ready.append(attempt)
        elif loop.is_done:
            outcome = Outcome(StepState.SUCCEEDED, loop.node.passes, loop.output())
            settling.settled.append((self._attempts.pop(loop), outcome, None))

    def _offer(self, attempt: Attempt, settling: "_Settling") -> None:
        """A step whose inputs are there: settled at once if its result is known, else ready."""
        row = self._known.pop((attempt.node.step.id, attempt.walk.path), None) if self._known else None
        if row is not None and row.state in _LASTING:
            settling.settled.append((attempt, _outcome_of(row), row))
        elif attempt.walk.is_left and row is None and not self._had_started(attempt):
            settling.settled.append((attempt, Outcome(StepState.SKIPPED, message=ITEM_ENDED), None))
        elif attempt.node.step.disabled:
            outcome = Outcome(StepState.SKIPPED, attempt.node.passes, None, DISABLED)
            settling.settled.append((attempt, outcome, None))
        else:
            attempt.is_replayed = settling.is_replay
            settling.ready.append(_waiting_again(attempt, row) if row is not None else attempt)

    def _skip(self, walk: Walk, node: Node) -> None:
        row = self._known.pop((node.step.id, walk.path), None) if self._known else None
        reason = RUN_ENDED if self.verdict is not None else ITEM_ENDED if walk.is_left else NOT_TAKEN
        self._record(Attempt(walk, node), Outcome(StepState.SKIPPED, message=reason), row)

    def _had_started(self, attempt: Attempt) -> bool:
        """Whether it is a loop some of whose items are known to have started in an earlier life."""
        return (attempt.node.step.id, attempt.walk.path) in self._started_before

    def _heed(self, walk: Walk, node: Node, outcome: Outcome) -> None:
        """What a step's end means beyond the steps that follow it: for its item, for the run as a whole."""
        if node.kind.ends_item and outcome.state is StepState.SUCCEEDED:
            self._end_item(walk, node, outcome.output)
        if node.kind is StepKind.RESPOND and outcome.state is StepState.SUCCEEDED:
            self.response = outcome.output
        if self.verdict is not None:
            return
        if outcome.state is StepState.FAILED and (node.step.on_error is OnError.STOP or node.kind is StepKind.STOP):
            assert outcome.failure is not None
            self.verdict = Verdict(RunState.FAILED, failure_of_run(outcome.failure, node.step.label))
        elif node.kind is StepKind.STOP and outcome.state is StepState.SUCCEEDED:
            self.verdict = Verdict(RunState.SUCCEEDED)

    def _end_item(self, walk: Walk, node: Node, result: Json) -> None:
        """Nothing more starts in the item's walk, nor in walks through loops inside of it."""
        walk.leave(LEFT_OUT if result is None else result)
        for each in self._open:
            if each.is_within(walk):
                each.leave(LEFT_OUT)
        if node.kind is StepKind.BREAK and walk.loop is not None:
            walk.loop.is_over = True

    def _record(self, attempt: Attempt, outcome: Outcome, row: StepRun | None = None) -> None:
        """Keeps a result for the steps that read it, and journals it unless it came from there."""
        if row is None:
            ticket = self._write(attempt, outcome, self._event(attempt, outcome))
            sequence = self._sequence
        else:
            ticket, sequence = self._durable, row.sequence
        if outcome.state is not StepState.SKIPPED:
            self.steps_done += 1
        error = failure_as_json(outcome.failure) if outcome.failure is not None else None
        view = StepView(outcome.output, outcome.message, error)
        attempt.walk.settle(attempt.node.step.id, Result(view, outcome.state, outcome.ports, sequence, ticket))

    def _write(self, attempt: Attempt, outcome: Outcome, event: RunEvent | None) -> Ticket:
        self._sequence += 1
        attempt.row = outcome.state
        row = StepRun(
            run_id=self._run.id,
            step_id=attempt.node.step.id,
            iteration=attempt.walk.path,
            state=outcome.state,
            sequence=self._sequence,
            attempt=attempt.number,
            ports=outcome.ports,
            output=outcome.output,
            message=outcome.message,
            failure=outcome.failure,
            metadata=outcome.metadata,
            started_at=attempt.started_at,
            duration_ms=self._elapsed_ms(attempt),
        )
        self.last_ticket = self._journal.submit(row, event, self._owner)
        return self.last_ticket

    def _elapsed_ms(self, attempt: Attempt) -> float:
        if attempt.started:
            return round((self._clock.monotonic() - attempt.started) * 1000, 3)
        if attempt.started_at is not None:  # in an earlier life: only the wall clock remembers
            return round((self._clock.now() - attempt.started_at).total_seconds() * 1000, 3)
        return 0.0

    def _event(self, attempt: Attempt, outcome: Outcome) -> RunEvent:
        run_id, now, step_id, path = self._run.id, self._clock.now(), attempt.node.step.id, attempt.walk.path
        if outcome.state is StepState.SUCCEEDED:
            items, elapsed_ms = items_in(attempt.node.kind, outcome.output), self._elapsed_ms(attempt)
            return StepSucceeded(
                run_id, now, step_id, path, attempt.number, items, elapsed_ms, outcome.ports, outcome.message
            )
        if outcome.state is StepState.SKIPPED:
            return StepSkipped(run_id, now, step_id, path, outcome.message)
        if outcome.state is StepState.CANCELLED:
            return StepCancelled(run_id, now, step_id, path)
        assert outcome.failure is not None
        elapsed_ms = self._elapsed_ms(attempt)
        return StepFailed(run_id, now, step_id, path, attempt.number, outcome.failure, elapsed_ms, outcome.ports)


_LASTING = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.SKIPPED})
"""States of rows that are results; a row that is running, waiting or cancelled leaves its step to be done."""


class _Settling:
    """What is still to be settled, and the attempts found ready on the way. is_replay: nothing new leads to them."""

    __slots__ = ("is_replay", "ready", "settled")

    def __init__(
        self, attempt: Attempt | None = None, outcome: Outcome | None = None, *, is_replay: bool = False
    ) -> None:
        self.is_replay = is_replay
        self.ready: list[Attempt] = []
        self.settled: deque[tuple[Attempt, Outcome, StepRun | None]] = deque()
        if attempt is not None and outcome is not None:
            self.settled.append((attempt, outcome, None))


def _waiting_again(attempt: Attempt, row: StepRun) -> Attempt:
    """The attempt as the journal left it: parked again if it was waiting, else simply to be made."""
    attempt.row, attempt.number = row.state, row.attempt
    if row.state is not StepState.WAITING:
        return attempt
    attempt.started_at = row.started_at
    due = row.metadata.get("due")
    awaits = Awaits(str(row.metadata.get("awaits", Awaits.TIME)))
    return attempt.again(
        datetime.fromisoformat(str(due)) if due else None, is_retry=row.failure is not None, awaits=awaits
    )


def _outcome_of(row: StepRun) -> Outcome:
    return Outcome(row.state, row.ports, row.output, row.message, row.failure, row.metadata)


def _scope_constants(run: Run, resume_url: str) -> Mapping[str, Any]:
    started_at = run.started_at or run.created_at
    about = {"id": run.id, "plan": run.plan.name, "started_at": started_at.isoformat()}
    if resume_url:
        about["resume_url"] = resume_url
    return {"trigger": run.trigger.data, "vars": run.plan.variables, "run": about}
