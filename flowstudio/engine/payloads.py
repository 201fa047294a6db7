"""Values too large for a row: kept in files, and in memory only as what names them.

A value's large parts are taken out where a step ends, on its own thread; from there on the run, its rows and its events
carry their names. Who looks into one brings it (plan.evaluation.deferred).
"""

from typing import Protocol

from flowstudio.plan.evaluation.deferred import Deferred, Holding
from flowstudio.plan.model import Json


class PayloadSource(Protocol):
    def load(self, payload: "Payload") -> Json:
        """The value, which may hold payloads again. Raises the StorageError family, naming the file."""
        ...


class Payload(Deferred):
    """A part of a value that lies in a file. hash: SHA-256 of the file, hexadecimal; size: its bytes.

    parts: the payloads its own value holds, as far as it was made or read by this process.
    """

    __slots__ = ("__weakref__", "_source", "hash", "is_list", "length", "parts", "size")

    def __init__(self, source: PayloadSource, digest: str, size: int, length: int, is_list: bool) -> None:
        self._source = source
        self.hash = digest
        self.size = size
        self.length = length
        self.is_list = is_list
        self.parts: tuple[Payload, ...] = ()

    def load(self) -> Json:
        return self._source.load(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Payload) and other.hash == self.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"<Payload {self.hash[:12]}, {self.size:,} bytes>"


class PayloadStore(Protocol):
    """Where large values go. Thread-safe."""

    def keep(self, value: Json, holding: Holding | None = None) -> Json:
        """The value with its large parts replaced by payloads, their files on the disk; the same object if it is small.

        holding: the run's, which is counted up; what is large is judged more strictly when a run holds much already.
        Raises StorageError of the code "storage.unstorable" for what has no JSON form: NaN, sets, a list in itself.
        When the disk refuses a file the value stays as it is, and the journal meets the fault with its row.
        """
        ...


class InRows:
    """A PayloadStore for engines without a data folder: every value stays in its row, whatever its size."""

    def keep(self, value: Json, holding: Holding | None = None) -> Json:
        return value
