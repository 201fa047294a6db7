from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from flowstudio.storage.credential_store import SqlCredentialStore
from flowstudio.storage.database import Database

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LATER = NOW + timedelta(days=9)


def ticking() -> Callable[[], datetime]:
    reads = iter(range(10_000))
    return lambda: NOW + timedelta(seconds=next(reads))


@pytest.fixture
def store(database: Database) -> SqlCredentialStore:
    return SqlCredentialStore(database, ticking())


@pytest.fixture
def with_integration(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO custom_integrations (id, user_id, name, display_name, description, auth_type, base_url, "
                "auth_header, auth_prefix, oauth_config, is_active, created_at, updated_at) "
                "VALUES ('i1', 'ann', 'crm', 'CRM', '', 'api_key', '', '', '', '{}', true, 1, 1)"
            )
        )


def shown(store: SqlCredentialStore, user: str, provider: str | None = None) -> list[tuple[str, str, str, str]]:
    return [(row.provider, row.name, row.type, row.encrypted_value) for row in store.rows(user, provider)]


def test_a_credential_is_a_row_a_field(store: SqlCredentialStore) -> None:
    rows = store.put("ann", "slack", "work", {"token": "t1", "team": "t2"}, LATER)
    assert {(row.type, row.encrypted_value, row.expires_at) for row in rows} == {
        ("token", "t1", LATER),
        ("team", "t2", LATER),
    }
    assert sorted(shown(store, "ann")) == [("slack", "work", "team", "t2"), ("slack", "work", "token", "t1")]


def test_a_replaced_field_keeps_its_id_and_its_day_of_creation(store: SqlCredentialStore) -> None:
    (old,) = store.put("ann", "slack", "work", {"token": "t1"}, LATER)
    (new,) = store.put("ann", "slack", "work", {"token": "t2"}, None)
    assert (new.id, new.created_at, new.encrypted_value, new.expires_at) == (old.id, old.created_at, "t2", None)
    assert new.updated_at > old.updated_at


def test_a_field_that_is_not_given_stays(store: SqlCredentialStore) -> None:
    store.put("ann", "slack", "work", {"token": "t1", "team": "t2"}, None)
    store.put("ann", "slack", "work", {"token": "t3"}, None)
    assert sorted(shown(store, "ann")) == [("slack", "work", "team", "t2"), ("slack", "work", "token", "t3")]


def test_deleting_by_any_field_takes_the_whole_credential(store: SqlCredentialStore) -> None:
    rows = store.put("ann", "slack", "work", {"token": "t1", "team": "t2"}, None)
    store.put("ann", "slack", "home", {"token": "t3"}, None)
    assert store.delete("ann", rows[1].id)
    assert shown(store, "ann") == [("slack", "home", "token", "t3")]


def test_a_user_sees_and_deletes_own_rows_only(store: SqlCredentialStore) -> None:
    (row,) = store.put("ann", "slack", "default", {"token": "t1"}, None)
    store.put("bob", "slack", "default", {"token": "t2"}, None)
    assert not store.delete("bob", row.id)
    assert shown(store, "ann") == [("slack", "default", "token", "t1")]
    assert shown(store, "bob") == [("slack", "default", "token", "t2")]


@pytest.mark.usefixtures("with_integration")
def test_an_integrations_credential_goes_with_it(store: SqlCredentialStore, database: Database) -> None:
    store.put("ann", "custom_i1", "default", {"api_key": "t1"}, LATER)
    (row,) = store.put("ann", "custom_i1", "default", {"api_key": "t2"}, LATER)
    assert (row.provider, row.expires_at) == ("custom_i1", LATER)
    assert shown(store, "ann", "custom_i1") == shown(store, "ann") == [("custom_i1", "default", "api_key", "t2")]
    with database.begin() as connection:
        connection.execute(text("DELETE FROM custom_integrations"))
    assert shown(store, "ann") == []


@pytest.mark.usefixtures("with_integration")
def test_an_integrations_credential_can_be_deleted_alone(store: SqlCredentialStore) -> None:
    (row,) = store.put("ann", "custom_i1", "default", {"api_key": "t1"}, None)
    assert not store.delete("bob", row.id)
    assert store.delete("ann", row.id)
    assert shown(store, "ann") == []


@pytest.mark.parametrize("provider", ["custom_api", "custom_tool"])
def test_a_provider_whose_name_only_looks_like_an_integration_is_one_like_any_other(
    store: SqlCredentialStore, provider: str
) -> None:
    store.put("ann", provider, "default", {"token": "t1"}, None)
    assert shown(store, "ann", provider) == [(provider, "default", "token", "t1")]


def test_the_first_key_check_stays(store: SqlCredentialStore) -> None:
    assert store.key_check() is None
    assert store.put_key_check("one") == "one"
    assert store.put_key_check("two") == "one"
    assert store.key_check() == "one"
