"""Credentials: what a user keeps in the vault. Values go in; only names, types and dates come out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from flowstudio.engine.ports import Clock
from flowstudio.providers.registry import Registry
from flowstudio.vault.keys import FoundKey
from flowstudio.vault.ports import DEFAULT_NAME
from flowstudio.vault.vault import CredentialInfo
from flowstudio.workspace.errors import BadRequestError


class SecretKeeper(Protocol):
    """The part of the vault that use cases need."""

    def save(
        self,
        user_id: str,
        provider: str,
        name: str,
        fields: Mapping[str, str],
        expires_at: datetime | None = None,
    ) -> Sequence[str]: ...

    def list(self, user_id: str) -> Sequence[CredentialInfo]: ...
    def delete(self, user_id: str, secret_id: str) -> bool: ...
    def unlock(self) -> FoundKey: ...


class Credentials:
    """Thread-safe. Values are never returned, logged or put into errors."""

    def __init__(self, vault: SecretKeeper, catalogue: Callable[[str], Registry], clock: Clock) -> None:
        self._vault = vault
        self._catalogue = catalogue
        self._clock = clock

    def save(
        self,
        user_id: str,
        provider: str,
        fields: Mapping[str, str],
        name: str = DEFAULT_NAME,
        expires_at: datetime | None = None,
    ) -> Sequence[str]:
        """Stores or replaces the credential and returns the ids of its fields.

        provider: an id or an alias; kept under the id, so every alias finds it. Raises BadRequestError, VaultError.
        """
        if not provider.strip():
            raise BadRequestError("`provider` is missing.", facts={"field": "provider"})
        if not fields:
            raise BadRequestError("`credentials` is empty: there is nothing to store.", facts={"field": "credentials"})
        for field, value in fields.items():
            if not field or not value:
                raise BadRequestError(f"The value of `{field or 'type'}` is empty.", facts={"field": field or "type"})
        manifest = self._catalogue(user_id).provider(provider)
        return self._vault.save(user_id, manifest.id if manifest else provider, name, fields, expires_at)

    def list(self, user_id: str) -> Sequence[CredentialInfo]:
        return self._vault.list(user_id)

    def delete(self, user_id: str, credential_id: str) -> bool:
        """False when the user has no such credential."""
        return self._vault.delete(user_id, credential_id)

    def unlock(self) -> str:
        """Finds and checks the vault's key now; returns what its owner should know about where it lies, "" for nothing.

        Raises VaultError: a wrong key, or none where there must be one. May wait a second for the system keyring.
        """
        return self._vault.unlock().warning

    def valid_providers(self, user_id: str) -> frozenset[str]:
        """Providers for which the user has a credential that has not expired."""
        now = self._clock.now()
        return frozenset(
            each.provider for each in self._vault.list(user_id) if each.expires_at is None or each.expires_at > now
        )
