"""Files that some run uses stay, all others go; on SQLite and PostgreSQL."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from flowstudio.engine.model import Run, RunState, StepRun, StepState, TriggerEvent
from flowstudio.engine.payloads import Payload
from flowstudio.engine.ports import RunChange
from flowstudio.plan.evaluation.deferred import resolved
from flowstudio.plan.model import Plan
from flowstudio.storage.database import Database
from flowstudio.storage.payload_store import LARGEST_IN_ROW, PayloadFiles
from flowstudio.storage.payload_uses import PayloadCollection
from flowstudio.storage.run_store import SqlRunStore
from flowstudio.storage.tables import execution_logs, payload_parts, payload_uses, payloads

NOW = datetime(2031, 5, 4, tzinfo=UTC)
BIG = "x" * (LARGEST_IN_ROW + 1)


class Shelf:
    """A store over a database and a folder, as one process sees them."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.files = PayloadFiles(folder, is_flushed=False)
        self.store = SqlRunStore(database, self.files)

    def run(self, run_id: str = "r1", data: Any = None) -> Run:
        run = Run(run_id, "ann", Plan("p", "P"), RunState.QUEUED, TriggerEvent(data=self.files.keep(data)), NOW)
        assert self.store.create(run)
        return run

    def step(self, output: Any, run_id: str = "r1", step_id: str = "a", sequence: int = 1) -> None:
        kept = self.files.keep(output)
        self.store.write([StepRun(run_id, step_id, (), StepState.SUCCEEDED, sequence, output=kept)])

    def output(self, step_id: str = "a") -> Any:
        row = self.store.step_run("r1", step_id, ())
        assert row is not None
        return row.output

    def collect(self, grace_s: float = -60.0) -> int:
        """A grace below zero: whatever is there is old."""
        return PayloadCollection(self.database, self.files).collect(grace_s).files

    def remove_run(self, run_id: str = "r1") -> None:
        with self.database.begin() as connection:
            connection.execute(delete(execution_logs).where(execution_logs.c.id == run_id))

    def count(self, table: Any) -> int:
        with self.database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(table)).scalar_one())

    @property
    def names(self) -> set[str]:
        return set(self.files.files())


@pytest.fixture
def shelf(database: Database, tmp_path: Path) -> Shelf:
    return Shelf(database, tmp_path / "payloads")


def another(shelf: Shelf) -> Shelf:
    """What a later process sees: it holds nothing in memory."""
    return Shelf(shelf.database, shelf.files.folder)


def test_results_trigger_data_and_answers_come_back(shelf: Shelf) -> None:
    run = shelf.run(data={"body": BIG + "data"})
    shelf.step({"body": BIG + "output"})
    answer = shelf.files.keep({"status": 200, "body": BIG + "answer"})
    shelf.store.write([RunChange(run.id, RunState.SUCCEEDED, NOW, None, answer)])
    later = another(shelf)
    read = later.store.get("r1")
    assert read is not None
    assert resolved(read.trigger.data) == {"body": BIG + "data"}
    assert resolved(read.response) == {"status": 200, "body": BIG + "answer"}
    assert resolved(later.output()) == {"body": BIG + "output"}
    assert isinstance(later.output()["body"], Payload)
    assert shelf.count(payload_uses) == 3


def test_listing_runs_and_steps_opens_no_file(shelf: Shelf) -> None:
    shelf.run(data=BIG)
    shelf.step([BIG])
    for path in shelf.files.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    later = another(shelf)
    assert [run.id for run in later.store.list_runs("ann")] == ["r1"]
    assert len(later.store.step_runs("r1")) == 1


def test_a_run_that_begins_and_ends_in_one_batch_keeps_its_files(shelf: Shelf) -> None:
    new = Run("r1", "ann", Plan("p", "P"), RunState.QUEUED, TriggerEvent(data=shelf.files.keep(BIG)), NOW)
    row = StepRun("r1", "a", (), StepState.SUCCEEDED, 1, output=shelf.files.keep(BIG + "1"))
    end = RunChange("r1", RunState.SUCCEEDED, NOW, None, shelf.files.keep({"body": BIG + "2"}))
    shelf.store.write([row, end], [new])
    del new, row, end
    assert another(shelf).collect() == 0
    assert shelf.count(payload_uses) == 3


def test_a_file_lives_as_long_as_any_run_uses_it(shelf: Shelf) -> None:
    for run_id in ("r1", "r2"):
        shelf.run(run_id)
        shelf.step(BIG, run_id)
    later = another(shelf)
    later.remove_run("r1")
    assert later.collect() == 0
    later.remove_run("r2")
    assert later.collect() == 1
    assert later.names == set()
    assert later.count(payloads) == 0


def test_files_inside_files_live_with_what_refers_to_them(shelf: Shelf) -> None:
    shelf.run("r1")
    shelf.step({"results": [BIG + str(number) for number in range(800)]}, "r1")
    later = another(shelf)
    later.run("r2")
    seen = later.store.step_run("r1", "a", ())
    assert seen is not None
    later.store.write([replace(seen, run_id="r2")])
    later.remove_run("r1")
    last = another(later)
    assert last.collect() == 0
    assert len(last.names) == 801
    last.remove_run("r2")
    assert last.collect() == 801
    assert last.count(payload_parts) == 0


def test_a_file_no_row_ever_named_goes(shelf: Shelf) -> None:
    shelf.run()
    shelf.step([BIG])
    shelf.files.keep(BIG + "crashed before its row")
    later = another(shelf)
    assert later.collect() == 1
    assert resolved(later.output()) == [BIG]


def test_what_this_process_holds_stays_though_no_run_uses_it(shelf: Shelf) -> None:
    shelf.run()
    shelf.step({"results": [BIG + str(number) for number in range(800)]})
    held = another(shelf)
    output = held.output()
    held.remove_run()
    assert held.collect() == 0
    held.run("r2", data=None)
    held.store.write([StepRun("r2", "a", (), StepState.SUCCEEDED, 1, output=output)])
    assert another(shelf).collect() == 0
    assert len(resolved(output)["results"]) == 800  # type: ignore[arg-type,index,call-overload]


def test_what_another_process_wrote_just_now_stays(shelf: Shelf) -> None:
    shelf.files.keep(BIG)
    assert another(shelf).collect(60.0) == 0
    assert len(shelf.names) == 1


def test_what_another_process_met_just_now_stays(shelf: Shelf) -> None:
    shelf.run()
    shelf.step(BIG)
    shelf.remove_run()
    (name,) = shelf.names
    os.utime(shelf.files.path(name), (0, 0))
    met = another(shelf).files.keep(BIG)
    assert another(shelf).collect(60.0) == 0
    shelf.run("r2")
    shelf.step(met, "r2")
    assert another(shelf).collect() == 0
    assert shelf.count(payloads) == 1


def test_a_value_that_comes_again_while_its_file_is_collected_is_written_anew(shelf: Shelf) -> None:
    shelf.run()
    shelf.step(BIG)
    shelf.remove_run()
    later = another(shelf)
    assert later.collect() == 1
    later.run("r2")
    later.step(BIG, "r2")
    assert another(shelf).collect() == 0
    assert later.store.step_runs("r2")[0].output.load() == BIG  # type: ignore[union-attr]
