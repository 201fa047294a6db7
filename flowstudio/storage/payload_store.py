"""Large values as files, named by the SHA-256 of their content: data_dir/payloads/ab/abcdef….

A file is written beside its place, flushed, and moved into it, before the row that refers to it is committed; so a row
never refers to half a file. Content is what json_codec writes, with payloads inside as references, and is compared with
its name whenever it is read. Equal values share one file.
"""

import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any
from weakref import WeakValueDictionary

from flowstudio import paths
from flowstudio.engine.payloads import Payload
from flowstudio.plan.evaluation.deferred import Holding
from flowstudio.plan.model import Json
from flowstudio.settings import Settings
from flowstudio.storage import json_codec
from flowstudio.storage.loaded_values import LoadedValues
from flowstudio.workspace.errors import PayloadLostError

log = logging.getLogger(__name__)

LARGEST_IN_ROW = 64 * 1024
"""Bytes of JSON. What is larger goes to a file."""
SMALL = 4 * 1024
"""Bytes of JSON. What is smaller always stays in its row."""
MOST_IN_MEMORY = 8 * 1024 * 1024
"""Bytes of JSON. A run that holds so much already has every further value that is not small in a file."""
_LONGEST = 6
"""Bytes that JSON takes for a character at most."""
_MANY_SMALL = 1024
"""Bytes. A longer list whose entries have less on average goes as a whole: looking at each would take too long."""
_TEMPORARY = ".tmp"
_HASH = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = re.compile(rf"[0-9a-f]{{64}}\.[0-9a-f]{{8}}\{_TEMPORARY}")
"""Names of ours. What a file manager leaves in a folder is nobody's payload."""
_PIECE = 1024 * 1024
_LOCKS = 16


