"""Presence: which processes run plans on this data folder right now, told by locks that die with their process."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO


class Presence:
    """A locked file a process. Recovery may only take up runs when no other process could still be running them.

    A pid alone would not do: after a crash another program may have it. A lock ends with its process, however it ends.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: IO[bytes] | None = None

    def enter(self) -> bool:
        """Shows this process; True when no other is here."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{os.getpid()}-{os.urandom(4).hex()}.lock"
        self._own = path.open("wb")
        _lock(self._own)
        others = [each for each in self._folder.glob("*.lock") if each != path]
        alive = [each for each in others if _is_alive(each)]  # all are asked: dead ones are cleared away by it
        return not alive

    def leave(self) -> None:
        if self._own is not None:
            path = Path(self._own.name)
            self._own.close()
            self._own = None
            path.unlink(missing_ok=True)


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
