from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from flowstudio.storage.credential_store import SqlCredentialStore
from flowstudio.storage.database import Database
from flowstudio.storage.integration_store import SqlIntegrationStore
from flowstudio.workspace.errors import NoSuchIntegrationError
from flowstudio.workspace.ports import Integration

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LIST = {"id": "list", "name": "List", "description": "", "method": "GET", "endpoint": "/x", "params": ["q"]}
ADD = {
    "id": "add",
    "name": "Add",
    "description": "Adds",
    "method": "POST",
    "endpoint": "/x",
    "params": [],
    "colour": "red",
}
CRM = Integration(
    "i1",
    "ann",
    "crm",
    "CRM",
    "Our customers",
    "api_key",
    {"base_url": "https://crm.example", "auth_header": "X-Key", "auth_prefix": "", "scope": ["a"]},
    (LIST, ADD),
    NOW,
    NOW,
)


@pytest.fixture
def store(database: Database) -> SqlIntegrationStore:
    return SqlIntegrationStore(database)


def test_an_integration_comes_back_as_it_went(store: SqlIntegrationStore) -> None:
    store.save(CRM)
    assert store.get("ann", "i1") == CRM


def test_saving_again_replaces_actions_and_keeps_the_day_of_creation(store: SqlIntegrationStore) -> None:
    store.save(CRM)
    later = NOW + timedelta(hours=1)
    changed = replace(CRM, display_name="CRM 2", actions=(ADD,), created_at=later, updated_at=later)
    store.save(changed)
    assert store.get("ann", "i1") == replace(changed, created_at=NOW)


def test_saving_again_keeps_its_credentials(store: SqlIntegrationStore, database: Database) -> None:
    store.save(CRM)
    credentials = SqlCredentialStore(database)
    credentials.put("ann", "custom_i1", "default", {"api_key": "token"}, None)
    store.save(CRM)
    assert len(credentials.rows("ann")) == 1


def test_deleting_takes_actions_and_credentials_along(store: SqlIntegrationStore, database: Database) -> None:
    store.save(CRM)
    SqlCredentialStore(database).put("ann", "custom_i1", "default", {"api_key": "token"}, None)
    assert store.delete("ann", "i1")
    assert not store.delete("ann", "i1")
    with database.reading() as connection:
        for table in ("custom_integration_actions", "custom_integration_credentials"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0


def test_a_user_sees_and_changes_own_integrations_only(store: SqlIntegrationStore) -> None:
    store.save(CRM)
    assert store.get("bob", "i1") is None
    assert store.list("bob") == []
    assert not store.delete("bob", "i1")
    with pytest.raises(NoSuchIntegrationError):
        store.save(replace(CRM, user_id="bob"))
    assert store.get("ann", "i1") == CRM


def test_two_users_may_use_one_name(store: SqlIntegrationStore) -> None:
    store.save(CRM)
    store.save(replace(CRM, id="i2", user_id="bob"))
    assert [each.id for each in store.list("bob")] == ["i2"]


def test_one_user_may_not_use_a_name_twice(store: SqlIntegrationStore) -> None:
    store.save(CRM)
    with pytest.raises(IntegrityError):
        store.save(replace(CRM, id="i2"))


def test_integrations_are_listed_oldest_first_with_their_own_actions(store: SqlIntegrationStore) -> None:
    second = replace(CRM, id="i0", name="erp", actions=(LIST,), created_at=NOW + timedelta(hours=1))
    store.save(second)
    store.save(CRM)
    assert store.list("ann") == [CRM, second]


def test_other_programs_find_the_old_columns_filled(store: SqlIntegrationStore, database: Database) -> None:
    store.save(CRM)
    with database.reading() as connection:
        row = connection.execute(text("SELECT base_url, auth_header, auth_prefix FROM custom_integrations")).one()
    assert tuple(row) == ("https://crm.example", "X-Key", "")
