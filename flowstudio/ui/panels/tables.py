"""Tables as every pane and screen wants them: whole rows, no grid, rows of 28 px."""

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from flowstudio.ui.tokens import ROW_HEIGHT


def quiet_table(model: QAbstractItemModel, name: str, widths: Sequence[int] = (), stretch: int = -1) -> QTableView:
    """widths: pixels a column, left to right; stretch: the column that takes the room, the last for -1."""
    table = QTableView(showGrid=False, wordWrap=False, cornerButtonEnabled=False)
    table.setModel(model)
    table.setAccessibleName(name)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setTabKeyNavigation(False)
    table.verticalHeader().setVisible(False)
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    for column, width in enumerate(widths):
        table.setColumnWidth(column, width)
    if stretch < 0:
        header.setStretchLastSection(True)
    else:
        header.setSectionResizeMode(stretch, QHeaderView.ResizeMode.Stretch)
    return table


def show_model(table: QTableView, model: QAbstractItemModel, widths: Sequence[int]) -> None:
    """Puts another model of the same columns into a table; the one before is its owner's to keep."""
    if table.model() is not model:
        table.setModel(model)
        for column, width in enumerate(widths):
            table.setColumnWidth(column, width)


def card_table(model: QAbstractItemModel, name: str, widths: Sequence[int] = ()) -> QTableView:
    """The list of a whole screen: on a surface of its own, with rows of more air."""
    table = quiet_table(model, name, widths)
    table.setProperty("role", "card")
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT + 8)
    return table
