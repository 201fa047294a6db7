"""What the journal is given: entries, new runs and tellings, each with its ticket, the way to the disk."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from flowstudio.engine.errors import StalledError
from flowstudio.engine.events import RunEvent
from flowstudio.engine.model import Run, StepRun
from flowstudio.engine.ports import Exchange, RunChange
from flowstudio.errors import FlowStudioError


class Owner(Protocol):
    """The run an entry belongs to, told when the store will not take it. Called on the writer's thread."""

    def refused(self, error: FlowStudioError) -> None: ...


class Ticket:
    """An entry's way to the disk. While the journal stalls nobody waits: `error` says why, and `is_done` is False."""

    __slots__ = ("_gate", "_is_open", "_want", "error", "is_done")

    def __init__(self, want: Callable[[], None]) -> None:
        """want: tells the journal that somebody waits."""
        self._want = want
        self.is_done = False
        self.error: FlowStudioError | None = None
        self._is_open = False
        self._gate = threading.Lock()  # held until done: a bare lock costs a tenth of an Event
        self._gate.acquire()

    def wait(self) -> None:
        """Returns when the entry is durable; raises why it will never be, or StalledError when it will be later."""
        if not self.is_done:
            self._want()
            with self._gate:
                pass
        if self.error is not None:
            raise self.error

    def wait_for(self, timeout_s: float) -> bool:
        """Whether the entry is durable by then; raises like `wait`."""
        if not self.is_done:
            self._want()
            if self._gate.acquire(timeout=timeout_s):
                self._gate.release()
        if self.error is not None:
            raise self.error
        return self.is_done

    def settle(self, error: FlowStudioError | None = None) -> None:
        self.error = error
        self.is_done = True
        if not self._is_open:
            self._gate.release()

    def stall(self, error: StalledError) -> None:
        """Lets those who wait go: it will take long."""
        self.error = error
        if not self._is_open:
            self._is_open = True
            self._gate.release()


def settled_ticket() -> Ticket:
    """For what is durable already."""
    ticket = Ticket(_nobody)
    ticket.settle()
    return ticket


def _nobody() -> None:
    """Who is to be told that a settled ticket is waited for."""


class Entry:
    __slots__ = ("event", "item", "owner", "ticket")

    def __init__(self, item: StepRun | RunChange, event: RunEvent | None, owner: Owner, ticket: Ticket) -> None:
        self.item = item
        self.event = event
        self.owner = owner
        self.ticket = ticket

    @property
    def run_id(self) -> str:
        return self.item.run_id


class Creation:
    __slots__ = ("is_new", "owner", "run", "seeds", "ticket")

    def __init__(self, run: Run, seeds: Sequence[StepRun], ticket: Ticket, owner: Owner | None = None) -> None:
        """owner: is told if the run is turned down, for it has begun already; None when its submitter waits."""
        self.owner = owner
        self.run = run
        self.seeds = seeds
        self.is_new = False
        self.ticket = ticket

    @property
    def run_id(self) -> str:
        return self.run.id


class Telling:
    """What a run has no entry of its own for, in its place between those that have: an event, or what is only kept."""

    __slots__ = ("event", "item")

    def __init__(self, event: RunEvent | None, item: Exchange | None = None) -> None:
        self.event = event
        self.item = item


Queued: TypeAlias = Entry | Creation | Telling
