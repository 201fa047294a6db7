"""Settings: read once from file and environment, frozen, passed on as values."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """data_dir: database, payloads, logs. synchronous: SQLite's FULL (survives power loss) or NORMAL (kill -9 only).

    database_url: empty for SQLite in data_dir. auth: "local" or "token" (API.md, "Who is calling").
    threads: how many steps may run at once over all runs.
    """

    data_dir: Path
    database_url: str = ""
    encryption_key: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 5001
    auth: str = "local"
    allowed_origins: tuple[str, ...] = ()
    max_body_bytes: int = 10 * 1024 * 1024
    synchronous: str = "FULL"
    threads: int = 32
    theme: str = "system"
