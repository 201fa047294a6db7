"""Run, StepRun, their states and the one table of legal moves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from flowstudio.plan.model import Json, Plan, StepId, TriggerKind

IterationPath: TypeAlias = tuple[int, ...]
"""Where in nested loops a step ran: () at the top level, (3,) in the fourth item, (3, 0) one loop deeper. From 0."""


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        return self in FINAL_STATES


FINAL_STATES = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})

LEGAL_MOVES: Mapping[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED, RunState.INTERRUPTED}),
    RunState.RUNNING: frozenset(
        {
            RunState.WAITING,
            RunState.PAUSED,
            RunState.SUCCEEDED,
            RunState.FAILED,
            RunState.CANCELLED,
            RunState.INTERRUPTED,
        }
    ),
    RunState.WAITING: frozenset(
        {RunState.RUNNING, RunState.PAUSED, RunState.CANCELLED, RunState.FAILED, RunState.INTERRUPTED}
    ),
    RunState.PAUSED: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED, RunState.INTERRUPTED}),
    RunState.INTERRUPTED: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED}),
    RunState.SUCCEEDED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}


class StepState(StrEnum):
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


QUESTION = "question"
"""Key in the metadata of a running row whose step was in flight at a crash and waits for a person's answer."""


REUSED_FROM = "reused_from"
"""Key in the metadata of a row taken over from another run: the id of the run that worked it out."""


class Answer(StrEnum):
    """What becomes of such a step. retry: it is done again; done: it had happened; fail: it counts as failed."""

    RETRY = "retry"
    DONE = "done"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step or a run failed, fit for storage and for a person: code, sentence, fix, JSON-ready facts."""

    code: str
    sentence: str
    fix: str = ""
    facts: Mapping[str, Json] = field(default_factory=dict)
    step_id: StepId | None = None
    retryable: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """What started a run, and the data it brought: read as `{{ trigger }}` in expressions."""

    kind: TriggerKind = TriggerKind.MANUAL
    data: Json = None
    trigger_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run differs from the plain execution of its plan. What is left out changes nothing.

    is_dry: performs pure and reading steps and shows what it would have sent for all others.
    uses_pins: the plan's pinned outputs stand in for their steps.
    breakpoints: step id -> condition, "" for always; the run pauses before such a step starts.
    only: the steps this run may perform; None for all. Steps that are neither in it nor seeded are left out.
    based_on: id of the run whose input or results this one reuses.
    """

    is_dry: bool = False
    uses_pins: bool = False
    breakpoints: Mapping[StepId, str] = field(default_factory=dict)
    only: frozenset[StepId] | None = None
    based_on: str | None = None


PLAIN = RunOptions()


@dataclass(frozen=True, slots=True)
class RunLink:
    """The step that called a run's plan: a sub-plan step of another run, in that iteration."""

    run_id: str
    step_id: StepId
    iteration: IterationPath = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of one revision of a plan. Times are aware UTC datetimes.

    plan: the exact plan this run executes, copied when it was submitted.
    response: what the run answers: a respond step's answer as {"status", "headers", "body"}, else None.
    parent, depth: the step that called this run's plan, and how many such calls it is away from a trigger.
    resume_key: whoever knows it may resume the run's wait for a call: it is a secret of the run's.
    """

    id: str
    user_id: str
    plan: Plan
    state: RunState
    trigger: TriggerEvent
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failure: Failure | None = None
    response: Json = None
    options: RunOptions = PLAIN
    parent: RunLink | None = None
    depth: int = 0
    resume_key: str = ""


@dataclass(frozen=True, slots=True)
class StepRun:
    """The durable result of one attempt-final execution of one step in one iteration.

    ports: the ports its result left by; edges from other ports are dead. Skipped steps have none.
    sequence: order in which results became known within the run, from 1.
    metadata: facts about how it came about, never needed to read `output`: {"reused_from": run id} for a result taken
    over from another run, {"pinned": true}, {"due": ISO time} of one that waits, {"question": true} of one that was in
    flight at a crash, {"answer": ...} of one a person answered for, what an action tells of its request.
    """

    run_id: str
    step_id: StepId
    iteration: IterationPath
    state: StepState
    sequence: int
    attempt: int = 1
    ports: tuple[str, ...] = ()
    output: Json = None
    message: str = ""
    failure: Failure | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    started_at: datetime | None = None
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Performed:
    """What became of a run its caller waited for.

    run: None while it has neither answered nor ended. steps: all its results, when it has ended and they are few enough
    to be at hand; None when they have to be read from the store.
    """

    run: Run | None
    steps: tuple[StepRun, ...] | None = None
