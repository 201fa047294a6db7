import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from flowstudio.storage.credential_store import SqlCredentialStore
from flowstudio.storage.database import Database
from flowstudio.vault.errors import (
    AmbiguousCredentialError,
    BadKeyError,
    CredentialExpiredError,
    DamagedSecretError,
    NoVariableError,
    VaultError,
    WrongKeyError,
)
from flowstudio.vault.keys import FoundKey
from flowstudio.vault.redact import MASK
from flowstudio.vault.vault import Vault

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KEY = Fernet.generate_key()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/flow.db", "NORMAL")
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> SqlCredentialStore:
    return SqlCredentialStore(database)


@pytest.fixture
def vault(store: SqlCredentialStore) -> Vault:
    return Vault(store, KEY, env={"MY_TOKEN": "from-outside", "DATABASE_URL": "postgresql://"}, now=lambda: NOW)


def test_what_was_saved_is_read_again_by_its_user(vault: Vault) -> None:
    vault.save("ann", "slack", "work", {"token": "xoxb-1", "team": "ß \ud800"})
    assert vault.fields("ann", "slack", "work") == {"token": "xoxb-1", "team": "ß \ud800"}


def test_another_user_has_nothing(vault: Vault) -> None:
    (secret_id,) = vault.save("ann", "slack", "default", {"token": "xoxb-1"})
    assert vault.fields("bob", "slack") is None
    assert vault.list("bob") == []
    assert not vault.delete("bob", secret_id)


def test_the_database_never_holds_the_value(vault: Vault, database: Database, tmp_path: Path) -> None:
    vault.save("ann", "slack", "default", {"token": "plain-value-to-find"})
    database.close()
    assert b"plain-value-to-find" not in b"".join(file.read_bytes() for file in tmp_path.glob("flow.db*"))


def test_without_a_name_the_default_one_is_meant(vault: Vault) -> None:
    vault.save("ann", "slack", "default", {"token": "one"})
    vault.save("ann", "slack", "work", {"token": "two"})
    assert vault.fields("ann", "slack") == {"token": "one"}


def test_without_a_name_the_only_one_is_meant(vault: Vault) -> None:
    vault.save("ann", "slack", "work", {"token": "two"})
    assert vault.fields("ann", "slack") == {"token": "two"}


def test_without_a_name_two_are_one_too_many(vault: Vault) -> None:
    vault.save("ann", "slack", "work", {"token": "two"})
    vault.save("ann", "slack", "home", {"token": "three"})
    with pytest.raises(AmbiguousCredentialError, match=r"home, work.*Choose one in the step"):
        vault.fields("ann", "slack")


def test_a_name_that_does_not_exist_is_none(vault: Vault) -> None:
    vault.save("ann", "slack", "work", {"token": "two"})
    assert vault.fields("ann", "slack", "home") is None


def test_an_expired_credential_is_a_sentence(vault: Vault) -> None:
    vault.save("ann", "slack", "default", {"token": "one"}, NOW)
    with pytest.raises(CredentialExpiredError, match="expired on 2026-03-04 at 05:06 UTC"):
        vault.fields("ann", "slack")


def test_a_credential_that_is_still_valid_is_read(vault: Vault) -> None:
    vault.save("ann", "slack", "default", {"token": "one"}, NOW + timedelta(seconds=1))
    assert vault.fields("ann", "slack") == {"token": "one"}


def test_a_value_can_come_from_the_environment_at_each_call(store: SqlCredentialStore) -> None:
    env = {"MY_TOKEN": "first"}
    vault = Vault(store, KEY, env=env)
    vault.save("ann", "slack", "default", {"token": "env:MY_TOKEN"})
    env["MY_TOKEN"] = "second"
    assert vault.fields("ann", "slack") == {"token": "second"}


def test_a_variable_that_is_not_set_is_a_sentence(vault: Vault) -> None:
    vault.save("ann", "slack", "default", {"token": "env:MISSING"})
    with pytest.raises(NoVariableError, match=r"slack takes its token.*MISSING, which is not set"):
        vault.fields("ann", "slack")


@pytest.mark.parametrize("name", ["ENCRYPTION_KEY", "DATABASE_URL", "FLOWSTUDIO_PORT", " database_url"])
def test_our_own_variables_are_no_credentials(vault: Vault, name: str) -> None:
    with pytest.raises(NoVariableError, match="belongs to FlowStudio"):
        vault.save("ann", "http", "default", {"token": f"env:{name}"})


