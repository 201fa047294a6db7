"""The writer thread: what runs did becomes durable, many results in one transaction.

There is no fixed time window: while one transaction is on its way to the disk the next results queue up, and the
writer takes all of them at once, so batches grow by themselves with the load. Entries become durable in the order of
submission, hence who waits for one entry has waited for all before it.

What the store refuses is tried again row by row, so that one bad row harms its own run only. From a run whose entry
was refused nothing more is written until its owner readmits it: a journal has an end, never a hole.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Protocol

from flowstudio.engine.errors import EngineClosedError, ResultLostError
from flowstudio.engine.events import LogWritten, RunEvent
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import Run, StepRun
from flowstudio.engine.ports import RunChange, RunStore
from flowstudio.errors import FlowStudioError

log = logging.getLogger(__name__)

LOCKED = "storage.locked"
"""Code of the one storage error that passes by itself."""
_FAULT_OF_VALUE = frozenset({"storage.unstorable", ResultLostError.code})
FIRST_RETRY_S = 0.02
LONGEST_RETRY_S = 1.0
GATHER_S = 0.0001
"""A transaction waits for the entries it expects until a pause as long as a quick fsync takes brings none."""
NONE_EXPECTED = 2**62


class Owner(Protocol):
    """The run an entry belongs to, told when the store will not take it. Called on the writer's thread."""

    def refused(self, error: FlowStudioError) -> None: ...


class Ticket:
    """An entry's way to the disk."""

    __slots__ = ("_gate", "error", "is_done")

    def __init__(self) -> None:
        self.is_done = False
        self.error: FlowStudioError | None = None
        self._gate = threading.Lock()  # held until done: a bare lock costs a tenth of an Event
        self._gate.acquire()

    def wait(self) -> None:
        """Returns when the entry is durable; raises why it will never be."""
        if not self.is_done:
            with self._gate:
                pass
        if self.error is not None:
            raise self.error

    def wait_for(self, timeout_s: float) -> bool:
        """Whether the entry is durable by then; raises why it will never be."""
        if not self.is_done and self._gate.acquire(timeout=timeout_s):
            self._gate.release()
        if self.error is not None:
            raise self.error
        return self.is_done

    def settle(self, error: FlowStudioError | None = None) -> None:
        self.error = error
        self.is_done = True
        self._gate.release()


def settled_ticket() -> Ticket:
    """For what is durable already."""
    ticket = Ticket()
    ticket.settle()
    return ticket


class _Entry:
    __slots__ = ("event", "item", "owner", "ticket")

    def __init__(self, item: StepRun | RunChange, event: RunEvent | None, owner: Owner) -> None:
        self.item = item
        self.event = event
        self.owner = owner
        self.ticket = Ticket()

    @property
    def run_id(self) -> str:
        return self.item.run_id


class _Creation:
    __slots__ = ("is_new", "run", "ticket")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.is_new = False
        self.ticket = Ticket()

    @property
    def run_id(self) -> str:
        return self.run.id


class _Telling:
    """An event of a run that has no entry of its own, in its place between those that have."""

    __slots__ = ("event",)

    def __init__(self, event: RunEvent) -> None:
        self.event = event


_Queued = _Entry | _Creation | _Telling


