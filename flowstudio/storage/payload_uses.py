"""Which runs use which payload files: written with the rows that refer to them, read when files are collected.

A file may go when no row and no file in use refers to it, nothing in this process holds its payload, and nobody wrote
or met it for a while (another process may be about to commit the row). A crash between file and row leaves a file that
no row ever named: those go by the same rule.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from typing import Any

from sqlalchemy import Connection, delete, select

from flowstudio.engine.payloads import Payload
from flowstudio.storage.columns import to_micros
from flowstudio.storage.database import Database
from flowstudio.storage.json_codec import holds_payloads, references
from flowstudio.storage.payload_store import PayloadFiles
from flowstudio.storage.prepared import PreparedInsert
from flowstudio.storage.tables import payload_parts, payload_uses, payloads

log = logging.getLogger(__name__)

GRACE_S = 300.0
AT_ONCE = 500
"""Hashes in one statement."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection removed."""

    files: int = 0
    size_bytes: int = 0


class PayloadUses:
    """The rows of payloads. Thread-safe."""

    def __init__(self, database: Database, files: PayloadFiles | None) -> None:
        self._files = files
        dialect = database.engine.dialect
        self._add_payloads, self._add_parts, self._add_uses = (
            PreparedInsert(database.insert(table).on_conflict_do_nothing(), dialect)
            for table in (payloads, payload_parts, payload_uses)
        )

    def add(self, cursor: Any, texts: Iterable[tuple[str, str | None]]) -> None:
        """Notes what the texts refer to; (run id, a value as it is written in a row) each, of runs that are stored."""
        uses: dict[tuple[str, str], None] = {}
        sizes: dict[str, int] = {}
        parts: dict[tuple[str, str], None] = {}
        for run_id, text in texts:
            if text is None or not holds_payloads(text):
                continue
            for digest, size, *_ in references(text):
                uses[digest, run_id] = None
                sizes[digest] = size
                for payload, part in self._parts_of(digest):
                    parts[payload.hash, part.hash] = None
                    sizes[part.hash] = part.size
        if uses:
            # In order, so that two writers that bring the same rows to PostgreSQL do not wait for each other.
            now = to_micros(datetime.now(UTC))
            self._add_payloads.execute(cursor, [(digest, size, now) for digest, size in sorted(sizes.items())])
            self._add_parts.execute(cursor, sorted(parts))
            self._add_uses.execute(cursor, sorted(uses))

    def _parts_of(self, digest: str) -> Iterator[tuple[Payload, Payload]]:
        """What is inside that payload, and so on. Of one that was read from a row and never opened the rows tell."""
        waiting = [self._files.alive(digest)] if self._files is not None else []
        for payload in waiting:
            if payload is not None:
                yield from ((payload, part) for part in payload.parts)
                waiting.extend(payload.parts)


class PayloadCollection:
    """Takes away files that nobody uses. Thread-safe; two processes may collect at once."""

    def __init__(self, database: Database, files: PayloadFiles) -> None:
        self._database = database
        self._files = files

    def collect(self, grace_s: float = GRACE_S) -> Collected:
        """Removes every unused file that was written or met more than grace_s seconds ago."""
        older_than = time() - grace_s
        removed, freed = self._remove(self._forget_unused(), older_than)
        orphans, more = self._remove(self._nameless(), older_than)
        freed += more + self._files.remove_unfinished(older_than)
        if removed or orphans:
            log.info("%d files of large values were removed, %d of them without a run", removed + orphans, orphans)
        return Collected(removed + orphans, freed)

    def _forget_unused(self) -> list[str]:
        """Deletes the rows of payloads nobody uses; their hashes."""
        with self._database.begin() as connection:
            if not self._database.is_sqlite:
                # Whoever adds a use makes sure of the payload first and then refers to it: neither may be half-way now.
                connection.exec_driver_sql(
                    "LOCK TABLE payloads, payload_uses, payload_parts IN SHARE ROW EXCLUSIVE MODE"
                )
            unused = self._not_held(connection, list(connection.execute(_unused()).scalars()))
            for some in _pieces(unused):
                connection.execute(delete(payloads).where(payloads.c.hash.in_(some)))
        return unused

    def _not_held(self, connection: Connection, unused: list[str]) -> list[str]:
        """Without those that something in this process holds, nor what is inside them."""
        held = [digest for digest in unused if self._files.alive(digest) is not None]
        kept = set(held)
        while held:
            inside: list[str] = []
            for some in _pieces(held):
                query = select(payload_parts.c.part).where(payload_parts.c.hash.in_(some))
                inside += connection.execute(query).scalars()
            held = [part for part in dict.fromkeys(inside) if part not in kept]
            kept.update(held)
        return [digest for digest in unused if digest not in kept]

    def _nameless(self) -> list[str]:
        """Files without a row."""
        found: list[str] = []
        for some in _pieces(list(self._files.files())):
            with self._database.reading() as connection:
                known = set(connection.execute(select(payloads.c.hash).where(payloads.c.hash.in_(some))).scalars())
            found += [digest for digest in some if digest not in known]
        return found

    def _remove(self, digests: list[str], older_than: float) -> tuple[int, int]:
        sizes = [self._files.remove(digest, older_than) for digest in digests]
        return sum(size > 0 for size in sizes), sum(sizes)


def _unused() -> Any:
    """Hashes that neither a run nor a file in use refers to."""
    used = select(payload_uses.c.hash.label("hash")).cte("used", recursive=True)
    used = used.union(select(payload_parts.c.part).join(used, payload_parts.c.hash == used.c.hash))
    return select(payloads.c.hash).where(payloads.c.hash.not_in(select(used.c.hash)))


def _pieces(digests: list[str]) -> Iterator[list[str]]:
    return (digests[first : first + AT_ONCE] for first in range(0, len(digests), AT_ONCE))
