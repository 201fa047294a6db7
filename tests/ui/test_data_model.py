"""The data table looks at what is painted, however much there is."""

from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QTableView
from pytestqt.qtbot import QtBot

from flowstudio.ui.panels.data_model import DataModel, columns_of, items_of, shown

ROWS = 100_000


class CountingModel(DataModel):
    """Counts the rows that were ever asked for."""

    def __init__(self, value: Any) -> None:
        self.asked: set[int] = set()
        super().__init__(value)

    def cell(self, row: int, column: int) -> Any:
        self.asked.add(row)
        return super().cell(row, column)


def test_a_hundred_thousand_rows_stay_virtual(qtbot: QtBot) -> None:
    model = CountingModel([{"id": number, "name": f"row {number}"} for number in range(ROWS)])
    table = QTableView()
    qtbot.addWidget(table)
    table.setModel(model)
    table.resize(600, 400)
    table.show()
    qtbot.waitExposed(table)
    table.scrollToBottom()
    table.grab()
    assert model.rowCount() == ROWS
    assert model.index(ROWS - 1, 1).data() == f"row {ROWS - 1}"
    assert len(model.asked) < 200


@pytest.mark.parametrize(
    ("value", "columns", "count"),
    [
        ([{"a": 1}, {"b": 2}], ("a", "b"), 2),
        ([1, 2, 3], ("value",), 3),
        ({"entries": [{"a": 1}], "count": 1}, ("a",), 1),
        ({"a": 1, "b": [1], "c": [2]}, ("a", "b", "c"), 1),
        ("text", ("value",), 1),
        (None, (), 0),
        ([], (), 0),
        ([{"a": 1}, 5], ("a", "value"), 2),
    ],
)
def test_rows_and_columns_follow_the_shape(value: Any, columns: tuple[str, ...], count: int) -> None:
    assert len(items_of(value)) == count
    assert columns_of(items_of(value)) == columns


def test_long_and_nested_values_fit_one_line() -> None:
    assert shown("x" * 500).endswith("…")
    assert shown("a\nb") == "a ⏎ b"
    assert shown([1, 2]) == "[2]"
    assert shown({"a": None}) == '{"a": null}'
    assert shown(True) == "true"


def test_numbers_stand_to_the_right() -> None:
    model = DataModel([{"n": 1, "s": "x"}])
    assert model.index(0, 0).data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    assert model.index(0, 1).data(Qt.ItemDataRole.TextAlignmentRole) is None
    assert model.rowCount(QModelIndex()) == 1
