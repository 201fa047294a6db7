"""The writer thread: what runs did becomes durable, many results in one transaction.

While one transaction is on its way to the disk the next results queue up, and the writer takes all of them at once, so
batches grow by themselves with the load; what nobody waits for lingers a moment (inbox.py). Entries become durable in
the order of submission, hence who waits for one entry has waited for all before it.

A value the store refuses is found row by row, so that it harms its own run only. From a run whose entry was refused
nothing more is written until its owner readmits it: a journal has an end, never a hole.

When the world is in the way (a full disk, a lock, a file that became read-only) nothing is refused: the journal stalls.
It keeps what it has, takes no new runs, tells the engine, which starts no more steps, and tries again until it can.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import monotonic

from flowstudio.engine.chronicle import line_of
from flowstudio.engine.errors import EngineClosedError, ResultLostError, StalledError
from flowstudio.engine.events import RunEvent
from flowstudio.engine.inbox import Inbox
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import Run, StepRun
from flowstudio.engine.ports import Exchange, Note, RunChange, RunStore
from flowstudio.engine.tickets import Creation, Entry, Owner, Queued, Telling, Ticket
from flowstudio.errors import FlowStudioError

log = logging.getLogger(__name__)

LOCKED = "storage.locked"
"""Code of the storage error that mostly passes within seconds: it gets some patience before the journal stalls."""
PASSING = frozenset({LOCKED, "storage.disk_full", "storage.read_only", "storage.failed", "storage.unreachable"})
"""Codes of the world's faults, which somebody can put right while the program runs."""
STALLED_RETRY_S = 0.5
TOO_LATE = EngineClosedError("FlowStudio was closed before this could be stored.")
_FAULT_OF_VALUE = frozenset({"storage.unstorable", ResultLostError.code})
FIRST_RETRY_S = 0.02
LONGEST_RETRY_S = 1.0


