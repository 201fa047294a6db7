"""What is done in a run and what follows from it, written down as it happens.

Progress is a value that moves, not a call stack: settling one step gives the attempts that may start next, whichever
thread asks. It knows no threads and is guarded by its run's lock. A run taken up after a crash is the same walk: a
step whose durable result is known is settled with it at once instead of being started.
"""

import sys
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flowstudio.engine.attempt import Attempt, Awaits, Delay, Hold, Outcome
from flowstudio.engine.compile import Node, Program
from flowstudio.engine.errors import failure_as_json
from flowstudio.engine.events import (
    LogWritten,
    RunEvent,
    StepCancelled,
    StepFailed,
    StepHeld,
    StepInterrupted,
    StepPaused,
    StepRetrying,
    StepSkipped,
    StepSucceeded,
    items_in,
)
from flowstudio.engine.flow import Iterate, Repeat
from flowstudio.engine.gates import Permit
from flowstudio.engine.loops import ForEach, Loop, While, started_before
from flowstudio.engine.model import QUESTION, Failure, IterationPath, Run, RunState, StepRun, StepState
from flowstudio.engine.reply import Reply
from flowstudio.engine.steering import steering_of
from flowstudio.engine.stops import HELD, INPUT, LET_GO, REASON, steered_of
from flowstudio.engine.tickets import Owner, Ticket, settled_ticket
from flowstudio.engine.walk import LEFT_OUT, NestedViews, Result, Walk, enclosing_loops
from flowstudio.plan.evaluation.deferred import Holding, holds_deferred
from flowstudio.plan.expression import Scope, StepView
from flowstudio.plan.model import Json, OnError, StepId, StepKind

if TYPE_CHECKING:
    from flowstudio.engine.works import Works

Known = dict[tuple[StepId, IterationPath], StepRun]
"""Durable results of an earlier life of the run, by step and iteration; taken out as they are used."""

NOT_TAKEN = "its branch was not taken"
ITEM_ENDED = "its item ended before it"
DISABLED = "disabled"
RUN_ENDED = "the run ended before it"

MOST_KEPT = 100
"""Rows a run holds for its caller."""

