"""Settings: read once from file and environment, frozen, passed on as values.

Later wins: the defaults, `config.toml` in the data folder, the environment (`FLOWSTUDIO_PORT=5002`; `DATABASE_URL` and
`ENCRYPTION_KEY` as the old service read them), what the caller passes (command line options).
A key for the vault is never read from the file: a backup or a screenshot of it must not hold the key to everything.
"""

import base64
import binascii
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_data_path

from flowstudio.errors import FlowStudioError

CONFIG_FILE = "config.toml"


class SettingsError(FlowStudioError):
    """A setting cannot be used. facts: source (file or variable), key."""

    code = "settings.bad_value"


@dataclass(frozen=True, slots=True)
class Settings:
    """data_dir: database, payloads, logs. synchronous: SQLite's FULL (survives power loss) or NORMAL (kill -9 only).

    database_url: empty for SQLite in data_dir. auth: "local" or "token" (API.md, "Who is calling").
    threads: how many steps may run at once over all runs. public_url: where callers from outside reach the server, such
    as https://flows.example.org; empty for the address it listens on.
    history_max_bytes: what database and payload files may take together before the oldest runs go. history_days,
    history_runs: how long runs are kept after their end, and how many of each plan. 0 is no limit.
    """

    data_dir: Path
    database_url: str = field(default="", repr=False)
    encryption_key: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 5001
    auth: str = "local"
    allowed_origins: tuple[str, ...] = ()
    max_body_bytes: int = 10 * 1024 * 1024
    synchronous: str = "FULL"
    threads: int = 128
    history_max_bytes: int = 2 * 1024**3
    history_days: int = 0
    history_runs: int = 0
    public_url: str = ""
    theme: str = "system"


def load_settings(env: Mapping[str, str] = os.environ, **overrides: object) -> Settings:
    """Reads config.toml and the environment. overrides are Settings' own fields and win; None means not given.

    Raises SettingsError naming the file or variable, the key and what is allowed.
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    data = _data_dir(given.pop("data_dir", None) or env.get("FLOWSTUDIO_DATA_DIR", "").strip())
    values: dict[str, Any] = _from_file(data / CONFIG_FILE)
    values |= _from_environment(env)
    values |= {key: _value(key, value, "the call") for key, value in given.items()}
    return Settings(data_dir=data, **values)


def _data_dir(chosen: object) -> Path:
    """As paths.data_dir finds it; the two stand side by side in the house and may not import each other."""
    folder = Path(str(chosen)).expanduser() if chosen else user_data_path("FlowStudio", appauthor=False)
    return folder.absolute()


def _from_file(file: Path) -> dict[str, object]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}.", facts={"source": str(file)}) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file} is not valid TOML: {error}.", fix="Correct that line or remove it.", facts={"source": str(file)}
        ) from error
    return {key: _value(key, value, str(file)) for key, value in document.items() if _is_known(key, file)}


def _is_known(key: str, file: Path) -> bool:
    if key in READERS and key != "encryption_key":
        return True
    if key == "encryption_key":
        fix = "Set the environment variable ENCRYPTION_KEY instead: a key does not belong in this file."
    else:
        near = get_close_matches(key, READERS, n=1)
        fix = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(FILE_KEYS)}."
    raise SettingsError(f"{file} has no setting {key!r}.", fix=fix, facts={"source": str(file), "key": key})


def _from_environment(env: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key in READERS:
        variable = VARIABLES.get(key, f"FLOWSTUDIO_{key.upper()}")
        if env.get(variable, "").strip():
            found[key] = _value(key, env[variable].strip(), variable)
    return found


def _value(key: str, value: object, source: str) -> object:
    try:
        return READERS[key](value)
    except ValueError as error:
        shown = "" if key in SECRET else f" = {value!r}"
        raise SettingsError(
            f"{source}: {key}{shown} cannot be used.", fix=f"{error}", facts={"source": source, "key": key}
        ) from error


def _one_of(*allowed: str) -> Callable[[object], str]:
    by_name = {each.lower(): each for each in allowed}

    def read(value: object) -> str:
        if isinstance(value, str) and value.lower() in by_name:
            return by_name[value.lower()]
        raise ValueError(f"Allowed: {', '.join(allowed)}.")

    return read


def _whole_number(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        text = str(value).strip()
        if not isinstance(value, bool) and text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        raise ValueError(f"Allowed: a whole number from {low} to {high}.")

    return read


def _text(value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise ValueError("Allowed: a text that is not empty.")


def _origins(value: object) -> tuple[str, ...]:
    """A list, or one text with commas."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise ValueError("Allowed: a list of addresses such as https://flows.example.org.")
    origins = tuple(part.strip().rstrip("/") for part in parts if part.strip())
    for origin in origins:
        if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
            raise ValueError(f"{origin!r} is no origin: scheme and host only, such as https://flows.example.org.")
    return origins


def _web_address(value: object) -> str:
    text = _text(value).rstrip("/")
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or parts.query or parts.fragment or parts.username is not None or not text.isprintable():
        raise ValueError("Allowed: an address such as https://flows.example.org, with a path if there is one.")
    return text


def _database_url(value: object) -> str:
    text = _text(value)
    scheme = text.partition(":")[0]
    if "://" in text and scheme.partition("+")[0] in ("postgresql", "postgres", "sqlite"):
        return text
    raise ValueError("Allowed: postgresql://user:password@host/name or sqlite:////path/to/file.db.")


def _fernet_key(value: object) -> str:
    text = _text(value)
    try:
        key = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(KEY_RULE) from error
    if len(key) != 32:
        raise ValueError(KEY_RULE)
    return text


KEY_RULE = "Allowed: 32 bytes in URL-safe base64 (44 characters), as Fernet.generate_key() makes them."

READERS: Mapping[str, Callable[[object], object]] = {
    "database_url": _database_url,
    "encryption_key": _fernet_key,
    "host": _text,
    "port": _whole_number(0, 65535),
    "auth": _one_of("local", "token"),
    "allowed_origins": _origins,
    "max_body_bytes": _whole_number(1024, 2**31 - 1),
    "synchronous": _one_of("FULL", "NORMAL"),
    "threads": _whole_number(1, 1000),
    "history_max_bytes": _whole_number(0, 2**53),
    "history_days": _whole_number(0, 36_500),
    "history_runs": _whole_number(0, 10**9),
    "public_url": _web_address,
    "theme": _one_of("system", "light", "dark"),
}
"""How each setting is read; a reader raises ValueError whose text says what is allowed."""

VARIABLES: Mapping[str, str] = {"database_url": "DATABASE_URL", "encryption_key": "ENCRYPTION_KEY"}
SECRET = frozenset({"encryption_key", "database_url"})
FILE_KEYS = tuple(each.name for each in fields(Settings) if each.name not in ("data_dir", "encryption_key"))
