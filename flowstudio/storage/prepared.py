"""Statements made ready for the driver once: text, order of the parameters, conversion of each value.

SQLAlchemy compiles a statement once, but looks it up, binds and converts by name at every execution, which costs the
journal and a webhook's look-ups more than SQLite's own work. And pysqlite's executemany gives the interpreter's lock
away at every row; one INSERT of many rows gives it away once, and is one round trip to PostgreSQL.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.engine import Row
from sqlalchemy.sql.dml import Insert, Update

ROWS = 100
"""Most rows in one statement: SQLite takes 32,766 values at once, and its driver keeps 128 statements compiled."""

Values = Mapping[str, Any]


class Prepared:
    """A statement's text and the values it takes, by the names of its parameters. Immutable."""

    def __init__(self, statement: Insert | Update | Select[Any], dialect: Dialect) -> None:
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

    def execute_each(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Executes the statement for each row."""
        connection.exec_driver_sql(self.text, [self.row(values) for values in rows])

    def _converter(self, kind: Any) -> Callable[[Any], Any] | None:
        converter: Callable[[Any], Any] | None = kind.dialect_impl(self._dialect).bind_processor(self._dialect)
        return converter


class PreparedInsert(Prepared):
    """An INSERT of any number of rows."""

    def __init__(self, statement: Insert, dialect: Dialect) -> None:
        super().__init__(statement, dialect)
        self._row_text = f"({', '.join([self.mark] * len(self._takes))})"
        self._head, _, self._tail = self.text.partition(self._row_text)

    def execute(self, connection: Connection, rows: Sequence[Values]) -> list[Row[Any]]:
        """Inserts the rows; what the statement returns of each."""
        returned: list[Row[Any]] = []
        for first in range(0, len(rows), ROWS):
            part = rows[first : first + ROWS]
            text = f"{self._head}{', '.join([self._row_text] * len(part))}{self._tail}"
            result = connection.exec_driver_sql(text, tuple([each for values in part for each in self.row(values)]))
            if result.returns_rows:
                returned += result
        return returned
