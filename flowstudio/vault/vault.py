"""The vault: credentials encrypted at rest with Fernet, decrypted for the length of one call.

The first use makes a key check value: a token of a known text, stored beside the credentials. Every later start must
decrypt it before anything else is read or written, so a wrong key is one loud sentence and no mixture of two keys.
"""

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TypeAlias

from flowstudio.vault.cipher import Cipher
from flowstudio.vault.errors import (
    AmbiguousCredentialError,
    CredentialExpiredError,
    DamagedSecretError,
    NoVariableError,
    VaultError,
    WrongKeyError,
)
from flowstudio.vault.keys import FoundKey, checked_key
from flowstudio.vault.ports import DEFAULT_NAME, SecretStore, StoredSecret
from flowstudio.vault.redact import Redactor

log = logging.getLogger(__name__)

CHECK = "flowstudio vault"
FROM_ENVIRONMENT = "env:"
OURS = ("ENCRYPTION_KEY", "DATABASE_URL", "FLOWSTUDIO_")
"""Variables no credential may read: they are the installation's own secrets, not a user's."""

KeySource: TypeAlias = Callable[[bool], FoundKey]
"""Finds the key; may make a new one only when told True. `partial(find_key, settings)`."""


@dataclass(frozen=True, slots=True)
class CredentialInfo:
    """A credential without its values. id: of its first field. types: its fields' names. expires_at: the earliest."""

    id: str
    provider: str
    name: str
    types: tuple[str, ...]
    expires_at: datetime | None
    created_at: datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