def test_the_list_shows_names_types_and_dates_without_needing_the_key(vault: Vault, store: SqlCredentialStore) -> None:
    expires = NOW + timedelta(days=1)
    ids = vault.save("ann", "slack", "work", {"token": "xoxb-1", "team": "T1"}, expires)
    (info,) = Vault(store, Fernet.generate_key()).list("ann")
    assert (info.provider, info.name, set(info.types), info.expires_at) == ("slack", "work", {"token", "team"}, expires)
    assert info.id in ids
    assert "xoxb-1" not in repr(info)


def test_a_deleted_credential_is_gone_whole(vault: Vault) -> None:
    ids = vault.save("ann", "slack", "work", {"token": "xoxb-1", "team": "T1"})
    assert vault.delete("ann", ids[1])
    assert vault.fields("ann", "slack", "work") is None


def test_a_credential_without_fields_is_refused(vault: Vault) -> None:
    with pytest.raises(VaultError, match="at least one field"):
        vault.save("ann", "slack", "work", {})


def test_a_wrong_key_reads_and_writes_nothing(vault: Vault, store: SqlCredentialStore, database: Database) -> None:
    vault.save("ann", "slack", "default", {"token": "one"})
    before = contents(database)
    wrong = Vault(store, Fernet.generate_key())
    with pytest.raises(WrongKeyError, match="nothing was read or changed") as caught:
        wrong.fields("ann", "slack")
    with pytest.raises(WrongKeyError):
        wrong.save("ann", "slack", "default", {"token": "two"})
    assert caught.value.code == "vault.wrong_key"
    assert contents(database) == before


def contents(database: Database) -> list[tuple[object, ...]]:
    with database.reading() as connection:
        tables = ("meta", "provider_credentials")
        return [tuple(row) for name in tables for row in connection.execute(text(f"SELECT * FROM {name}"))]


def test_the_right_key_opens_the_vault_after_a_wrong_one_was_tried(store: SqlCredentialStore) -> None:
    Vault(store, KEY).save("ann", "slack", "default", {"token": "one"})
    keys = iter([Fernet.generate_key(), KEY])
    vault = Vault(store, lambda create: FoundKey(next(keys), "a test"))
    with pytest.raises(WrongKeyError, match="key from a test"):
        vault.unlock()
    assert vault.fields("ann", "slack") == {"token": "one"}


def test_a_new_key_may_be_made_for_a_new_vault_only(store: SqlCredentialStore) -> None:
    asked: list[bool] = []

    def find(create: bool) -> FoundKey:
        asked.append(create)
        return FoundKey(KEY, "a test")

    Vault(store, find).unlock()
    Vault(store, find).unlock()
    assert asked == [True, False]


@pytest.mark.logs("the key lies in a file")
def test_what_its_owner_should_know_of_the_key_is_logged(store: SqlCredentialStore) -> None:
    vault = Vault(store, lambda create: FoundKey(KEY, "a test", "Beware: the key lies in a file."))
    assert vault.unlock().warning == "Beware: the key lies in a file."


def test_the_key_is_not_looked_for_before_it_is_needed(store: SqlCredentialStore) -> None:
    def find(create: bool) -> FoundKey:
        raise AssertionError("too early")

    vault = Vault(store, find)
    assert vault.list("ann") == []
    assert vault.fields("ann", "slack") is None


def test_a_key_that_is_none_is_a_sentence_without_it(store: SqlCredentialStore) -> None:
    with pytest.raises(BadKeyError) as caught:
        Vault(store, b"not-a-key").unlock()
    assert "not-a-key" not in str(caught.value)


def test_a_damaged_value_is_named(vault: Vault, database: Database) -> None:
    vault.save("ann", "slack", "default", {"token": "one"})
    with database.begin() as connection:
        connection.execute(text("UPDATE provider_credentials SET encrypted_value = 'gAAAAAxx'"))
    with pytest.raises(DamagedSecretError, match="stored token of the credential “default” for slack is damaged"):
        vault.fields("ann", "slack")


def test_what_is_handed_out_is_masked_from_then_on(vault: Vault) -> None:
    vault.save("ann", "slack", "default", {"token": "a-curious-value"})
    vault.fields("ann", "slack")
    assert vault.redactor.text("the server said a-curious-value!") == f"the server said {MASK}!"


def test_no_value_is_logged(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        vault.save("ann", "slack", "default", {"token": "a-curious-value"})
        vault.fields("ann", "slack")
    assert "a-curious-value" not in caplog.text
