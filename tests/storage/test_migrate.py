import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from flowstudio.storage import migrate
from flowstudio.storage.database import Database
from flowstudio.storage.tables import metadata
from flowstudio.workspace.errors import NewerDatabaseError


def test_the_migrations_make_exactly_the_tables_the_stores_use(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_old_services_tables_keep_their_names(database: Database) -> None:
    old = {
        "execution_plans",
        "execution_logs",
        "provider_credentials",
        "custom_integrations",
        "custom_integration_actions",
        "custom_integration_credentials",
    }
    with database.reading() as connection:
        assert old <= set(inspect(connection).get_table_names())


def test_a_second_upgrade_changes_nothing(database: Database) -> None:
    database.upgrade()
    with database.reading() as connection:
        assert migrate.current(connection) == migrate.newest()


def test_a_database_of_a_newer_program_is_refused_untouched(sqlite: Database) -> None:
    with sqlite.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabaseError, match="newer FlowStudio"):
        sqlite.upgrade()


def test_two_programs_starting_at_once_make_one_schema(new_sqlite) -> None:
    databases = [new_sqlite(busy_timeout_s=10) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(Database.upgrade, databases)) == [None] * 3


def test_three_programs_starting_at_once_on_one_server_make_one_schema(postgres_url: str) -> None:
    server = Database(postgres_url)
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE DATABASE fresh")
    server.close()
    databases = [Database(postgres_url.replace("/postgres?", "/fresh?")) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(Database.upgrade, databases)) == [None] * 3
    for database in databases:
        database.close()


def test_a_migration_that_breaks_leaves_an_empty_database(new_sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    database = new_sqlite()
    run = migrate._run_alembic

    def broken(connection, target: str) -> None:
        run(connection, target)
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrate, "_run_alembic", broken)
    with pytest.raises(RuntimeError):
        database.upgrade()
    with database.reading() as connection:
        assert inspect(connection).get_table_names() == []


def test_a_current_schema_is_seen_without_loading_alembic(tmp_path: Path, new_sqlite) -> None:
    new_sqlite().upgrade()
    code = (
        "import sys; from flowstudio.storage.database import Database\n"
        "database = Database(sys.argv[1]); database.upgrade(); database.close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, f"sqlite:///{tmp_path}/flow.db"]).returncode == 0


def test_the_first_schema_can_be_taken_down_again(new_sqlite) -> None:
    database = new_sqlite()
    database.upgrade()
    config = Config()
    config.set_main_option("script_location", str(migrate.paths.migrations()))
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with database.reading() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