MOST_TURNS = 500
"""Items a loop starts in one go, 10 to 30 ms when none of their steps needs a thread. Then it rests, or a loop of a
million such items would keep the run's lock from all who steer it."""


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
        works: "Works",
        owner: Owner,
    ) -> None:
        self._run = run
        self._known = known
        self._journal = works.journal
        self._clock = works.clock
        self._owner = owner
        self._sequence = max((row.sequence for row in known.values()), default=0)
        self._durable = settled_ticket()
        pins = works.performer.pins(run)
        resume_url = works.resume_url(run.resume_key) if run.resume_key else ""
        self._holding = Holding(bool(known or pins) or holds_deferred(run.trigger.data))
        self._constants = {**_scope_constants(run, resume_url), "holding": self._holding}
        self._top = Walk(program.top)
        self._steering = steering_of(run, pins)
        self._tells_known = run.state is RunState.QUEUED  # results it begins with were never told as its own
        self._started_before = started_before(known.values(), program.nodes) if known else {}
        self._open: dict[Walk, None] = {}
        self._attempts: dict[Loop, Attempt] = {}
        self.last_ticket = self._durable
        self.kept: list[StepRun] | None = None
        """The rows written, for a caller that waits for them; None when nobody does or they are too many."""
        self.steps_done = 0
        self.verdict = verdict
        self._verdict_at = 0 if verdict is not None else sys.maxsize
        self.reply = Reply(works.clock) if program.responds else None
        self._repeat_reply(program)

    @property
    def is_done(self) -> bool:
        return self._top.frontier.is_done

    def begin(self) -> list[Attempt]:
        """The attempts that may start first. Those with `due` set are parked, not started."""
        settling = _Settling(is_replay=True)
        self._enter(self._top, settling)
        return self._run_down(settling)

    def _repeat_reply(self, program: Program) -> None:
        """Gives the answer of an earlier life again: the walk may meet the steps that responded in another order."""
        responded = [
            row
            for row in (self._known.values() if self.reply is not None else ())
            if row.state is StepState.SUCCEEDED and program.nodes[row.step_id].kind is StepKind.RESPOND
        ]
        if responded and self.reply is not None:
            self.reply.give(min(responded, key=lambda row: row.sequence).output, self._durable)

    def settle(self, attempt: Attempt, outcome: Outcome) -> list[Attempt]:
        """Records a step's end; the attempts that may start now."""
        if attempt.loop is not None:  # its condition could not be asked, or the run ends
            self._attempts.pop(attempt.loop, None)
        return self._run_down(_Settling(attempt, outcome))

    def iterate(self, attempt: Attempt, ending: Iterate | Repeat) -> list[Attempt]:
        """Opens a loop, or takes in what a while's condition answered; the attempts that may start now."""
        loop = self._loop(attempt, ending)
        self._attempts[loop] = attempt
        loop.is_resting = False
        settling = _Settling(is_replay=attempt.is_replayed)
        self._go_round(loop, settling)
        return self._run_down(settling)

    def _loop(self, attempt: Attempt, ending: Iterate | Repeat) -> Loop:
        before = self._started_before.get((attempt.node.step.id, attempt.walk.path), 0)
        if isinstance(ending, Iterate):
            return attempt.loop or ForEach(attempt.walk, attempt.node, ending.items, ending.parallel, before)
        if attempt.loop is None:
            attempt.loop = While(attempt.walk, attempt.node, ending.start, ending.limit, before)
        assert isinstance(attempt.loop, While)
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
        metadata: dict[str, Json] = {"awaits": hold.awaits.value, "waits_for": hold.reason, **hold.facts}
        if hold.due is not None:
            metadata["due"] = hold.due.isoformat()
        self._write_held(attempt, metadata, hold.reason, hold.due)

    def stop_before(self, attempt: Attempt, shown: Json, reason: str) -> None:
        """Records that the run pauses before a step, with the input it would start with."""
        event = StepPaused(
            self._run.id, self._clock.now(), attempt.node.step.id, attempt.walk.path, attempt.number, reason, shown
        )
        self._write(attempt, Outcome(StepState.WAITING, metadata={HELD: True, REASON: reason, INPUT: shown}), event)

    def let_go(self, attempt: Attempt) -> None:
        """Records that a step the run stood before may start, maybe with params a person replaced."""
        self._write(attempt, Outcome(StepState.WAITING, metadata={LET_GO: True}), None)

    def queue_up(self, attempt: Attempt, permit: Permit) -> None:
        """Records that a step waits until its provider takes another call: to a crash, it has not started."""
        in_s = permit.expected_s
        until = None if in_s is None else self._clock.now() + timedelta(seconds=in_s)
        metadata: dict[str, Json] = {"awaits": Awaits.TURN.value, "waits_for": permit.reason}
        if until is not None:
            metadata["until"] = until.isoformat()
        self._write_held(attempt, metadata, permit.reason, until)

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
        self._mark_unmet()

    def _mark_unmet(self) -> None:
        """Steps of an earlier life that this one did not come to: what they waited for, they wait for no more."""
        for row in self._known.values():
            if row.state in (StepState.RUNNING, StepState.WAITING):
                self._sequence += 1
                ended = replace(row, state=StepState.CANCELLED, sequence=self._sequence, failure=None, metadata={})
                event = StepCancelled(self._run.id, self._clock.now(), row.step_id, row.iteration)
                self.last_ticket = self._journal.submit(ended, event, self._owner)

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
        if self._steering is not None and self._steering.is_lost(loop.walk, loop.node):
            loop.is_over = True  # a dry run cannot ask a condition about a turn whose result it does not have
        if self.verdict is not None:
            loop.is_over = True
        if loop.is_resting:
            return
        for walk in loop.start_next():
            self._enter(walk, settling)
            settling.turns += 1
            if settling.turns >= MOST_TURNS:
                loop.is_resting = not loop.is_done
                break
        if self.verdict is not None and not (loop.is_resting or loop.asks):
            return  # cut off by the run's end, it gives no result: it would hide from the next life what ended the run
        if loop.is_resting or loop.asks or (loop.is_done and not loop.is_slight):
            attempt = self._attempts[loop]
            attempt.loop, attempt.is_replayed = loop, settling.is_replay
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
        elif self._steering is not None and (instead := self._steering.instead_of(attempt.walk, attempt.node)):
            settling.settled.append((attempt, instead, None))
        else:
            attempt.is_replayed = settling.is_replay
            settling.ready.append(_waiting_again(attempt, row) if row is not None else attempt)

    def _skip(self, walk: Walk, node: Node) -> None:
        row = self._known.pop((node.step.id, walk.path), None) if self._known else None
        reason = RUN_ENDED if self.verdict is not None else ITEM_ENDED if walk.is_left else NOT_TAKEN
        if self._steering is not None:
            reason = self._steering.why_dead(walk, node) or reason
        self._record(Attempt(walk, node), Outcome(StepState.SKIPPED, message=reason), row)

    def _had_started(self, attempt: Attempt) -> bool:
        """Whether it is a loop some of whose items are known to have started in an earlier life."""
        return (attempt.node.step.id, attempt.walk.path) in self._started_before

    def _heed(self, walk: Walk, node: Node, outcome: Outcome) -> None:
        """What a step's end means beyond the steps that follow it: for its item, for the run as a whole."""
        if node.kind.ends_item and outcome.state is StepState.SUCCEEDED:
            self._end_item(walk, node, outcome.output)
        if node.kind is StepKind.RESPOND and outcome.state is StepState.SUCCEEDED:
            assert self.reply is not None
            self.reply.give(outcome.output, self.last_ticket)
        verdict = _verdict_of(node, outcome)
        if verdict is not None and (sequence := walk.results[node.step.id].sequence) < self._verdict_at:
            # By sequence: a run taken up again meets results in another order than that in which they came about.
            self.verdict, self._verdict_at = verdict, sequence

    def _end_item(self, walk: Walk, node: Node, result: Json) -> None:
        """Nothing more starts in the item's walk, nor in walks through loops inside of it."""
        sequence = walk.results[node.step.id].sequence
        walk.leave(LEFT_OUT if result is None else result, sequence)
        for each in self._open:
            if each.is_within(walk):
                each.leave(LEFT_OUT, sequence)
        if node.kind is StepKind.BREAK and walk.loop is not None:
            walk.loop.is_over = True

    def _record(self, attempt: Attempt, outcome: Outcome, row: StepRun | None = None) -> None:
        """Keeps a result for the steps that read it, and journals it unless it came from there."""
        if row is None:
            ticket = self._write(attempt, outcome, self._event(attempt, outcome))
            sequence = self._sequence
        else:
            ticket, sequence = self._durable, row.sequence
            if self._tells_known and (event := self._event(attempt, outcome)) is not None:
                self._journal.tell(event)
        if self._steering is not None:
            self._steering.note(attempt.walk, attempt.node, outcome)
        if outcome.state is not StepState.SKIPPED:
            self.steps_done += 1
        if attempt.node.kind in _FROM_OUTSIDE and holds_deferred(outcome.output):
            self._holding.is_any = True
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
            metadata=_metadata(attempt, outcome),
            started_at=attempt.started_at,
            duration_ms=self._elapsed_ms(attempt),
        )
        self.last_ticket = self._journal.submit(row, event, self._owner)
        if self.kept is not None:
            self._keep(row)
        if not attempt.node.is_repeatable:
            self._journal.hurry()  # what left the process is on disk as soon as can be, or a crash would ask about it
        return self.last_ticket

    def _keep(self, row: StepRun) -> None:
        assert self.kept is not None
        if row.state in _LASTING and len(self.kept) < MOST_KEPT:
            self.kept.append(row)
        else:
            self.kept = None

    def _write_held(self, attempt: Attempt, metadata: Mapping[str, Json], reason: str, until: datetime | None) -> None:
        """The row of an attempt that waits; faces show the event, the log keeps the line."""
        run_id, now, step_id, path = self._run.id, self._clock.now(), attempt.node.step.id, attempt.walk.path
        held = StepHeld(run_id, now, step_id, path, attempt.number, reason, until)
        self._write(attempt, Outcome(StepState.WAITING, metadata=metadata), held)
        self._journal.tell(LogWritten(run_id, now, "info", reason, step_id, path))

    def _elapsed_ms(self, attempt: Attempt) -> float:
        if attempt.started:
            return round((self._clock.monotonic() - attempt.started) * 1000, 3)
        if attempt.started_at is not None:  # in an earlier life: only the wall clock remembers
            return round((self._clock.now() - attempt.started_at).total_seconds() * 1000, 3)
        return 0.0

    def _event(self, attempt: Attempt, outcome: Outcome) -> RunEvent | None:
        """None for one that nobody would hear: most are of steps that go well."""
        if outcome.state is StepState.SUCCEEDED and not self._journal.is_heard(StepSucceeded):
            return None
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


