"""Fernet with several keys: the first encrypts, each may decrypt. cryptography is imported on first use (40 ms)."""

from collections.abc import Sequence


class Cipher:
    """Thread-safe. keys: Fernet keys, the current one first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet

        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._invalid = InvalidToken

    def encrypt(self, value: str) -> str:
        return self._fernet.encrypt(value.encode("utf-8", "surrogatepass")).decode()

    def decrypt(self, token: str) -> str | None:
        """None when no key fits or the token is damaged."""
        try:
            return self._fernet.decrypt(token.encode()).decode("utf-8", "surrogatepass")
        except (self._invalid, ValueError):
            return None
