"""Where the vault's key comes from: ENCRYPTION_KEY, else the OS keyring, else a file only its owner may read.

A key is made only for a vault that has none yet. When the database already knows a key and none is found, that is an
error: a fresh key could not open anything and would hide the loss.
"""

import base64
import binascii
import logging
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes, token_hex

from flowstudio.settings import Settings
from flowstudio.vault.errors import BadKeyError, NoKeyError
from flowstudio.vault.os_keyring import KeyringUnavailable, OsKeyring

log = logging.getLogger(__name__)

KEY_FILE = "vault.key"
START_PATIENCE_S = 1.0
"""For a keyring that may not exist at all."""
UNLOCK_PATIENCE_S = 30.0
"""For one that may hold our key and ask its owner for a password first."""

ENVIRONMENT = "ENCRYPTION_KEY"
KEYRING = "the system keyring"


@dataclass(frozen=True, slots=True)
class FoundKey:
    """key: a Fernet key. source: where it lay, for sentences. warning: what its owner should know, or empty."""

    key: bytes = field(repr=False)
    source: str
    warning: str = ""


def find_key(settings: Settings, create: bool = True, keyring: OsKeyring | None = None) -> FoundKey:
    """The vault's key; a new one, stored where the next start finds it, only if create.

    Blocks START_PATIENCE_S at most on a keyring that does not answer, UNLOCK_PATIENCE_S when a key must exist.
    Raises NoKeyError, BadKeyError.
    """
    if settings.encryption_key:
        return FoundKey(checked_key(settings.encryption_key, ENVIRONMENT), ENVIRONMENT)
    file = settings.data_dir / KEY_FILE
    ring = keyring or OsKeyring()
    patience_s = START_PATIENCE_S if create or file.exists() else UNLOCK_PATIENCE_S
    try:
        held = ring.read(patience_s)
        trouble = ""
    except KeyringUnavailable as error:
        held, trouble = None, str(error)
    if held:
        return FoundKey(checked_key(held, KEYRING), KEYRING)
    if file.exists():
        return _from_file(file)
    if not create:
        raise _no_key(file, trouble)
    return _new_key(file, None if trouble else ring)


def checked_key(text: str, source: str) -> bytes:
    """The key as Fernet wants it. Raises BadKeyError naming the source, never the text."""
    key = text.strip().encode("ascii", "replace")
    try:
        length = len(base64.b64decode(key, altchars=b"-_", validate=True))
    except binascii.Error:
        length = 0
    if length != 32:
        raise BadKeyError(
            f"The key from {source} is no key: it must be 32 bytes in URL-safe base64 (44 characters).",
            fix="Put back the key this vault was made with.",
            facts={"source": source},
        )
    return key


def _new_key(file: Path, ring: OsKeyring | None) -> FoundKey:
    text = base64.urlsafe_b64encode(token_bytes(32)).decode()
    if ring is not None:
        try:
            ring.write(text, START_PATIENCE_S)
            return FoundKey(text.encode(), KEYRING)
        except KeyringUnavailable as error:
            log.info("The key goes to a file: %s", error)
    _write_private(file, text)
    return _from_file(file)


def _from_file(file: Path) -> FoundKey:
    try:
        _make_private(file)
        text = file.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise BadKeyError(
            f"The vault's key file {file} cannot be read: {error.strerror}.",
            fix="Give yourself read permission on it.",
            facts={"source": str(file)},
        ) from error
    warning = (
        f"There is no system keyring, so the vault's key lies in the file {file}, readable by you alone: whoever gets "
        "a copy of that file and of the database can read your credentials."
    )
    return FoundKey(checked_key(text, str(file)), str(file), warning)


def _write_private(file: Path, text: str) -> None:
    """Appears whole or not at all; when another process was first, its key stands."""
    draft = file.with_name(f"{file.name}.{token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        _publish(draft, file)
    except OSError as error:
        raise NoKeyError(
            f"The vault's key cannot be stored in {file}: {error.strerror}.",
            fix="Set ENCRYPTION_KEY, or make the data folder writable.",
            facts={"source": str(file)},
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _publish(draft: Path, file: Path) -> None:
    try:
        os.link(draft, file)
    except FileExistsError:
        return
    except OSError:
        os.replace(draft, file)  # a file system without hard links


def _make_private(file: Path) -> None:
    """A copy or a backup may have come back with wider rights."""
    if os.name == "posix" and file.stat().st_mode & 0o077:
        file.chmod(0o600)


def _no_key(file: Path, trouble: str) -> NoKeyError:
    looked = f"ENCRYPTION_KEY is not set, {trouble or 'the keyring holds none'}, and there is no {file}"
    return NoKeyError(
        f"The key of this vault is missing: {looked}.",
        fix="Unlock the keyring, set ENCRYPTION_KEY or put the key file back; then try again.",
        facts={"source": str(file)},
    )