_FROM_OUTSIDE = frozenset({StepKind.SUBPLAN, StepKind.WAIT})
"""What gives results of other runs and calls, large parts of which lie in files before they come to this run."""

_LASTING = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.SKIPPED})
"""States of rows that are results; a row that is running, waiting or cancelled leaves its step to be done."""


class _Settling:
    """What is still to be settled, and the attempts found ready on the way. is_replay: nothing new leads to them."""

    __slots__ = ("is_replay", "ready", "settled", "turns")

    def __init__(
        self, attempt: Attempt | None = None, outcome: Outcome | None = None, *, is_replay: bool = False
    ) -> None:
        self.is_replay = is_replay
        self.ready: list[Attempt] = []
        self.turns = 0
        self.settled: deque[tuple[Attempt, Outcome, StepRun | None]] = deque()
        if attempt is not None and outcome is not None:
            self.settled.append((attempt, outcome, None))


def _waiting_again(attempt: Attempt, row: StepRun) -> Attempt:
    """The attempt as the journal left it: parked again if it was waiting, else simply to be made."""
    attempt.row, attempt.number, attempt.steered = row.state, row.attempt, steered_of(row.metadata)
    if row.state is not StepState.WAITING:
        return attempt
    attempt.started_at = row.started_at
    due = row.metadata.get("due")
    awaits = Awaits(str(row.metadata.get("awaits", Awaits.TIME)))
    return attempt.again(
        datetime.fromisoformat(str(due)) if due else None, is_retry=row.failure is not None, awaits=awaits
    )