class Journal:
    """Takes entries from any thread; one thread writes them and then publishes their events, in the same order."""

    def __init__(
        self,
        store: RunStore,
        publish: Callable[[RunEvent], None],
        limits: EngineLimits,
        on_stall: Callable[[StalledError | None], None] = lambda stall: None,
        is_heard: Callable[[type[RunEvent]], bool] = lambda kind: True,
    ) -> None:
        """on_stall is called on the writer's thread: with the reason when it stalls, with None when it flows again.

        is_heard: whether anybody listens to events of a type now; others need not be made.
        """
        self.is_heard = is_heard
        self._store = store
        self._on_stall = on_stall
        self._backlog: deque[Queued] = deque()
        self._is_blocked = False
        self._is_gone = False
        self._flows = threading.Event()
        self._flows.set()
        self.stall: StalledError | None = None
        self._publish = publish
        self._limits = limits
        self._inbox: Inbox[Queued] = Inbox(limits.batch_rows)
        self._closing = threading.Event()
        self._pause = threading.Event()  # never set: what is queued deserves its patience while closing, too
        self._refused: dict[str, FlowStudioError] = {}
        self._unborn: set[str] = set()
        self._thread = threading.Thread(target=self._serve, name="flowstudio-journal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Writes what is queued, then ends the thread."""
        self._closing.set()
        self._inbox.close()
        self._thread.join(timeout_s)

    @property
    def has_room(self) -> bool:
        """False when a run should wait for its last ticket before it makes more work."""
        return len(self._inbox) < self._limits.queue_rows

    def submit(self, item: StepRun | RunChange, event: RunEvent | None, owner: Owner) -> Ticket:
        """Queues an entry; event is published once it is durable. Does not block."""
        ticket = Ticket(self._inbox.want)
        self._put(Entry(item, event, owner, ticket))
        return ticket

    def keep(self, item: StepRun | RunChange, event: RunEvent | None, owner: Owner) -> None:
        """Stores an entry, durable on return. Blocks; raises why it cannot, StalledError among others."""
        if self.stall is not None:
            raise self.stall
        try:
            self.outlast(self.submit(item, event, owner))
        except FlowStudioError:
            self.readmit(item.run_id)  # who waits hears of it: what comes next is not about this entry any more
            raise

    def await_flow(self) -> None:
        """Returns when the journal does not stall."""
        self._flows.wait()

    def outlast(self, ticket: Ticket) -> None:
        """Waits until the entry is durable, however long the journal stalls; raises why it will never be."""
        while True:
            try:
                return ticket.wait()
            except StalledError:
                self._flows.wait()

    def tell(self, event: RunEvent) -> None:
        """Publishes an event after those of all entries submitted before it. Does not block.

        What the run's log keeps of it is stored first, as of every event that comes with an entry.
        """
        self._put(Telling(event))

    def note(self, exchange: Exchange) -> None:
        """Stores what a step said to a server and heard from it. Does not block, and nobody waits for it."""
        self._put(Telling(None, exchange))

    def create(self, run: Run, seeds: Sequence[StepRun] = ()) -> bool:
        """Stores a new run and the results it begins with, durable on return; False when its id exists.

        Blocks; raises the StorageError family.
        """
        self._check_takes_runs()
        creation = Creation(run, seeds, Ticket(self._inbox.want))
        self._put(creation)
        creation.ticket.wait()
        return creation.is_new

    def create_soon(self, run: Run, owner: Owner) -> Ticket:
        """Queues a run whose id is new for certain. Does not block; when it is turned down, so is all that follows it.

        Raises EngineClosedError, StalledError.
        """
        self._check_takes_runs()
        ticket = Ticket(self._inbox.want)
        self._put(Creation(run, (), ticket, owner))
        return ticket

    def _check_takes_runs(self) -> None:
        if self._closing.is_set():
            raise EngineClosedError("FlowStudio is closing and starts no more runs.")
        if self.stall is not None:
            raise self.stall

    def readmit(self, run_id: str) -> None:
        """Writes for this run again after a refusal its owner has dealt with."""
        self._refused.pop(run_id, None)

    def hurry(self) -> None:
        """Has what was submitted so far written at once, though nobody waits for it."""
        self._inbox.want()

    def _put(self, each: Queued) -> None:
        self._inbox.put(each)
        if self._is_gone:
            self._turn_away()

    def _serve(self) -> None:
        while (batch := self._inbox.take()) is not None:
            self._write(batch)
            while self._backlog:
                self._try_again()
        self._is_gone = True
        self._turn_away()

    def _write(self, batch: list[Queued]) -> None:
        if self._refused:
            batch = [each for each in batch if not self._is_barred(each)]
        if not batch:
            return
        entries = [each for each in batch if isinstance(each, Entry)]
        creations = [each for each in batch if isinstance(each, Creation)]
        told = [each for each in batch if not isinstance(each, Creation)]
        notes = [*_notes(told)]
        is_work = bool(entries or creations or notes)
        error = self._attempt(partial(self._store_all, entries, creations, notes)) if is_work else None
        if error is None:
            self._announce(told)
            for creation in creations:
                creation.ticket.settle()
        elif error.code in PASSING:
            self._keep_back(batch, error)
        elif len(batch) == 1:
            self._refuse(batch[0], error)
        else:
            self._write_each(batch)

    def _write_each(self, batch: list[Queued]) -> None:
        rest = deque(batch)
        while rest and not self._is_blocked:
            self._write([rest.popleft()])
        if rest:  # behind the one that was kept back
            self._backlog.extendleft(reversed([self._backlog.popleft(), *rest]))

    def _store_all(self, entries: list[Entry], creations: list[Creation], notes: list[Note]) -> None:
        """One transaction: new runs first, then what was entered for runs, in the order of submission."""
        items = [*[entry.item for entry in entries], *notes]
        seeds = [row for creation in creations for row in creation.seeds]
        new = set(self._store.write(items, [creation.run for creation in creations], seeds))
        for creation in creations:
            creation.is_new = creation.run.id in new
            new.discard(creation.run.id)  # of two that brought the same id, the first has it

    def _attempt(self, work: Callable[[], None]) -> FlowStudioError | None:
        """Does the work, again and again while the database is locked; what it met in the end, or None."""
        patience_s = self._limits.locked_patience_s if self.stall is None else 0.0
        deadline, delay_s = monotonic() + patience_s, FIRST_RETRY_S
        while True:
            try:
                work()
            except FlowStudioError as error:
                # The store itself waits some seconds for a lock, so the clock counts here and not the tries.
                if error.code != LOCKED or monotonic() >= deadline or self._pause.wait(delay_s):
                    return error
                delay_s = min(delay_s * 2, LONGEST_RETRY_S)
            except Exception as bug:
                log.exception("The journal could not write")
                return ResultLostError(
                    f"A result could not be stored ({type(bug).__name__}).",
                    fix="The log has the details; please report them.",
                )
            else:
                return None

    # While it stalls

    def _keep_back(self, batch: list[Queued], error: FlowStudioError) -> None:
        """The world is in the way: the batch is first in line when it no longer is."""
        self._is_blocked = True
        self._backlog.extendleft(reversed(batch))
        if self.stall is None:
            log.warning("The journal stalls: %s", error)
            self._flows.clear()
            self.stall = stall = StalledError(
                f"{error.sentence} Runs pause until it can be, then go on by themselves.",
                fix=error.fix,
                facts={**error.facts, "cause": error.code},
            )
            self._on_stall(stall)

    def _try_again(self) -> None:
        """Waits a while if the last try failed, then writes the next of what was kept back."""
        if self._is_blocked:
            self._let_go()
            if self._closing.wait(STALLED_RETRY_S):
                self._let_go()
        self._is_blocked = False
        count = min(len(self._backlog), self._limits.batch_rows)
        self._write([self._backlog.popleft() for _ in range(count)])
        if self._is_blocked and self._closing.is_set():
            self._abandon()
        elif not self._backlog:
            self._flow()

    def _let_go(self) -> None:
        """Nobody waits for what is kept back; runs that would begin now do not, and their submitters hear why."""
        assert self.stall is not None
        kept = [*self._backlog, *self._inbox.rest()]
        self._backlog.clear()
        for each in kept:
            if isinstance(each, Creation):
                self._turn_down(each, self.stall)
                continue
            self._backlog.append(each)
            if isinstance(each, Entry):
                each.ticket.stall(self.stall)

    def _flow(self) -> None:
        self.stall = None
        self._flows.set()
        log.info("The journal can be written again")
        self._on_stall(None)

    def _abandon(self) -> None:
        """The program closes and the world is still in the way. To the store, all this did not happen."""
        log.error("%d results could not be stored; the next start takes their runs up without", len(self._backlog))
        for each in self._backlog:
            if not isinstance(each, Telling):
                each.ticket.settle(TOO_LATE)
        self._backlog.clear()
        self._flows.set()

    def _turn_away(self) -> None:
        """What comes when nobody writes any more is not waited for."""
        for each in self._inbox.rest():
            if not isinstance(each, Telling):
                each.ticket.settle(TOO_LATE)

    def _announce(self, told: list[Entry | Telling]) -> None:
        """Events first: a step that waits for a ticket must not be seen starting before what it waited for ended."""
        try:
            for each in told:
                if each.event is not None:
                    self._publish(each.event)
        except Exception:
            log.exception("An event could not be published")
        for each in told:
            if isinstance(each, Entry):
                each.ticket.settle()

    def _is_barred(self, entry: Queued) -> bool:
        if isinstance(entry, Telling):
            return self._is_of_unborn(entry)
        error = self._refused.get(entry.run_id)
        if error is not None:
            entry.ticket.settle(error)
        return error is not None

    def _is_of_unborn(self, telling: Telling) -> bool:
        """An event of a run that was turned down: those who heard of it go on hearing, but nothing of it is kept."""
        is_unborn = telling.event is not None and telling.event.run_id in self._unborn
        if is_unborn:
            self._announce([telling])
        return is_unborn

    def _refuse(self, entry: Queued, error: FlowStudioError) -> None:
        if isinstance(entry, Telling):
            self._announce([entry])
            return
        if isinstance(entry, Creation):
            self._turn_down(entry, error)
            return
        reason = _named(entry.item, error)
        self._refused[entry.run_id] = reason
        entry.ticket.settle(reason)
        _tell_refusal(entry.owner, reason)

    def _turn_down(self, creation: Creation, error: FlowStudioError) -> None:
        """A run that is not stored: its submitter hears of it, and what it has done meanwhile is not stored either."""
        if creation.owner is None:
            creation.ticket.settle(error)
            return
        lost = ResultLostError(f"The run could not be stored. {error.sentence}", fix=error.fix)
        self._refused[creation.run_id] = lost  # for good: its id does not come again
        self._unborn.add(creation.run_id)
        creation.ticket.settle(error)
        _tell_refusal(creation.owner, lost)


def _notes(told: Sequence[Entry | Telling]) -> Iterator[Note]:
    """What is stored beside the entries."""
    for each in told:
        if isinstance(each, Telling) and each.item is not None:
            yield each.item
        elif (line := line_of(each.event)) is not None:
            yield line


def _tell_refusal(owner: Owner, reason: FlowStudioError) -> None:
    try:
        owner.refused(reason)
    except Exception:
        log.exception("A run could not be told that its journal refused an entry")


def _named(item: StepRun | RunChange, error: FlowStudioError) -> FlowStudioError:
    """The error; when the value is at fault and not the disk, one that says whose value."""
    if error.code in _FAULT_OF_VALUE and isinstance(item, StepRun):
        sentence = f"The result of step “{item.step_id}” cannot be stored. {error.sentence}"
        return ResultLostError(sentence, fix=error.fix, facts={"step": item.step_id})
    return error
