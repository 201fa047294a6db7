"""Where things lie: the user's folders, and the read-only data that ships with the program.

Shipped data is found beside the package first (wheel and bundle carry it inside `flowstudio/`), then at the top of the
checkout, so all three behave alike. Nothing here creates a folder.
"""

import os
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from platformdirs import user_data_path

PACKAGE = "flowstudio"


def data_dir(env: Mapping[str, str] = os.environ) -> Path:
    """The user's data folder, absolute: database, payloads, logs. FLOWSTUDIO_DATA_DIR overrides the platform's own."""
    chosen = env.get("FLOWSTUDIO_DATA_DIR", "").strip()
    folder = Path(chosen).expanduser() if chosen else user_data_path("FlowStudio", appauthor=False)
    return folder.absolute()


def log_dir(data: Path) -> Path:
    return data / "logs"


def payload_dir(data: Path) -> Path:
    """Values too large for the database, a file each."""
    return data / "payloads"


def database_file(data: Path) -> Path:
    return data / "flowstudio.db"


def resources() -> Traversable:
    """Icons, themes, sample plans, templates."""
    return _shipped("resources")


def migrations() -> Traversable:
    """The Alembic environment: env.py and versions/."""
    return _shipped("migrations")


def catalog() -> Traversable:
    """The providers' manifests, one YAML file each."""
    return files(PACKAGE).joinpath("providers", "catalog")


def _shipped(name: str) -> Traversable:
    package = files(PACKAGE)
    inside = package.joinpath(name)
    if inside.is_dir():
        return inside
    return Path(str(package)).parent / name