def _told_of_wait(attempt: Attempt, metadata: Mapping[str, Json]) -> Mapping[str, Json]:
    """A row's metadata, with how long its attempt waited for its turn, and for what."""
    permit = attempt.permit
    if permit is None or not permit.waited_s:
        return metadata
    return {**metadata, "waited_ms": round(permit.waited_s * 1000, 3), "waited_for": permit.reason}


def _metadata(attempt: Attempt, outcome: Outcome) -> Mapping[str, Json]:
    """What a row tells beside the result: what a person decided of its step, for what and how long it waited."""
    metadata, permit = outcome.metadata, attempt.permit
    if attempt.steered is not None:
        metadata = {**metadata, **attempt.steered.marks(outcome.state)}
    if permit is not None and permit.waited_s:
        metadata = {**metadata, "waited_ms": round(permit.waited_s * 1000, 3), "waited_for": permit.reason}
    return metadata


def _verdict_of(node: Node, outcome: Outcome) -> Verdict | None:
    """How the run ends if a step's end is what ends it."""
    is_stop = node.kind is StepKind.STOP
    if outcome.state is StepState.FAILED and (is_stop or node.step.on_error is OnError.STOP):
        assert outcome.failure is not None
        return Verdict(RunState.FAILED, _failure_of_run(outcome.failure, node))
    return Verdict(RunState.SUCCEEDED) if is_stop and outcome.state is StepState.SUCCEEDED else None


def _outcome_of(row: StepRun) -> Outcome:
    return Outcome(row.state, row.ports, row.output, row.message, row.failure, row.metadata)


def _scope_constants(run: Run, resume_url: str) -> Mapping[str, Any]:
    started_at = run.started_at or run.created_at
    about = {"id": run.id, "plan": run.plan.name, "started_at": started_at.isoformat()}
    if resume_url:
        about["resume_url"] = resume_url
    return {"trigger": run.trigger.data, "vars": run.plan.variables, "run": about}


def _failure_of_run(failure: Failure, node: Node) -> Failure:
    """A step's failure as the run's: who reads it there has to be told which step it was. A stop says its own words."""
    label = f"“{node.step.label}”"
    if node.kind is StepKind.STOP or label in failure.sentence:
        return failure
    return replace(failure, sentence=f"Step {label}: {failure.sentence}")
