"""A table over any JSON value, virtual: a cell is looked up when it is painted, never before."""

import json
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from flowstudio.plan.model import Json

SAMPLE = 200  # items looked at for the columns
ELIDED = 200  # characters of a cell that are shown
COLUMNS = 64
VALUE = "value"

Index = QModelIndex | QPersistentModelIndex


class DataModel(QAbstractTableModel):
    """A list of objects shows a column for each key found in a sample; anything else one column "value"."""

    def __init__(self, value: Json = None) -> None:
        super().__init__()
        self._items: Sequence[Json] = ()
        self._columns: tuple[str, ...] = ()
        self._rows_path = ""
        self._is_list = False
        self.show_value(value)

    def show_value(self, value: Json, path: str = "") -> None:
        """path: the expression that reads value; empty for outputs by step id."""
        self.beginResetModel()
        self._items = items_of(value)
        self._columns = columns_of(self._items)
        self._rows_path = path + member(inner_list(value))
        self._is_list = bool(self._items) and self._items[0] is not value
        self.endResetModel()

    def path(self, row: int, column: int) -> str:
        """The expression that reads a cell: steps.fetch.output.entries[3].title."""
        name = self._columns[column]
        if not self._rows_path:
            return f"steps.{name}.output"
        item = f"[{row}]" if self._is_list else ""
        has_key = isinstance(self._items[row], dict) and name in self._items[row]  # type: ignore[operator]
        return self._rows_path + item + (member(name) if has_key else "")

    @property
    def columns(self) -> tuple[str, ...]:
        return self._columns

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._items)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return shown(self.cell(index.row(), index.column()))
        if role == Qt.ItemDataRole.ToolTipRole:
            text = shown(self.cell(index.row(), index.column()), 1000)
            return text if len(text) > 30 else None
        if role == Qt.ItemDataRole.TextAlignmentRole and is_number(self.cell(index.row(), index.column())):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section] if orientation == Qt.Orientation.Horizontal else str(section)
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation == Qt.Orientation.Horizontal:
            is_right = bool(self._items) and is_number(self.cell(0, section))
            side = Qt.AlignmentFlag.AlignRight if is_right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def cell(self, row: int, column: int) -> Json:
        item, name = self._items[row], self._columns[column]
        if isinstance(item, dict):
            return item.get(name, item if name == VALUE and name not in item else None)
        return item if name == VALUE else None


def items_of(value: Json) -> Sequence[Json]:
    """The rows: a list's items; the one list inside an object ({"entries": [...]}); else the value itself."""
    if isinstance(value, list):
        return value
    key = inner_list(value)
    if key is not None and isinstance(value, dict):
        return value[key]  # type: ignore[return-value]  # inner_list found a list there
    return () if value is None else (value,)


def inner_list(value: Json) -> str | None:
    """The key of the one list that is not empty inside an object."""
    if not isinstance(value, dict):
        return None
    keys = [key for key, each in value.items() if isinstance(each, list) and each]
    return keys[0] if len(keys) == 1 else None


def member(key: str | None) -> str:
    """How an expression reads a key: .name, or ["odd name"]; nothing for no key."""
    if key is None:
        return ""
    return f".{key}" if key.isidentifier() else f"[{json.dumps(key, ensure_ascii=False)}]"


def columns_of(items: Sequence[Json]) -> tuple[str, ...]:
    """Keys in the order they are first met; "value" when some item is no object."""
    names: dict[str, None] = {}
    for item in items[:SAMPLE]:
        names.update(dict.fromkeys(item) if isinstance(item, dict) else {VALUE: None})
    return tuple(names)[:COLUMNS]


def shown(value: Json, limit: int = ELIDED) -> str:
    """A value on one line."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = value[: limit + 1].replace("\n", " ⏎ ")
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, list):
        return f"[{len(value)}]"
    elif isinstance(value, dict):
        text = json.dumps({key: value[key] for key in [*value][:8]}, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return text if len(text) <= limit else text[:limit] + "…"


def is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
