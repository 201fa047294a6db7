"""Where encrypted credentials live. The store sees tokens only, never a plain value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

DEFAULT_NAME = "default"


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """One field of one credential: `type` is the field's name (the old tables call it so).

    A credential is all rows of one user, provider and name. encrypted_value is a Fernet token.
    """

    id: str
    user_id: str
    provider: str
    name: str
    type: str
    encrypted_value: str
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime


class SecretStore(Protocol):
    """Every method sees the rows of user_id alone."""

    def put(
        self,
        user_id: str,
        provider: str,
        name: str,
        tokens: Mapping[str, str],
        expires_at: datetime | None,
    ) -> list[StoredSecret]:
        """Stores or replaces the credential's fields (type -> token) in one transaction."""
        ...

    def rows(self, user_id: str, provider: str | None = None) -> Sequence[StoredSecret]: ...

    def delete(self, user_id: str, secret_id: str) -> bool:
        """Deletes the whole credential that the row of this id belongs to."""
        ...

    def key_check(self) -> str | None:
        """A token by which the vault knows its key; None before the first key was used. Of the whole installation."""
        ...

    def put_key_check(self, token: str) -> str:
        """Stores the token unless there is one, and returns the one that is stored."""
        ...
