"""The one door to SQLite and PostgreSQL: engine, pragmas, transactions, errors.

Reading and writing are told apart. On SQLite a writing transaction begins IMMEDIATE and takes a lock of this process
first: SQLite lets one writer in at a time and its busy handler naps up to 100 ms between tries, so threads that queue
on a lock of ours wait microseconds instead; and a transaction that first reads and then writes cannot fail half-way.
The busy timeout remains for other processes.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql as postgresql_dialect
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from flowstudio import paths
from flowstudio.settings import Settings
from flowstudio.storage import migrate, tenancy
from flowstudio.storage.faults import LOCKED, storage_fault
from flowstudio.storage.pragmas import pragmas, prepare
from flowstudio.workspace.errors import StorageError

POOL_SIZE = 10
POOL_OVERFLOW = 40
CONNECT_TIMEOUT_S = 10
KEPT_READERS = 4


class Database:
    """Owns the pool. Thread-safe; `begin` and `reading` must not be nested in one thread.

    url: sqlite:////path/to/file.db or postgresql://user:password@host/name.
    synchronous: SQLite's FULL (a commit survives power loss) or NORMAL (survives a killed process only).
    busy_timeout_s: how long a writer waits for another before it gives up with DatabaseLockedError.
    """

    def __init__(self, url: str, synchronous: str = "FULL", *, busy_timeout_s: float = 5.0) -> None:
        self.url = _parsed(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.place = self.url.database or "" if self.is_sqlite else _server(self.url)
        self._busy_timeout_s = busy_timeout_s
        self._writer = threading.Lock()
        self._kept: Connection | None = None
        self._readers: list[PoolProxiedConnection] = []
        """SQLite connections at hand for `rows`: to and from the pool is a longer way than a small query's."""
        self.engine = self._sqlite_engine(synchronous) if self.is_sqlite else self._postgres_engine()
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error

    @contextmanager
    def begin(self, user_id: str | None = None) -> Iterator[Connection]:
        """A writing transaction: committed at the end of the block, rolled back when it raises.

        user_id: whose rows it touches, for PostgreSQL's row policies; None for work that serves all users.
        Raises the StorageError family for the world's faults; nothing is half-written then.
        """
        with self._translated(), self._writing() as connection, connection.begin():
            tenancy.enter(connection, user_id)
            yield connection

    @contextmanager
    def reading(self, user_id: str | None = None) -> Iterator[Connection]:
        """A transaction that only reads: one consistent view, beside any writer."""
        with self._translated(), self.engine.connect() as connection, connection.begin():
            tenancy.enter(connection, user_id)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """As begin(), on a cursor of the driver's own: for the journal, whose rows SQLAlchemy would make twice as dear.

        When the block raises, the connection goes back to its pool, which rolls back what was begun.
        """
        with self._translated(), self._writing() as connection:
            driver: Any = connection.connection.driver_connection
            cursor = driver.cursor()
            if self.is_sqlite:
                cursor.execute("BEGIN IMMEDIATE")
            yield cursor
            driver.commit()

    def rows(self, text: str, values: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        """What one query finds, in the driver's own types; for where SQLAlchemy costs more than the database.

        One statement sees one consistent state, so no transaction is put around it.
        """
        with self._translated():
            connection, is_kept = self._reader(), False
            try:
                driver: Any = connection.driver_connection
                cursor = driver.cursor()
                cursor.execute(text, tuple(values))
                found: Sequence[tuple[Any, ...]] = cursor.fetchall()
                is_kept = self.is_sqlite and len(self._readers) < KEPT_READERS
            finally:
                if is_kept:
                    self._readers.append(connection)
                else:
                    connection.close()
            return found

    def _reader(self) -> PoolProxiedConnection:
        try:
            return self._readers.pop()
        except IndexError:
            return self.engine.raw_connection()

    @contextmanager
    def outside_transactions(self) -> Iterator[Any]:
        """SQLite's own connection, for what no transaction may surround; a new one, as it may be set up otherwise."""
        with self._translated(), self._writer:
            connection = self.engine.raw_connection()
            connection.detach()
            try:
                yield connection.dbapi_connection
            finally:
                connection.close()

    def insert(self, table: Table) -> Any:
        """An INSERT of this database's dialect: both spell ON CONFLICT alike, from different classes."""
        return sqlite_dialect.insert(table) if self.is_sqlite else postgresql_dialect.insert(table)

    def upgrade(self) -> None:
        """Makes or brings the schema up to date; creates the folder of a SQLite file. Safe with several processes.

        Raises NewerDatabaseError when the schema is from a newer FlowStudio, else the StorageError family.
        """
        with self._translated():
            if self.is_sqlite and self.place:
                Path(self.place).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self.engine.connect() as connection:
                current = migrate.current(connection)
        if current == migrate.newest():
            return
        with self.begin() as connection:
            migrate.upgrade(connection, self.place)

    def health(self) -> bool:
        """Whether the database answers, asked with the cheapest question."""
        try:
            with self.reading() as connection:
                connection.exec_driver_sql("SELECT 1")
        except StorageError:
            return False
        return True

    def close(self) -> None:
        """Closes every connection. SQLite folds its write-ahead log into the file with the last one."""
        with self._writer:
            self._let_go()
        while self._readers:
            self._readers.pop().close()
        self.engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A connection to write on. SQLite's writers take turns on one that is kept at hand."""
        if not self.is_sqlite:
            with self.engine.connect() as connection:
                yield connection
            return
        if not self._writer.acquire(timeout=self._busy_timeout_s):
            raise LOCKED(self.place)
        try:
            if self._kept is None:
                self._kept = self.engine.connect().execution_options(immediate=True)
            yield self._kept
        except BaseException:
            self._let_go()  # whatever a failed commit left behind ends with the connection
            raise
        finally:
            self._writer.release()

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, self._driver_error, OSError, ValueError) as error:
            fault = storage_fault(error, self.place)
            if fault is None:
                raise
            raise fault from error

    def _sqlite_engine(self, synchronous: str) -> Engine:
        engine = create_engine(
            self.url,
            hide_parameters=True,
            poolclass=QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_use_lifo=True,
            connect_args={"check_same_thread": False, "timeout": self._busy_timeout_s, "isolation_level": None},
        )
        statements = pragmas(synchronous)

        @event.listens_for(engine, "connect")
        def set_pragmas(connection: Any, record: object) -> None:
            prepare(connection, statements, self._busy_timeout_s)

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # The driver's own idea of when to begin (before the first write) is off: isolation_level is None. Spoken to
            # directly: SQLAlchemy's way to a cursor costs as much as the statement.
            immediate = connection.get_execution_options().get("immediate", False)
            driver: Any = connection.connection.driver_connection
            driver.execute("BEGIN IMMEDIATE" if immediate else "BEGIN")

        return engine

    def _postgres_engine(self) -> Engine:
        return create_engine(
            self.url,
            hide_parameters=True,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_pre_ping=True,
            executemany_mode="values_plus_batch",  # upserts, too, go in one round trip a batch, not one a row
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "flowstudio"},
        )


def database_url(settings: Settings) -> str:
    """DATABASE_URL, or the SQLite file in the data folder."""
    if settings.database_url:
        return settings.database_url
    return URL.create("sqlite", database=str(paths.database_file(settings.data_dir))).render_as_string()


def open_database(settings: Settings) -> Database:
    """The settings' database with its schema up to date."""
    database = Database(database_url(settings), settings.synchronous)
    try:
        database.upgrade()
    except BaseException:
        database.close()
        raise
    return database


def _parsed(text: str) -> URL:
    """The old service's postgres:// and the plain postgresql:// mean the driver that is installed."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise StorageError(
            "DATABASE_URL is no database address.", fix="Write postgresql://user:password@host/name."
        ) from error
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg2")
    if url.drivername not in ("sqlite", "postgresql+psycopg2"):
        raise StorageError(
            f"FlowStudio has no driver for {url.drivername} databases.",
            fix="Use postgresql://user:password@host/name, or leave DATABASE_URL empty for SQLite.",
        )
    return url


def _server(url: URL) -> str:
    port = f":{url.port}" if url.port else ""
    return f"{url.host or url.query.get('host', 'localhost')}{port}/{url.database or ''}"
