"""Encrypted credentials in the old service's two tables.

A user's own integration acts as provider `custom_<its id>`; its credentials live in custom_integration_credentials and
go when it goes. All others, `custom_api` and `custom_tool` among them, live in provider_credentials.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Select, Table, delete, literal, select

from flowstudio.storage.database import Database
from flowstudio.storage.tables import (
    custom_integration_credentials,
    custom_integrations,
    meta,
    provider_credentials,
)
from flowstudio.vault.ports import StoredSecret

INTEGRATION = "custom_"
KEY_CHECK = "vault.key_check"
UNIQUE = {"user_id", "name", "provider", "type", "integration_id", "credential_type"}
"""Columns that tell one field of a credential from another, in either table."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class SqlCredentialStore:
    """vault.ports.SecretStore. Thread-safe; sees tokens only."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    def put(
        self,
        user_id: str,
        provider: str,
        name: str,
        tokens: Mapping[str, str],
        expires_at: datetime | None,
    ) -> list[StoredSecret]:
        """Stores or replaces these fields in one transaction; the credential's other fields and all ids stay."""
        with self._database.begin(user_id) as connection:
            integration = _integration(connection, user_id, provider)
            for type_, token in tokens.items():
                row = self._new_row(user_id, name, token)
                if integration is None:
                    self._upsert(connection, provider_credentials, row | _plain_columns(provider, type_, expires_at))
                else:
                    columns = _custom_columns(integration, type_, expires_at)
                    self._upsert(connection, custom_integration_credentials, row | columns)
            rows = _rows(connection, user_id, provider)
        return [row for row in rows if row.name == name and row.type in tokens]

    def rows(self, user_id: str, provider: str | None = None) -> Sequence[StoredSecret]:
        with self._database.reading(user_id) as connection:
            return _rows(connection, user_id, provider)

    def delete(self, user_id: str, secret_id: str) -> bool:
        """Deletes the whole credential that the row belongs to."""
        plain, custom = provider_credentials, custom_integration_credentials
        with self._database.begin(user_id) as connection:
            row = connection.execute(select(plain).filter_by(user_id=user_id, id=secret_id)).mappings().first()
            if row:
                key = {"user_id": user_id, "provider": row["provider"], "name": row["name"]}
                return bool(connection.execute(delete(plain).filter_by(**key)).rowcount)
            row = connection.execute(select(custom).filter_by(user_id=user_id, id=secret_id)).mappings().first()
            if row:
                key = {"user_id": user_id, "integration_id": row["integration_id"], "name": row["name"]}
                return bool(connection.execute(delete(custom).filter_by(**key)).rowcount)
        return False

    def key_check(self) -> str | None:
        with self._database.reading() as connection:
            return _key_check(connection)

    def put_key_check(self, token: str) -> str:
        """Stores the token unless there is one, and returns the one that is stored."""
        with self._database.begin() as connection:
            row = {"key": KEY_CHECK, "value": token}
            connection.execute(self._database.insert(meta).on_conflict_do_nothing(), row)
            return _key_check(connection) or token

    def _new_row(self, user_id: str, name: str, token: str) -> dict[str, Any]:
        now = self._now()
        return {
            "id": str(uuid4()),
            "user_id": user_id,
            "name": name,
            "encrypted_value": token,
            "created_at": now,
            "updated_at": now,
        }

    def _upsert(self, connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
        insert = self._database.insert(table).values(row)
        keys = UNIQUE & row.keys()
        changed = {column: insert.excluded[column] for column in row.keys() - keys - {"id", "created_at"}}
        connection.execute(insert.on_conflict_do_update(index_elements=sorted(keys), set_=changed))


def _plain_columns(provider: str, type_: str, expires_at: datetime | None) -> dict[str, Any]:
    return {"provider": provider, "type": type_, "expires_at": expires_at}


def _custom_columns(integration: str, type_: str, expires_at: datetime | None) -> dict[str, Any]:
    return {
        "integration_id": integration,
        "credential_type": type_,
        "token_expires_at": expires_at,
        "is_valid": True,
        "last_validated_at": None,
    }


def _key_check(connection: Connection) -> str | None:
    return connection.execute(select(meta.c.value).filter_by(key=KEY_CHECK)).scalar()


def _integration(connection: Connection, user_id: str, provider: str) -> str | None:
    """The id of the user's integration that acts as this provider."""
    if not provider.startswith(INTEGRATION):
        return None
    wanted = {"user_id": user_id, "id": provider.removeprefix(INTEGRATION)}
    return connection.execute(select(custom_integrations.c.id).filter_by(**wanted)).scalar()


def _rows(connection: Connection, user_id: str, provider: str | None) -> list[StoredSecret]:
    """Of both tables, by age."""
    queries: list[Select[Any]] = []
    if provider is None or not provider.startswith(INTEGRATION):
        queries = [_plain(user_id, provider)] if provider else [_plain(user_id, None), _custom(user_id, None)]
    else:
        queries = [_plain(user_id, provider), _custom(user_id, provider.removeprefix(INTEGRATION))]
    found = [StoredSecret(**row) for query in queries for row in connection.execute(query).mappings()]
    return sorted(found, key=lambda row: (row.created_at, row.type))


def _plain(user_id: str, provider: str | None) -> Select[Any]:
    query = select(provider_credentials).filter_by(user_id=user_id)
    return query if provider is None else query.filter_by(provider=provider)


def _custom(user_id: str, integration: str | None) -> Select[Any]:
    table = custom_integration_credentials.c
    query = select(
        table.id,
        table.user_id,
        (literal(INTEGRATION) + table.integration_id).label("provider"),
        table.name,
        table.credential_type.label("type"),
        table.encrypted_value,
        table.token_expires_at.label("expires_at"),
        table.created_at,
        table.updated_at,
    ).where(table.user_id == user_id)
    return query if integration is None else query.where(table.integration_id == integration)
