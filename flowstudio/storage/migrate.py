"""Brings a database's schema to the newest version in migrations/.

Alembic is imported only when there is something to do: it costs 0.3 s and most starts find the schema current. A
version's file is named by its revision (0001_first_schema.py), so the newest is known without loading any.
"""

from importlib.resources import as_file

from sqlalchemy import Connection, inspect, text

from flowstudio import paths
from flowstudio.workspace.errors import NewerDatabaseError

VERSION_TABLE = "alembic_version"
ADVISORY_LOCK = 0x466C6F77
"""Any number nobody else on the server uses: one process migrates, the others wait."""


def newest() -> str:
    """The last revision this program knows."""
    names = (entry.name for entry in paths.migrations().joinpath("versions").iterdir())
    return max(name.partition("_")[0] for name in names if name.endswith(".py"))


def current(connection: Connection) -> str | None:
    """The revision the database is at, None for an empty one."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608


def upgrade(connection: Connection, place: str) -> None:
    """Runs what is missing inside the caller's transaction, or raises NewerDatabaseError with nothing touched."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
    at = current(connection)
    target = newest()
    if at is not None and at > target:
        raise NewerDatabaseError(
            f"{place} was made by a newer FlowStudio (schema {at}, this program knows {target}).",
            fix="Install that version again, or choose another folder with FLOWSTUDIO_DATA_DIR.",
        )
    if at != target:
        _run_alembic(connection, target)


def _run_alembic(connection: Connection, target: str) -> None:
    from alembic import command
    from alembic.config import Config

    with as_file(paths.migrations()) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, target)
