"""The operating system's keyring, asked with patience: it may be absent, locked, or waiting for a person's password.

keyring is imported on first use (70 ms), and every call runs on a thread of its own: a daemon that does not answer must
not hold up what asked.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from secrets import token_hex
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

log = logging.getLogger(__name__)

SERVICE = "FlowStudio"
ENTRY = "vault-key"
PROBE = "probe"
UNFIT = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt.file")
"""Backends that keep nothing, or keep it in a readable file: our own key file is better than the last."""

T = TypeVar("T")


class KeyringUnavailable(Exception):
    """There is no keyring to speak of; the text says why, in a few words without secrets."""


def system_backend() -> "KeyringBackend":
    """What the system offers."""
    import keyring

    return keyring.get_keyring()


class OsKeyring:
    """Holds one entry: the vault's key as text. patience_s bounds each call. Raises KeyringUnavailable."""

    def __init__(self, backend: "Callable[[], KeyringBackend]" = system_backend) -> None:
        self._backend = backend

    def read(self, patience_s: float) -> str | None:
        """None when the keyring works but holds no key of ours."""
        return _patiently(lambda: self._fit().get_password(SERVICE, ENTRY), patience_s)

    def write(self, text: str, patience_s: float) -> None:
        """Stores the key after a round trip has shown that the keyring keeps what it is given."""
        _patiently(lambda: self._write(text), patience_s)

    def _write(self, text: str) -> None:
        backend = self._fit()
        trial = token_hex(8)
        backend.set_password(SERVICE, PROBE, trial)
        kept = backend.get_password(SERVICE, PROBE)
        backend.delete_password(SERVICE, PROBE)
        if kept != trial:
            raise KeyringUnavailable("the keyring does not keep what it is given")
        backend.set_password(SERVICE, ENTRY, text)
        if backend.get_password(SERVICE, ENTRY) != text:
            raise KeyringUnavailable("the keyring did not keep the key")

    def _fit(self) -> "KeyringBackend":
        backend = self._backend()
        module = type(backend).__module__
        if module.startswith(UNFIT) or backend.priority <= 0:
            raise KeyringUnavailable("this system has no keyring")
        return backend


def _patiently(ask: Callable[[], T], patience_s: float) -> T:
    answer: Future[T] = Future()
    threading.Thread(target=_settle, args=(answer, ask), name="flowstudio-keyring", daemon=True).start()
    try:
        return answer.result(patience_s)
    except TimeoutError as error:
        raise KeyringUnavailable(f"the keyring did not answer within {patience_s:g} s") from error


def _settle(answer: "Future[T]", ask: Callable[[], T]) -> None:
    """The thread's outermost frame. A backend may raise anything from D-Bus, Keychain or Windows, not only its own."""
    try:
        answer.set_result(ask())
    except KeyringUnavailable as error:
        answer.set_exception(error)
    except Exception as error:
        log.debug("The keyring failed", exc_info=True)
        answer.set_exception(KeyringUnavailable(f"the keyring failed ({type(error).__name__})"))
