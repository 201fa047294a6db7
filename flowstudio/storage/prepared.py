"""Statements made ready for the driver once: text, order of the parameters, conversion of each value.

SQLAlchemy compiles a statement once, but looks it up, binds and converts by name at every execution, which costs the
journal and a webhook's look-ups more than SQLite's own work. And pysqlite's executemany gives the interpreter's lock
away at every row; one INSERT of many rows gives it away once, and is one round trip to PostgreSQL.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Dialect, Select
from sqlalchemy.sql.dml import Delete, Insert, Update

ROWS = 100
"""Most rows in one statement: SQLite takes 32,766 values at once, and its driver keeps 128 statements compiled."""

Values = Mapping[str, Any]


class Prepared:
    """A statement's text and the values it takes, by the names of its parameters. Immutable."""

    def __init__(self, statement: Insert | Update | Delete | Select[Any], dialect: Dialect) -> None:
        kind: Any = type(dialect)
        self._dialect: Dialect = dialect if dialect.positional else kind(paramstyle="format")
        compiled = statement.compile(dialect=self._dialect)
        self.text = str(compiled)
        self.mark = "?" if self._dialect.paramstyle == "qmark" else "%s"
        names: Sequence[str] = compiled.positiontup or ()
        self._takes = [(name, self._converter(compiled.binds[name].type)) for name in names]

    def row(self, values: Values) -> tuple[Any, ...]:
        """The values as the driver takes them."""
        return tuple([values[name] if convert is None else convert(values[name]) for name, convert in self._takes])

    def execute_each(self, cursor: Any, rows: Sequence[Values]) -> None:
        """Executes the statement for each row."""
        cursor.executemany(self.text, [self.row(values) for values in rows])

    def _converter(self, kind: Any) -> Callable[[Any], Any] | None:
        converter: Callable[[Any], Any] | None = kind.dialect_impl(self._dialect).bind_processor(self._dialect)
        return converter


class PreparedInsert(Prepared):
    """An INSERT of any number of rows: tuples of the table's columns in order, in the driver's types."""

    def __init__(self, statement: Insert, dialect: Dialect) -> None:
        super().__init__(statement, dialect)
        columns = [column.name for column in statement.table.columns]
        assert [name for name, _ in self._takes] == columns, "rows are given in the table's order"
        self._returns = bool(statement._returning)
        self._row_text = f"({', '.join([self.mark] * len(columns))})"
        self._head, _, self._tail = self.text.partition(self._row_text)
        self._texts: dict[int, str] = {}

    def execute(self, cursor: Any, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Inserts the rows; what the statement returns of each."""
        returned: list[tuple[Any, ...]] = []
        for first in range(0, len(rows), ROWS):
            part = rows[first : first + ROWS]
            cursor.execute(self._text(len(part)), tuple(chain.from_iterable(part)))
            if self._returns:
                returned += cursor.fetchall()
        return returned

    def _text(self, count: int) -> str:
        text = self._texts.get(count)
        if text is None:
            text = self._texts[count] = f"{self._head}{', '.join([self._row_text] * count)}{self._tail}"
        return text