class Journal:
    """Takes entries from any thread; one thread writes them and then publishes their events, in the same order."""

    def __init__(self, store: RunStore, publish: Callable[[RunEvent], None], limits: EngineLimits) -> None:
        self._store = store
        self._publish = publish
        self._limits = limits
        self._queue: SimpleQueue[_Queued | None] = SimpleQueue()
        self._closing = threading.Event()
        self._pause = threading.Event()  # never set: what is queued deserves its patience while closing, too
        self._refused: dict[str, FlowStudioError] = {}
        self._last_size = 0
        self._expected = NONE_EXPECTED
        self._gathered = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="flowstudio-journal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Writes what is queued, then ends the thread."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join(timeout_s)

    @property
    def has_room(self) -> bool:
        """False when a run should wait for its last ticket before it makes more work."""
        return self._queue.qsize() < self._limits.queue_rows

    def submit(self, item: StepRun | RunChange, event: RunEvent | None, owner: Owner) -> Ticket:
        """Queues an entry; event is published once it is durable. Does not block."""
        entry = _Entry(item, event, owner)
        self._put(entry)
        return entry.ticket

    def keep(self, item: StepRun | RunChange, event: RunEvent | None, owner: Owner) -> None:
        """Stores an entry, durable on return. Blocks; raises the StorageError family."""
        self.submit(item, event, owner).wait()

    def tell(self, event: RunEvent) -> None:
        """Publishes an event after those of all entries submitted before it. Does not block.

        A line of the log is stored first, as every other that comes as an entry's event.
        """
        self._put(_Telling(event))

    def create(self, run: Run) -> bool:
        """Stores a new run, durable on return; False when its id exists. Blocks; raises the StorageError family."""
        if self._closing.is_set():
            raise EngineClosedError("FlowStudio is closing and starts no more runs.")
        creation = _Creation(run)
        self._put(creation)
        creation.ticket.wait()
        return creation.is_new

    def readmit(self, run_id: str) -> None:
        """Writes for this run again after a refusal its owner has dealt with."""
        self._refused.pop(run_id, None)

    def _put(self, each: _Queued) -> None:
        self._queue.put(each)
        if self._queue.qsize() >= self._expected:
            self._gathered.set()

    def _serve(self) -> None:
        while True:
            batch, is_last = self._take()
            self._write(batch)
            if is_last:
                return

    def _take(self) -> tuple[list[_Queued], bool]:
        """Blocks for one entry, then takes all that are there, up to a batch; True when it was the last.

        The runs of the batch before are about to bring their next results, and are given a moment: 8 runs then share
        one transaction instead of two that take turns.
        """
        batch: list[_Queued] = []
        item = self._queue.get()
        if item is not None:
            self._gather(self._last_size - 1)
        while item is not None:
            batch.append(item)
            if len(batch) >= self._limits.batch_rows:
                break
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
        self._last_size = len(batch)
        return batch, item is None

    def _gather(self, expected: int) -> None:
        """Sleeps until that many entries are queued or no more come; woken by the last one, not by every one."""
        self._gathered.clear()
        self._expected = expected
        before = -1
        while before < (queued := self._queue.qsize()) < expected and not self._closing.is_set():
            before = queued
            self._gathered.wait(GATHER_S)
        self._expected = NONE_EXPECTED

    def _write(self, batch: list[_Queued]) -> None:
        if self._refused:
            batch = [each for each in batch if not self._is_barred(each)]
        if not batch:
            return
        entries = [each for each in batch if isinstance(each, _Entry)]
        creations = [each for each in batch if isinstance(each, _Creation)]
        told = [each for each in batch if not isinstance(each, _Creation)]
        lines = [each.event for each in told if isinstance(each.event, LogWritten)]
        is_work = bool(entries or creations or lines)
        error = self._attempt(partial(self._store_all, entries, creations, lines)) if is_work else None
        if error is None:
            for creation in creations:
                creation.ticket.settle()
            self._announce(told)
        elif len(batch) == 1 or error.code == LOCKED:
            for each in batch:
                self._refuse(each, error)
        else:
            for each in batch:
                self._write([each])

    def _store_all(self, entries: list[_Entry], creations: list[_Creation], lines: list[LogWritten]) -> None:
        """One transaction: new runs first, then what was entered for runs, in the order of submission."""
        items = [*[entry.item for entry in entries], *lines]
        new = set(self._store.write(items, [creation.run for creation in creations]))
        for creation in creations:
            creation.is_new = creation.run.id in new
            new.discard(creation.run.id)  # of two that brought the same id, the first has it

    def _attempt(self, work: Callable[[], None]) -> FlowStudioError | None:
        """Does the work, again and again while the database is locked; what it met in the end, or None."""
        deadline, delay_s = monotonic() + self._limits.locked_patience_s, FIRST_RETRY_S
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

    def _announce(self, told: list[_Entry | _Telling]) -> None:
        """Events first: a step that waits for a ticket must not be seen starting before what it waited for ended."""
        try:
            for each in told:
                if each.event is not None:
                    self._publish(each.event)
        except Exception:
            log.exception("An event could not be published")
        for each in told:
            if isinstance(each, _Entry):
                each.ticket.settle()

    def _is_barred(self, entry: _Queued) -> bool:
        if isinstance(entry, _Telling):
            return False
        error = self._refused.get(entry.run_id)
        if error is not None:
            entry.ticket.settle(error)
        return error is not None

    def _refuse(self, entry: _Queued, error: FlowStudioError) -> None:
        if isinstance(entry, _Telling):
            self._announce([entry])
            return
        if isinstance(entry, _Creation):  # its submitter hears of it and starts nothing
            entry.ticket.settle(error)
            return
        reason = _named(entry.item, error)
        self._refused[entry.run_id] = reason
        entry.ticket.settle(reason)
        try:
            entry.owner.refused(reason)
        except Exception:
            log.exception("A run could not be told that its journal refused an entry")


def _named(item: StepRun | RunChange, error: FlowStudioError) -> FlowStudioError:
    """The error; when the value is at fault and not the disk, one that says whose value."""
    if error.code in _FAULT_OF_VALUE and isinstance(item, StepRun):
        sentence = f"The result of step “{item.step_id}” cannot be stored. {error.sentence}"
        return ResultLostError(sentence, fix=error.fix, facts={"step": item.step_id})
    return error
