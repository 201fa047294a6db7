"""Tokens: who may call the server when it does not stand on loopback alone. Kept as hashes, shown once."""

import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from flowstudio.workspace.errors import StorageError, WorkspaceError
from flowstudio.workspace.files import write_file

PREFIX = "fs_"


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """id: the first characters of the hash, enough to name the token when it is revoked."""

    id: str
    user_id: str


class Tokens:
    """A private file of hash -> user. Read again whenever it changed, so a revoked token ends at once everywhere."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()
        self._known: dict[str, str] = {}
        self._stamp: tuple[int, int] | None = None

    def create(self, user_id: str) -> str:
        """A new token of user_id. It is not kept: who loses it makes another."""
        token = PREFIX + secrets.token_urlsafe(32)
        with self._lock:
            self._write({**self._read(), _hash(token): user_id})
        return token

    def user_of(self, token: str) -> str | None:
        with self._lock:
            return self._read().get(_hash(token))

    def list(self) -> Sequence[TokenInfo]:
        with self._lock:
            return [TokenInfo(digest[:12], user) for digest, user in sorted(self._read().items())]

    def revoke(self, token_id: str) -> bool:
        """False when there is no such token."""
        with self._lock:
            known = self._read()
            left = {digest: user for digest, user in known.items() if digest[:12] != token_id}
            if len(left) < len(known):
                self._write(left)
            return len(left) < len(known)

    def _read(self) -> dict[str, str]:
        try:
            found = self._file.stat()
        except FileNotFoundError:
            self._known, self._stamp = {}, None
            return self._known
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._known, self._stamp = _parse(self._file), stamp
        return self._known

    def _write(self, known: dict[str, str]) -> None:
        if not self._file.exists():
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(self._file, os.O_CREAT | os.O_WRONLY, 0o600))
            except OSError as error:
                raise StorageError(f"{self._file} cannot be written: {error.strerror}.") from error
        write_file(self._file, json.dumps(known, indent=2, sort_keys=True).encode())
        self._stamp = None


def _parse(file: Path) -> dict[str, str]:
    try:
        document = json.loads(file.read_bytes() or b"{}")
    except ValueError as error:
        raise WorkspaceError(f"{file} is damaged.", fix="Remove it and make new tokens.") from error
    if not isinstance(document, dict):
        raise WorkspaceError(f"{file} is damaged.", fix="Remove it and make new tokens.")
    return {str(digest): str(user) for digest, user in document.items()}


def _hash(token: str) -> str:
    # The token has 256 random bits: a plain digest cannot be guessed back, and looking it up leaks nothing by its time.
    return hashlib.sha256(token.encode()).hexdigest()
