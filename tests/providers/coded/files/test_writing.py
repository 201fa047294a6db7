import errno
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowstudio.providers.coded.files.faults import FileFaultError
from flowstudio.providers.coded.files.formats import Format, decoded, encoded
from flowstudio.providers.errors import BadParamError, NotFoundError

ROWS = [{"name": "Ada", "age": 36}, {"name": 'Bo; "x"', "city": "Oslo"}]


def test_text_is_written_into_folders_made_on_the_way(act, tmp_path) -> None:
    path = tmp_path / "a" / "b" / "c.txt"
    out = act.output("files", "write", path=str(path), content="grüße")
    assert path.read_text(encoding="utf-8") == "grüße"
    assert out == {"path": str(path), "name": "c.txt", "size_bytes": 7}


def test_a_list_of_objects_is_written_as_csv(act, tmp_path) -> None:
    path = tmp_path / "a.csv"
    act.output("files", "write", path=str(path), content=ROWS)
    assert path.read_bytes() == b'name,age,city\r\nAda,36,\r\n"Bo; ""x""",,Oslo\r\n'


def test_csv_rows_are_appended_under_the_header_of_the_file(act, tmp_path) -> None:
    path = tmp_path / "a.csv"
    act.output("files", "write", path=str(path), content=ROWS, mode="append")
    act.output("files", "write", path=str(path), content=[{"city": "Rome"}], mode="append")
    assert path.read_bytes().endswith(b"Oslo\r\n,,Rome\r\n")
    with pytest.raises(BadParamError, match="has no column 'planet'"):
        act("files", "write", {"path": str(path), "content": [{"planet": "Mars"}], "mode": "append"})


def test_json_and_binary_are_written(act, tmp_path) -> None:
    act.output("files", "write", path=str(tmp_path / "a.json"), content={"ü": [1]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "ü": [\n    1\n  ]\n}\n'
    act.output("files", "write", path=str(tmp_path / "a.bin"), content="AP8=", format="binary")
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\xff"


def test_json_text_is_checked_before_it_replaces_a_file(act, tmp_path) -> None:
    path = tmp_path / "a.json"
    act.output("files", "write", path=str(path), content='{"a": 1}')
    with pytest.raises(Exception, match="not valid JSON"):
        act("files", "write", {"path": str(path), "content": "{broken"})
    assert path.read_text() == '{\n  "a": 1\n}\n'


def test_text_is_appended(act, tmp_path) -> None:
    for line in ("a\n", "b\n"):
        act.output("files", "write", path=str(tmp_path / "log.txt"), content=line, mode="append")
    assert (tmp_path / "log.txt").read_text() == "a\nb\n"


def test_an_existing_file_is_kept_when_asked_to_fail(act, tmp_path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(BadParamError, match="exists already"):
        act("files", "write", {"path": str(tmp_path / "a.txt"), "content": "new", "mode": "fail"})
    assert (tmp_path / "a.txt").read_text() == "old"


def test_the_permissions_of_a_replaced_file_stay(act, tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o640)
    act.output("files", "write", path=str(path), content="new")
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("mode", ["overwrite", "append"])
def test_a_full_disk_leaves_the_old_file_and_no_litter(act, tmp_path, monkeypatch, mode) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileFaultError, match="The disk is full"):
        act("files", "write", {"path": str(path), "content": "new", "mode": mode})
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_where_a_folder_is_needed_is_a_sentence(act, tmp_path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(BadParamError, match="is a file where a folder is needed"):
        act("files", "write", {"path": str(tmp_path / "a" / "b.txt"), "content": "x"})


@pytest.mark.parametrize(
    ("params", "part"),
    [
        ({"content": [1, 2], "format": "csv"}, "row 1 is '1'"),
        ({"content": "ü", "encoding": "ascii"}, "'ü' cannot be written"),
        ({"content": "x", "encoding": "rot13"}, "no text encoding 'rot13'"),
        ({"content": ROWS, "format": "csv", "delimiter": ";;"}, "one character"),
        ({"content": "?", "format": "binary"}, "not valid base64"),
        ({"content": {}, "format": "json", "mode": "append"}, "cannot be appended"),
    ],
)
def test_content_that_cannot_be_written_is_a_sentence(act, tmp_path, params, part) -> None:
    with pytest.raises(BadParamError) as caught:
        act("files", "write", {"path": str(tmp_path / "a.txt"), **params})
    assert part in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_files_are_copied_moved_and_deleted(act, tmp_path) -> None:
    a, b, c = (tmp_path / name for name in ("a.txt", "b.txt", "sub/c.txt"))
    a.write_text("1")
    act.output("files", "copy", path=str(a), to=str(b))
    act.output("files", "move", path=str(b), to=str(c))
    assert (a.exists(), b.exists(), c.read_text()) == (True, False, "1")
    with pytest.raises(BadParamError, match="exists already"):
        act("files", "copy", {"path": str(a), "to": str(c)})
    assert act.output("files", "delete", path=str(a)) == {"path": str(a), "deleted": True}
    with pytest.raises(NotFoundError, match="to delete"):
        act("files", "delete", {"path": str(a)})
    assert act.output("files", "delete", path=str(a), missing_ok=True)["deleted"] is False


def test_a_folder_is_never_deleted(act, tmp_path) -> None:
    with pytest.raises(BadParamError, match="only files are deleted"):
        act("files", "delete", {"path": str(tmp_path)})


CELLS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=6)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS}), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_csv_read_after_written_is_the_same(rows, delimiter) -> None:
    assert decoded(encoded(rows, Format.CSV, "utf-8", delimiter), Format.CSV, "utf-8", delimiter, "x") == rows


def test_a_folder_and_half_a_character_pair_are_no_content(act, tmp_path) -> None:
    tried = [
        ("/", "x", "is a folder"),
        (tmp_path / "a.csv", "\ud800", "half of"),
        (tmp_path / "a.txt", "\ud800", "D800"),
    ]
    for path, content, sentence in tried:
        with pytest.raises(BadParamError, match=sentence):
            act("files", "write", {"path": str(path), "content": content})


@pytest.mark.parametrize("encoding", ["\0", "\ud800", "hex"])
def test_what_is_no_text_encoding_is_told(act, tmp_path, encoding) -> None:
    with pytest.raises(BadParamError, match="no text encoding"):
        act("files", "write", {"path": str(tmp_path / "a"), "content": "x", "encoding": encoding})
