import json
from pathlib import Path
from typing import Any

import pytest

from flowstudio.storage.payload_store import PayloadFiles
from flowstudio.workspace.json_pieces import json_pieces, text_pieces

BIG = "x" * 70_000


@pytest.fixture
def files(tmp_path: Path) -> PayloadFiles:
    return PayloadFiles(tmp_path / "payloads", is_flushed=False)


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, None, "b"]},
        BIG,
        {"results": [{"n": number, "body": BIG + str(number)} for number in range(800)]},
        {"odd": "\ud800", "big": BIG, "more": [2**80, BIG + "!"]},
        {"like a mark": "0" * 32, "list": ["f" * 32, BIG]},
    ],
    ids=["plain", "text", "files in files", "odd values", "like a mark"],
)
def test_the_pieces_together_are_the_value(files: PayloadFiles, value: Any) -> None:
    kept = files.keep(value)
    assert json.loads(b"".join(json_pieces(kept))) == value
    assert json.loads("".join(text_pieces(kept))) == value


def test_no_piece_holds_more_than_one_file(files: PayloadFiles) -> None:
    kept = files.keep([BIG + str(number) for number in range(50)])
    assert max(map(len, json_pieces(kept))) < 80_000


def test_a_file_is_brought_when_its_turn_comes(files: PayloadFiles) -> None:
    kept: Any = files.keep({"a": BIG, "b": BIG + "b"})
    pieces = json_pieces(kept)
    next(pieces)
    files.path(kept["b"].hash).unlink()
    shown = json.loads(b'{"a":' + b"".join(pieces))
    assert shown["a"] == BIG
    assert "is missing" in shown["b"]
    assert "is missing" in "".join(text_pieces(kept))


def test_keys_and_values_of_other_kinds_become_text() -> None:
    assert json.loads(b"".join(json_pieces({1: Path("a"), "b": 2**80}))) == {"1": "a", "b": 2**80}
