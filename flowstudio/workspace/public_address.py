"""Where callers from outside reach this installation."""

from flowstudio.settings import Settings

RESUME = "/api/resume/"


class PublicAddress:
    """The `public_url` of the settings, else where the server listens. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._is_fixed = bool(settings.public_url)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self._base = settings.public_url or f"http://{host}:{settings.port}"

    def listens_at(self, address: str) -> None:
        """The server listens, perhaps on another port than the settings ask for."""
        if not self._is_fixed:
            self._base = address

    def to_resume(self, key: str) -> str:
        """The address whose call resumes the run that has this key."""
        return f"{self._base}{RESUME}{key}"