class Vault:
    """Thread-safe. The key is looked for on first need, so that building a vault costs nothing.

    key: a Fernet key, or where to find one. redactor: learns every value that is decrypted.
    """

    def __init__(
        self,
        store: SecretStore,
        key: bytes | KeySource,
        *,
        redactor: Redactor | None = None,
        env: Mapping[str, str] = os.environ,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._key = key
        self.redactor = redactor or Redactor()
        self._env = env
        self._now = now
        self._lock = threading.Lock()
        self._opened: tuple[Cipher, FoundKey] | None = None

    def unlock(self) -> FoundKey:
        """Finds and checks the key now; says where it lay and what to warn of.

        Raises WrongKeyError, NoKeyError, BadKeyError, with nothing changed; a later call tries again.
        """
        return self._open()[1]

    def fields(self, user_id: str, provider: str, name: str | None = None) -> Mapping[str, str] | None:
        """Field name -> plain value of the user's credential; None when there is none.

        name None: the one named "default", else the only one. Raises CredentialExpiredError, NoVariableError,
        AmbiguousCredentialError, DamagedSecretError and what unlock raises.
        """
        rows = _chosen(self._store.rows(user_id, provider), provider, name)
        if not rows:
            return None
        self._refuse_expired(rows)
        cipher = self._open()[0]
        values = {row.type: self._resolved(row, _decrypted(cipher, row)) for row in rows}
        self.redactor.learn(values.values())
        return values

    def save(
        self,
        user_id: str,
        provider: str,
        name: str,
        fields: Mapping[str, str],
        expires_at: datetime | None = None,
    ) -> list[str]:
        """Stores or replaces these fields of the credential and returns their ids, in the order of fields.

        A value `env:NAME` is read from the environment at each call instead.
        """
        if not fields:
            raise VaultError("A credential needs at least one field.")
        for type_, value in fields.items():
            _refuse_our_own(type_, value)
        cipher = self._open()[0]
        tokens = {type_: cipher.encrypt(value) for type_, value in fields.items()}
        ids = {row.type: row.id for row in self._store.put(user_id, provider, name or DEFAULT_NAME, tokens, expires_at)}
        return [ids[type_] for type_ in fields]

    def list(self, user_id: str) -> list[CredentialInfo]:
        """Without values and without needing the key; by provider and name."""
        rows = sorted(self._store.rows(user_id), key=_of)
        return [_info(list(group)) for _, group in groupby(rows, key=_of)]

    def delete(self, user_id: str, secret_id: str) -> bool:
        """Deletes the whole credential that this id, of any of its fields, belongs to."""
        return self._store.delete(user_id, secret_id)

    def _open(self) -> tuple[Cipher, FoundKey]:
        with self._lock:
            if self._opened is None:
                self._opened = self._unlocked()
            return self._opened

    def _unlocked(self) -> tuple[Cipher, FoundKey]:
        check = self._store.key_check()
        found = self._found(is_new=check is None)
        cipher = Cipher([found.key])
        if check is None:
            check = self._store.put_key_check(cipher.encrypt(CHECK))
        if cipher.decrypt(check) != CHECK:
            raise WrongKeyError(
                f"The key from {found.source} is not the one this vault was made with; nothing was read or changed.",
                fix="Start FlowStudio with the right key. A lost key cannot be replaced: "
                "without it the stored credentials must be entered again.",
                facts={"source": found.source},
            )
        if found.warning:
            log.warning(found.warning)
        return cipher, found

    def _found(self, *, is_new: bool) -> FoundKey:
        if callable(self._key):
            return self._key(is_new)
        return FoundKey(checked_key(self._key.decode("ascii", "replace"), "the settings"), "the settings")

    def _refuse_expired(self, rows: Sequence[StoredSecret]) -> None:
        ends = _earliest(rows)
        if ends is not None and ends <= self._now():
            raise CredentialExpiredError(
                f"The credential “{rows[0].name}” for {rows[0].provider} expired on {ends:%Y-%m-%d at %H:%M} UTC.",
                fix="Store a fresh one under Credentials.",
                facts={"provider": rows[0].provider, "credential": rows[0].name, "expires_at": ends.isoformat()},
            )

    def _resolved(self, row: StoredSecret, value: str) -> str:
        if not value.startswith(FROM_ENVIRONMENT):
            return value
        name = value.removeprefix(FROM_ENVIRONMENT).strip()
        _refuse_our_own(row.type, value)
        if not self._env.get(name):
            raise NoVariableError(
                f"The credential “{row.name}” for {row.provider} takes its {row.type} from the environment variable "
                f"{name}, which is not set.",
                fix=f"Set {name} before FlowStudio starts, or store the value itself.",
                facts={"provider": row.provider, "credential": row.name, "variable": name},
            )
        return self._env[name]


def _chosen(rows: Sequence[StoredSecret], provider: str, name: str | None) -> list[StoredSecret]:
    names = sorted({row.name for row in rows})
    if name is None and DEFAULT_NAME not in names and len(names) > 1:
        raise AmbiguousCredentialError(
            f"There are several credentials for {provider} ({', '.join(names)}) and none is named default.",
            fix="Choose one in the step.",
            facts={"provider": provider, "credentials": names},
        )
    wanted = name or (DEFAULT_NAME if DEFAULT_NAME in names or not names else names[0])
    return [row for row in rows if row.name == wanted]


def _decrypted(cipher: Cipher, row: StoredSecret) -> str:
    value = cipher.decrypt(row.encrypted_value)
    if value is None:
        raise DamagedSecretError(
            f"The stored {row.type} of the credential “{row.name}” for {row.provider} is damaged.",
            fix="Store it again under Credentials.",
            facts={"provider": row.provider, "credential": row.name, "type": row.type},
        )
    return value


def _refuse_our_own(type_: str, value: str) -> None:
    name = value.removeprefix(FROM_ENVIRONMENT).strip().upper()
    if value.startswith(FROM_ENVIRONMENT) and name.startswith(OURS):
        raise NoVariableError(
            f"{type_}: the environment variable {name} belongs to FlowStudio itself and is no credential.",
            fix="Name another variable.",
            facts={"variable": name},
        )


def _of(row: StoredSecret) -> tuple[str, str]:
    return (row.provider, row.name)


def _info(rows: Sequence[StoredSecret]) -> CredentialInfo:
    rows = sorted(rows, key=lambda row: (row.created_at, row.type))
    first = rows[0]
    types = tuple(row.type for row in rows)
    return CredentialInfo(first.id, first.provider, first.name, types, _earliest(rows), first.created_at)


def _earliest(rows: Sequence[StoredSecret]) -> datetime | None:
    return min((row.expires_at for row in rows if row.expires_at is not None), default=None)
