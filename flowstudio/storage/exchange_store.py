"""What steps said to servers: written by the journal's writer in its own transaction, read in the order of time."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import literal, select, tuple_

from flowstudio.engine.ports import Exchange
from flowstudio.storage.columns import to_micros
from flowstudio.storage.database import Database
from flowstudio.storage.json_codec import encode
from flowstudio.storage.prepared import PreparedInsert
from flowstudio.storage.run_rows import iteration_path, iteration_text
from flowstudio.storage.tables import exchanges

PAGE = 200
PLACE = (exchanges.c.at, exchanges.c.step_id, exchanges.c.iteration)


class SqlExchanges:
    """Thread-safe for readers; `write` belongs to the journal's thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = database.insert(exchanges).on_conflict_do_nothing()
        self._insert = PreparedInsert(insert, database.engine.dialect)

    def write(self, cursor: Any, kept: Sequence[Exchange]) -> None:
        """A repeated batch changes nothing: of one step and iteration two never begin in the same microsecond."""
        self._insert.execute(cursor, [_row(each) for each in kept])

    def read(self, run_id: str) -> Iterator[Exchange]:
        """All of a run, a page in memory at a time."""
        place = tuple_(*PLACE)
        query = select(exchanges).where(exchanges.c.run_id == run_id).order_by(*PLACE).limit(PAGE)
        page = query
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(page).all()
            for row in rows:
                path = iteration_path(row.iteration)
                yield Exchange(row.run_id, row.step_id, path, row.attempt, row.at, row.document)
            if len(rows) < PAGE:
                return
            last = rows[-1]
            behind = (literal(getattr(last, column.name), column.type) for column in PLACE)
            page = query.where(place > tuple_(*behind))


def _row(each: Exchange) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    iteration = iteration_text(each.iteration)
    return (each.run_id, to_micros(each.at), each.step_id, iteration, each.attempt, encode(dict(each.document)))
