"""The writer thread: batches, order, patience, and one bad row that harms its own run only."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from flowstudio.engine.errors import ResultLostError
from flowstudio.engine.events import LogWritten, RunEvent
from flowstudio.engine.journal import Journal
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import Run, RunState, StepRun, StepState
from flowstudio.engine.ports import RunChange
from flowstudio.errors import FlowStudioError
from flowstudio.workspace.errors import DatabaseLockedError, UnstorableValueError
from tests.engine.workbench import new_run, plan

NOW = datetime(2031, 5, 4, tzinfo=UTC)
Written = StepRun | RunChange


class ScriptedStore:
    """Keeps what is written; `trouble` may refuse a batch first."""

    def __init__(self) -> None:
        self.batches: list[list[Written]] = []
        self.created: list[str] = []
        self.trouble: Callable[[Sequence[Written]], None] = lambda entries: None

    def write(
        self, entries: Sequence[Written], new_runs: Sequence[Run] = (), seeds: Sequence[StepRun] = ()
    ) -> frozenset[str]:
        self.trouble(entries)
        if entries:
            self.batches.append(list(entries))
        new = [run.id for run in new_runs if run.id not in self.created]
        self.created += new
        return frozenset(new)

    def get(self, run_id: str) -> None:
        return None

    def step_runs(self, run_id: str) -> list[StepRun]:
        return []

    def unfinished(self) -> list[Run]:
        return []

    @property
    def rows(self) -> list[Written]:
        return [entry for batch in self.batches for entry in batch]


class RunOwner:
    def __init__(self) -> None:
        self.refusals: list[FlowStudioError] = []

    def refused(self, error: FlowStudioError) -> None:
        self.refusals.append(error)


def row(run_id: str, number: int) -> StepRun:
    return StepRun(run_id, f"s{number}", (), StepState.SUCCEEDED, number)


@pytest.fixture
def store() -> ScriptedStore:
    return ScriptedStore()


@pytest.fixture
def told() -> list[RunEvent]:
    return []


@pytest.fixture
def journal(store: ScriptedStore, told: list[RunEvent]) -> Iterator[Journal]:
    journal = Journal(store, told.append, EngineLimits(locked_patience_s=0.1, queue_rows=3))
    yield journal
    journal.close(5.0)


def test_what_is_queued_becomes_one_transaction_in_order(store: ScriptedStore, journal: Journal) -> None:
    tickets = [journal.submit(row("r", number), None, RunOwner()) for number in range(100)]
    journal.start()
    tickets[-1].wait()
    assert store.batches == [[row("r", number) for number in range(100)]]


def test_an_event_is_told_only_when_its_entry_is_durable(
    store: ScriptedStore, journal: Journal, told: list[RunEvent]
) -> None:
    before: list[int] = []
    store.trouble = lambda entries: before.append(len(told))
    journal.start()
    journal.submit(row("r", 1), LogWritten("r", NOW, "info", "done"), RunOwner()).wait()
    assert before == [0]
    assert len(told) == 1


def test_a_bad_row_harms_its_own_run_only(store: ScriptedStore, journal: Journal) -> None:
    def refuse_run_b(entries: Sequence[Written]) -> None:
        if any(entry.run_id == "b" and isinstance(entry, StepRun) for entry in entries):
            raise UnstorableValueError("No form.")

    store.trouble = refuse_run_b
    owner = RunOwner()
    good = [journal.submit(row("a", number), None, RunOwner()) for number in range(3)]
    bad = journal.submit(row("b", 1), None, owner)
    end = journal.submit(RunChange("b", RunState.SUCCEEDED, NOW), None, owner)
    journal.start()
    for ticket in good:
        ticket.wait()
    for refused in (bad, end):
        with pytest.raises(ResultLostError, match="“s1”"):
            refused.wait()
    assert [entry.run_id for entry in store.rows] == ["a", "a", "a"], "after a hole nothing of that run is written"
    assert len(owner.refusals) == 1


def test_a_run_is_written_again_once_it_is_readmitted(store: ScriptedStore, journal: Journal) -> None:
    troubles = iter([UnstorableValueError("No form.")])

    def refuse_once(entries: Sequence[Written]) -> None:
        for trouble in troubles:
            raise trouble

    store.trouble = refuse_once
    journal.start()
    with pytest.raises(ResultLostError):
        journal.submit(row("r", 1), None, RunOwner()).wait()
    journal.readmit("r")
    journal.submit(RunChange("r", RunState.FAILED, NOW), None, RunOwner()).wait()
    assert len(store.rows) == 1


def test_a_locked_database_is_tried_again(store: ScriptedStore, journal: Journal) -> None:
    troubles = iter([DatabaseLockedError("Locked.")] * 2)

    def locked_twice(entries: Sequence[Written]) -> None:
        for trouble in troubles:
            raise trouble

    store.trouble = locked_twice
    journal.start()
    journal.submit(row("r", 1), None, RunOwner()).wait()
    assert len(store.rows) == 1


@pytest.mark.logs("could not write")
def test_a_value_the_store_chokes_on_names_its_step(store: ScriptedStore, journal: Journal) -> None:
    def choke(entries: Sequence[Written]) -> None:
        raise TypeError("not JSON")

    store.trouble = choke
    journal.start()
    with pytest.raises(ResultLostError, match="“s1”"):
        journal.submit(row("r", 1), None, RunOwner()).wait()


def test_a_new_run_is_stored_once(journal: Journal) -> None:
    journal.start()
    assert journal.create(new_run(plan(), "r1"))
    assert not journal.create(new_run(plan(), "r1"))


def test_new_runs_share_one_transaction_with_what_is_queued(store: ScriptedStore, journal: Journal) -> None:
    calls: list[tuple[int, int]] = []
    write = store.write

    def counted(
        entries: Sequence[Written], new_runs: Sequence[Run] = (), seeds: Sequence[StepRun] = ()
    ) -> frozenset[str]:
        calls.append((len(entries), len(new_runs)))
        return write(entries, new_runs, seeds)

    store.write = counted  # type: ignore[method-assign]
    creators = [threading.Thread(target=journal.create, args=(new_run(plan(), f"r{n}"),)) for n in range(3)]
    for creator in creators:
        creator.start()
    entries = [journal.submit(row("r", number), None, RunOwner()) for number in range(2)]
    while len(journal._inbox) < 5:
        pass
    journal.start()
    for creator in creators:
        creator.join(5.0)
    entries[-1].wait()
    assert calls == [(2, 3)]


def test_of_two_that_bring_one_new_run_in_one_transaction_the_first_has_it(journal: Journal) -> None:
    answers: list[bool] = []
    creators = [
        threading.Thread(target=lambda: answers.append(journal.create(new_run(plan(), "r1")))) for _ in range(2)
    ]
    for creator in creators:
        creator.start()
    while len(journal._inbox) < 2:
        pass
    journal.start()
    for creator in creators:
        creator.join(5.0)
    assert sorted(answers) == [False, True]


def test_what_nobody_waits_for_is_written_within_a_moment(store: ScriptedStore, journal: Journal) -> None:
    journal.start()
    ticket = journal.submit(row("r", 1), None, RunOwner())
    waited = threading.Event()
    while not ticket.is_done and not waited.wait(0.001):
        pass
    assert store.rows == [row("r", 1)]


def test_a_chain_nobody_waits_for_is_one_transaction(
    store: ScriptedStore, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowstudio.engine.inbox.LINGER_S", 60.0)
    journal.start()
    tickets = [journal.submit(row("r", number), None, RunOwner()) for number in range(50)]
    tickets[-1].wait()
    assert [len(batch) for batch in store.batches] == [50]


def test_a_full_queue_says_so(journal: Journal) -> None:
    assert journal.has_room
    for number in range(3):
        journal.submit(row("r", number), None, RunOwner())
    assert not journal.has_room
    journal.start()


def test_closing_writes_what_is_queued(store: ScriptedStore, journal: Journal) -> None:
    journal.start()
    for number in range(50):
        journal.submit(row("r", number), None, RunOwner())
    journal.close(5.0)
    assert len(store.rows) == 50
    assert not any(thread.name == "flowstudio-journal" for thread in threading.enumerate())