class PayloadFiles:
    """engine.payloads.PayloadStore and PayloadSource. Thread-safe; several processes may share the folder.

    is_flushed: whether files survive a power loss, as the database's rows do with synchronous=FULL.
    """

    def __init__(self, folder: Path, *, is_flushed: bool = True) -> None:
        self.folder = folder
        self._is_flushed = is_flushed
        self._lock = threading.Lock()
        self._live: WeakValueDictionary[str, Payload] = WeakValueDictionary()
        self._writing = [threading.Lock() for _ in range(_LOCKS)]
        self._loaded = LoadedValues()

    def keep(self, value: Any, holding: Holding | None = None) -> Any:
        kind = value.__class__
        if kind is str:
            if len(value) <= SMALL // _LONGEST:
                return value
        elif value is None or kind is bool or kind is Payload or (kind is int and value.bit_length() < 64):
            return value
        content = json_codec.encode_bytes(value, refuses_nan=True)
        size = len(content)
        if size <= SMALL or kind is int or (size <= LARGEST_IN_ROW and self._has_room(size, holding)):
            return value
        try:
            if size <= LARGEST_IN_ROW:
                return self._put(value, content)
            del content
            return self._slimmed(value, size)
        except OSError as error:
            log.warning("A value of %d bytes stays in its row: %s cannot be written (%s)", size, self.folder, error)
            return value

    def _has_room(self, size: int, holding: Holding | None) -> bool:
        """Whether a value of middling size may stay in its row, and so in memory while its run goes on."""
        if holding is not None:
            holding.in_memory += size
        return holding is None or holding.in_memory <= MOST_IN_MEMORY

    def named(self, digest: str, size: int, length: int, is_list: bool) -> Payload:
        """The payload of that hash. While one is alive, its file is not collected."""
        with self._lock:
            known = self._live.get(digest)
            if known is None:
                known = self._live[digest] = Payload(self, digest, size, length, is_list)
            return known

    def alive(self, digest: str) -> Payload | None:
        """The payload of that hash if something in this process holds it."""
        with self._lock:
            return self._live.get(digest)

    def load(self, payload: Payload) -> Json:
        return self._loaded.get(payload.hash, payload.size, lambda: self._decoded(payload))

    def content(self, payload: Payload) -> bytes:
        """The file's bytes as they were written. Raises PayloadLostError."""
        path = self.path(payload.hash)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise _lost(path, "is missing") from error
        except OSError as error:
            raise _lost(path, f"cannot be read: {error.strerror}") from error
        if sha256(content).hexdigest() != payload.hash:
            raise _lost(path, "is damaged")
        return content

    def path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    def remove(self, digest: str, older_than: float) -> int:
        """Removes a file nobody holds, unless it was written or met again since then; the bytes that became free.

        older_than: seconds since 1970.
        """
        with self._at_work_on(digest):
            if self.alive(digest) is not None:
                return 0
            return _removed(self.path(digest), older_than)

    def files(self) -> Iterator[str]:
        """The hashes of all files there are."""
        return (path.name for path in self._all(_HASH))

    def remove_unfinished(self, older_than: float) -> int:
        """Removes what a crash left half-written; the bytes that became free."""
        return sum(_removed(path, older_than) for path in self._all(_UNFINISHED))

    def _all(self, name: re.Pattern[str]) -> Iterator[Path]:
        with suppress(FileNotFoundError):
            for shelf in self.folder.iterdir():
                if shelf.is_dir():
                    yield from (each for each in shelf.iterdir() if _is_in_place(each, name))

    def _slimmed(self, value: Any, size: int) -> Any:
        """A value too large for a row: its large parts in files, then itself if it still is too large."""
        slim: Any = value
        if isinstance(value, Mapping) and size >= _MANY_SMALL * len(value):
            slim = {key: self._part(each) for key, each in value.items()}
        elif isinstance(value, list | tuple) and size >= _MANY_SMALL * len(value):
            slim = [self._part(each) for each in value]
        content = json_codec.encode_bytes(slim, has_no_nan=True)
        return slim if len(content) <= LARGEST_IN_ROW else self._put(slim, content)

    def _part(self, value: Any) -> Any:
        if not isinstance(value, str | Mapping | list | tuple):
            return value
        if isinstance(value, str) and len(value) <= LARGEST_IN_ROW // _LONGEST:
            return value
        size = len(json_codec.encode_bytes(value, has_no_nan=True))
        return value if size <= LARGEST_IN_ROW else self._slimmed(value, size)

    def _put(self, value: Any, content: bytes) -> Payload:
        digest = sha256(content).hexdigest()
        payload = self.named(digest, len(content), len(value), isinstance(value, list | tuple))
        if content[:1] == json_codec.HOLDING:
            payload.parts = tuple(json_codec.payloads_in(value))
        with self._at_work_on(digest):
            path = self.path(digest)
            if _holds(path, content):
                os.utime(path)  # a collection in another process leaves alone what was met just now
            else:
                self._write(path, content)
        return payload

    def _write(self, path: Path, content: bytes) -> None:
        if not path.parent.is_dir():
            for folder in (self.folder, path.parent):  # the mode is the last folder's alone
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._flush(self.folder)
        temporary = path.with_name(f"{path.name}.{token_hex(4)}{_TEMPORARY}")
        try:
            with open(temporary, "xb", opener=_private) as file:
                file.write(content)
                if self._is_flushed:
                    file.flush()
                    os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise
        self._flush(path.parent)

    def _flush(self, folder: Path) -> None:
        """Makes a folder's new name last. Windows has no such call and needs none."""
        if self._is_flushed and os.name == "posix":
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    @contextmanager
    def _at_work_on(self, digest: str) -> Iterator[None]:
        """Who meets a file that another thread is writing must not go on before that is on the disk."""
        with self._writing[int(digest[:8], 16) % _LOCKS]:
            yield

    def _decoded(self, payload: Payload) -> Json:
        content = self.content(payload)
        value: Json = json_codec.decode(content, self.named)
        if content[:1] == json_codec.HOLDING:
            payload.parts = tuple(json_codec.payloads_in(value))
        return value


def payload_files(settings: Settings) -> PayloadFiles:
    """The folder in the settings' data folder, as durable as its database."""
    return PayloadFiles(paths.payload_dir(settings.data_dir), is_flushed=settings.synchronous == "FULL")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_in_place(path: Path, name: re.Pattern[str]) -> bool:
    return name.fullmatch(path.name) is not None and path.name[:2] == path.parent.name


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file is what it should be: one that was damaged is written again with its value."""
    seen = memoryview(content)
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != len(content):
                return False
            return all(file.read(_PIECE) == seen[at : at + _PIECE] for at in range(0, len(content), _PIECE))
    except OSError:
        return False


def _removed(path: Path, older_than: float) -> int:
    try:
        status = path.lstat()
        if status.st_mtime > older_than:
            return 0
        path.unlink()
    except FileNotFoundError:
        return 0
    except OSError as error:
        log.warning("%s is in the way of stored values and cannot be removed: %s", path, error.strerror)
        return 0
    return status.st_size


def _lost(path: Path, what: str) -> PayloadLostError:
    return PayloadLostError(
        f"A stored value cannot be had: the file {path} {what}.",
        fix="Put the file back from a backup, or run the plan again.",
        facts={"file": str(path)},
    )
