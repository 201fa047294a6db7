import csv
import io
from typing import Any

import pytest

from flowstudio.workspace.export_csv import LONGEST_CELL, as_csv, table_rows


def read(rows: list[list[Any]]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(as_csv(rows)).decode("utf-8-sig"))))


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1+cmd", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＠x"])
def test_a_text_that_begins_like_a_formula_is_made_a_text(formula: str) -> None:
    assert read([[formula]]) == [[f"'{formula}"]]


def test_numbers_are_numbers_below_zero_too() -> None:
    assert read([[-3, -0.5, 7, True, None]]) == [["-3", "-0.5", "7", "true", ""]]


def test_commas_quotes_and_lines_come_back_as_they_went() -> None:
    assert read([['a,"b"\nc', {"d": [1, "é"]}]]) == [['a,"b"\nc', '{"d": [1, "é"]}']]


def test_a_cell_holds_no_more_than_a_spreadsheet_takes() -> None:
    ((cell,),) = read([["x" * 100_000]])
    assert len(cell) == LONGEST_CELL + 1


def test_odd_characters_do_not_stop_the_file() -> None:
    assert read([["a\0b\ud800"]]) == [["a�b?"]]


@pytest.mark.parametrize(
    ("output", "rows"),
    [
        ([{"a": 1}, {"b": 2, "a": 3}], [["a", "b"], [1, None], [3, 2]]),
        ({"status": 200, "body": {"items": [{"a": 1}]}}, [["a"], [1]]),
        ([[1, 2], [3, 4]], [["column 1", "column 2"], [1, 2], [3, 4]]),
        (["x", "y"], [["value"], ["x"], ["y"]]),
        ([{"a": 1}, "odd"], [["a", "value"], [1, None], [None, "odd"]]),
        ({"a": 1}, [["a"], [1]]),
        (None, [["value"]]),
        ("text", [["value"], ["text"]]),
    ],
)
def test_an_output_as_a_table(output: Any, rows: list[list[Any]]) -> None:
    assert [list(row) for row in table_rows(output)] == rows
