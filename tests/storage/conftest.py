"""A database for each test, on SQLite and on a PostgreSQL server that the tests start and stop themselves."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowstudio.storage.database import Database
from flowstudio.storage.tables import metadata

AS_POSTGRES = {"user": "postgres"} if os.geteuid() == 0 else {}
"""The server refuses to run as root."""

PROGRAMS = os.pathsep.join([os.environ["PATH"], *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])
"""Debian leaves the server's own programs off PATH."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a fresh server on a socket in a folder of its own: no port is taken, nothing survives."""
    if shutil.which("initdb", path=PROGRAMS) is None:
        pytest.skip("initdb is not here: PostgreSQL's server is not installed")
    folder = Path(tempfile.mkdtemp(prefix="flowstudio-pg-"))
    if AS_POSTGRES:
        shutil.chown(folder, "postgres")
    try:
        _postgres("initdb", "-D", "data", "-U", "flow", "-A", "trust", "-E", "UTF8", "--no-sync", cwd=folder)
        options = f"-F -c listen_addresses='' -c unix_socket_directories='{folder}' -c max_connections=80"
        _postgres("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start", cwd=folder)
        try:
            yield f"postgresql://flow@/postgres?host={folder}"
        finally:
            _postgres("pg_ctl", "-D", "data", "-m", "immediate", "stop", cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgres(*command: str, cwd: Path) -> None:
    name, *arguments = command
    program = shutil.which(name, path=PROGRAMS)
    assert program is not None, name
    done = subprocess.run(
        [program, *arguments], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **AS_POSTGRES
    )
    assert done.returncode == 0, f"{name}: {done.stderr.decode()}"


@pytest.fixture(scope="session")
def postgres_schema(postgres_url: str) -> str:
    """The same server with the schema made."""
    database = Database(postgres_url)
    database.upgrade()
    database.close()
    return postgres_url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    if request.param == "sqlite":
        folder = request.getfixturevalue("tmp_path")
        database = Database(f"sqlite:///{folder}/flow.db", "NORMAL")
        database.upgrade()
    else:
        database = Database(request.getfixturevalue("postgres_schema"))
        _empty(database)
    yield database
    database.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/flow.db", "NORMAL", busy_timeout_s=0.1)
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def new_sqlite(tmp_path: Path) -> Iterator[Callable[..., Database]]:
    """Makes databases on files under tmp_path and closes them after the test."""
    made: list[Database] = []

    def make(file: str | Path = "flow.db", synchronous: str = "NORMAL", busy_timeout_s: float = 0.1) -> Database:
        made.append(Database(f"sqlite:///{tmp_path / file}", synchronous, busy_timeout_s=busy_timeout_s))
        return made[-1]

    yield make
    for database in made:
        database.close()


def _empty(database: Database) -> None:
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with database.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {names}")
