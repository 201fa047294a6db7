"""A real SQLite file and an engine over it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowstudio.storage.database import Database
from flowstudio.storage.run_store import SqlRunStore
from tests.engine.workbench import Functions, Workbench


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlRunStore]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", "NORMAL")
    database.upgrade()
    yield SqlRunStore(database)
    database.close()


@pytest.fixture
def bench(store: SqlRunStore) -> Iterator[Workbench]:
    bench = Workbench(store, Functions())
    yield bench
    bench.engine.close(2.0)
