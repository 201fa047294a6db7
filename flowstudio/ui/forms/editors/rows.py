"""Lists of small rows: key and value, plain items, the cases of a switch."""

import json
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field
from flowstudio.ui.controls import push_button, tool_button
from flowstudio.ui.forms.editors.field_editor import FieldEditor, column, row
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import SPACE_1


class Row(QWidget):
    """One line of cells. A cell that was not touched keeps its value's type; a touched one becomes text."""

    changed = Signal()
    removed = Signal(object)

    def __init__(self, values: Sequence[Json], hints: Sequence[str], label: str, icons: Icons) -> None:
        super().__init__()
        self._values = list(values)
        self.cells = [
            QLineEdit(cell_text(value), placeholderText=hint) for value, hint in zip(values, hints, strict=True)
        ]
        for index, (cell, hint) in enumerate(zip(self.cells, hints, strict=True)):
            cell.setAccessibleName(f"{label} {hint}")
            cell.textEdited.connect(lambda text, at=index: self._edit(at, text))
        remove = tool_button(icons.icon("close", "text_3"), f"Remove this row of {label}", hint="Remove")
        remove.clicked.connect(lambda: self.removed.emit(self))
        layout = row(self, *self.cells, remove, stretch=-1)
        for index in range(len(self.cells)):
            layout.setStretch(index, 2 if index == len(self.cells) - 1 and len(self.cells) > 1 else 1)

    def values(self) -> list[Json]:
        return list(self._values)

    def _edit(self, index: int, text: str) -> None:
        self._values[index] = text
        self.changed.emit()


class RowsEditor(FieldEditor):
    """The common part: rows of as many cells as there are hints."""

    HINTS: Sequence[str] = ("Value",)

    def __init__(self, field: Field, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._icons = icons
        self._rows: list[Row] = []
        self._box = QVBoxLayout()
        self._box.setSpacing(SPACE_1)
        self.add = push_button("Add", icons.icon("add", "accent"), kind="link", name=f"Add a row to {field.title}")
        self.add.clicked.connect(self._add_by_hand)
        layout = column(self)
        layout.addLayout(self._box)
        footer = QWidget()
        row(footer, self.add, stretch=-1).addStretch(1)
        layout.addWidget(footer)
        self.setFocusProxy(self.add)

    def show_value(self, value: Json) -> None:
        if self._shown(value) != self.value():
            for each in list(self._rows):
                self._drop(each)
            for cells in self._cells(value):
                self._append(cells)

    def value(self) -> Json:
        raise NotImplementedError

    def _cells(self, value: Json) -> list[list[Json]]:
        raise NotImplementedError

    def _shown(self, value: Json) -> Json:
        """What `value()` gives once this value is on show."""
        return value or None

    def _append(self, cells: Sequence[Json]) -> Row:
        line = Row(cells, self.HINTS, self.field.title, self._icons)
        line.changed.connect(self._tell)
        line.removed.connect(self._remove_by_hand)
        self._rows.append(line)
        self._box.addWidget(line)
        return line

    def _drop(self, line: Row) -> None:
        self._rows.remove(line)
        self._box.removeWidget(line)
        line.hide()
        line.deleteLater()

    def _add_by_hand(self) -> None:
        self._append([""] * len(self.HINTS)).cells[0].setFocus()

    def _remove_by_hand(self, line: Row) -> None:
        self._drop(line)
        self._tell()

    def _tell(self) -> None:
        self.edited.emit(self.value())


class PairsEditor(RowsEditor):
    """A mapping of names to values, in order. A row without a name is not part of the value yet."""

    HINTS = ("Name", "Value")

    def value(self) -> Json:
        return {str(key): value for key, value in (line.values() for line in self._rows) if key} or None

    def _cells(self, value: Json) -> list[list[Json]]:
        return [[key, each] for key, each in value.items()] if isinstance(value, dict) else []


class ItemsEditor(RowsEditor):
    HINTS = ("Value",)

    def value(self) -> Json:
        return [line.values()[0] for line in self._rows] or None

    def _cells(self, value: Json) -> list[list[Json]]:
        return [[each] for each in value] if isinstance(value, list) else []


class CasesEditor(RowsEditor):
    """The cases of a switch: a port's name and the value that leaves by it."""

    HINTS = ("Case", "Equals")

    def value(self) -> Json:
        return [{"name": line.values()[0], "equals": line.values()[1]} for line in self._rows] or None

    def _cells(self, value: Json) -> list[list[Json]]:
        cases = [case for case in value if isinstance(case, dict)] if isinstance(value, list) else []
        return [[case.get("name", ""), case.get("equals", "")] for case in cases]


def cell_text(value: Json) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
