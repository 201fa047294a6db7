"""One try of one step, and the ways it can end. Values that pass between the runner, who decides, and who performs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from flowstudio.engine import flow
from flowstudio.engine.compile import Node
from flowstudio.engine.events import RunEvent
from flowstudio.engine.gates import Permit
from flowstudio.engine.loops import Loop
from flowstudio.engine.model import Failure, StepState
from flowstudio.engine.ports import Exchange
from flowstudio.engine.stops import Steered
from flowstudio.engine.walk import Walk
from flowstudio.plan.model import Json


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


def silently(*told: object) -> None:
    """Where goes what is told by an attempt that has not begun, or by one whose calls are not worth keeping."""


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
        self.tell: Callable[[RunEvent], None] = silently
        self.note: Callable[[Exchange], None] = silently

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


Ending: TypeAlias = Outcome | Delay | Hold | flow.Iterate | flow.Repeat
GiveUp: TypeAlias = Callable[[Attempt, Outcome | Delay], None]
