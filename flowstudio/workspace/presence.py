"""Presence: which processes run plans on this data folder right now, told by locks that die with their process."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

ADDRESS = ".address"
"""The file beside a process's lock that says where it serves the API."""


class Presence:
    """A locked file a process, and beside it where the process serves its API, if it does.

    Recovery may only take up runs when no other process could still be running them: is_alone, when this one came.

    A pid alone would not do: after a crash another program may have it. A lock ends with its process, however it ends.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: IO[bytes] | None = None
        self.is_alone = False

    def enter(self) -> bool:
        """Shows this process; True when no other is here."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{os.getpid()}-{os.urandom(4).hex()}.lock"
        self._own = path.open("wb")
        _lock(self._own)
        others = [each for each in self._folder.glob("*.lock") if each != path]
        alive = [each for each in others if _is_alive(each)]  # all are asked: dead ones are cleared away by it
        self.is_alone = not alive
        return self.is_alone

    def serves_at(self, address: str) -> None:
        """Tells others on this folder where to ask this process; "" when it serves no more."""
        if self._own is None:
            return
        told = Path(self._own.name).with_suffix(ADDRESS)
        if not address:
            told.unlink(missing_ok=True)
            return
        written = told.with_suffix(".tmp")
        written.write_text(address, "utf-8")
        written.replace(told)  # whoever reads it meets all of it

    def leave(self) -> None:
        self.serves_at("")
        if self._own is not None:
            path = Path(self._own.name)
            self._own.close()
            self._own = None
            path.unlink(missing_ok=True)


def serving(folder: Path) -> list[str]:
    """The addresses of all living processes that serve their API on this folder."""
    told = [path.with_suffix(ADDRESS) for path in sorted(folder.glob("*.lock")) if _is_alive(path)]
    return [path.read_text("utf-8") for path in told if path.exists()]


def _is_alive(path: Path) -> bool:
    """Whether its process lives; a dead one's file is cleared away."""
    try:
        with path.open("r+b") as file:
            _lock(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    with suppress(OSError):
        path.with_suffix(ADDRESS).unlink(missing_ok=True)
        path.unlink()
    return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
