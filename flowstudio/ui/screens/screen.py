"""Screen: a page with a title, its buttons, and a list that is read again whenever it comes into view."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import SPACE_1, SPACE_2, SPACE_4, SPACE_6

Index = QModelIndex | QPersistentModelIndex


class Screen(QWidget):
    """`body` takes what the screen shows below its heading."""

    def __init__(self, title: str, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "screen")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(title)
        heading = text_label(title, "page")
        subtitle = text_label(hint, "muted")
        names = QVBoxLayout()
        names.setSpacing(SPACE_1)
        names.addWidget(heading)
        names.addWidget(subtitle)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(SPACE_2)
        head = QHBoxLayout()
        head.addLayout(names, 1)
        head.addLayout(self._buttons)
        self.body = QVBoxLayout()
        self.body.setSpacing(SPACE_4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_4)
        layout.setSpacing(SPACE_4)
        layout.addLayout(head)
        layout.addLayout(self.body, 1)

    def add_button(self, button: QPushButton) -> QPushButton:
        self._buttons.addWidget(button)
        return button

    def reload(self) -> None:
        """Reads what the screen shows again, in the background."""


@dataclass(frozen=True, slots=True)
class Row:
    """cells: what is shown, column by column. what: the value behind the row. icon, tint: of the first column."""

    cells: Sequence[str]
    what: object = None
    icon: str = ""
    tint: str = "text_2"
    tints: Sequence[str] = field(default_factory=tuple)


class RowModel(QAbstractTableModel):
    """Rows made beforehand, for lists of hundreds."""

    def __init__(self, columns: Sequence[str], icons: Icons) -> None:
        super().__init__()
        self._columns = columns
        self._icons = icons
        self._rows: Sequence[Row] = ()

    def show_rows(self, rows: Sequence[Row]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def what(self, row: int) -> Any:
        return self._rows[row].what

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return row.cells[column]
        if role == Qt.ItemDataRole.DecorationRole and column == 0 and row.icon:
            return self._icons.icon(row.icon, row.tint)
        if role == Qt.ItemDataRole.ForegroundRole:
            tint = row.tints[column] if column < len(row.tints) else "text" if column == 0 else "text_2"
            return QColor(getattr(self._icons.palette, tint))
        if role == Qt.ItemDataRole.ToolTipRole and len(row.cells[column]) > 40:
            return row.cells[column]
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self._columns[section]
        return None


def primary_button(text: str, icons: Icons, icon: str = "") -> QPushButton:
    button = push_button(f" {text}" if icon else text)
    if icon:
        button.setIcon(icons.icon(icon, "on_accent"))
    button.setProperty("kind", "primary")
    return button
