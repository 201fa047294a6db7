import os

import pytest

from flowstudio.providers.coded.files.faults import FileFaultError
from flowstudio.providers.errors import ActionCancelledError, BadAnswerError, BadParamError, NotFoundError
from flowstudio.providers.ports import Limits


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_text_is_read_without_its_byte_order_mark(act, folder) -> None:
    (folder / "a.txt").write_bytes(b"\xef\xbb\xbfgr\xc3\xbc\xc3\x9fe")
    assert act.output("files", "read", path=str(folder / "a.txt")) == "grüße"


def test_json_is_read_by_the_name_of_the_file(act, folder) -> None:
    (folder / "a.json").write_text('{"a": [1, 2.5, null]}')
    assert act.output("files", "read", path=str(folder / "a.json")) == {"a": [1, 2.5, None]}


def test_csv_becomes_a_list_of_objects_and_loses_no_cell(act, folder) -> None:
    (folder / "a.csv").write_text('name,name,\nAda,"x, ""y""\nz",1,extra\nBo\n')
    assert act.output("files", "read", path=str(folder / "a.csv")) == [
        {"name": "Ada", "name_2": 'x, "y"\nz', "column_3": "1", "column_4": "extra"},
        {"name": "Bo", "name_2": None, "column_3": None, "column_4": None},
    ]


def test_binary_is_base64(act, folder) -> None:
    (folder / "a.bin").write_bytes(b"\x00\xff")
    assert act.output("files", "read", path=str(folder / "a.bin"), format="binary") == "AP8="


def test_the_home_folder_is_expanded(act, folder, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    (folder / "a.txt").write_text("home")
    assert act.output("files", "read", path="~/a.txt") == "home"


@pytest.mark.parametrize(
    ("content", "name", "part"),
    [
        (b'{"a": }', "a.json", "not valid JSON (line 1, column 7)"),
        (b"NaN", "a.json", "NaN is not a JSON number"),
        (b"[" * 200_000, "a.json", "not valid JSON"),
        (b"\xff\xfe\x00", "a.txt", "not text in the encoding utf-8 (byte 1)"),
    ],
)
def test_content_that_does_not_fit_its_format_is_a_sentence(act, folder, content, name, part) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(BadAnswerError) as caught:
        act("files", "read", {"path": str(folder / name)})
    assert part in caught.value.sentence


def test_a_missing_file_is_a_sentence_with_its_path(act, folder) -> None:
    with pytest.raises(NotFoundError, match=r"There is no .*gone\.txt"):
        act("files", "read", {"path": str(folder / "gone.txt")})


@pytest.mark.parametrize("path", ["data.csv", "../x", "a\0b"])
def test_a_relative_or_impossible_path_is_refused(act, path) -> None:
    with pytest.raises(BadParamError, match="'path'"):
        act("files", "read", {"path": path})


def test_a_folder_and_a_pipe_are_not_read(act, folder) -> None:
    with pytest.raises(BadParamError, match="is a folder"):
        act("files", "read", {"path": str(folder)})
    os.mkfifo(folder / "pipe")
    with pytest.raises(BadParamError, match="a device or a pipe"):
        act("files", "read", {"path": str(folder / "pipe")})


def test_a_file_over_the_limit_is_not_read(act, folder) -> None:
    (folder / "big.txt").write_bytes(b"x" * 2_000_000)
    with pytest.raises(BadAnswerError, match=r"1\.9 MB, more than the limit of 1 MB"):
        act("files", "read", {"path": str(folder / "big.txt"), "max_mb": 1})
    with pytest.raises(BadAnswerError, match="more than the limit"):
        act("files", "read", {"path": str(folder / "big.txt")}, limits=Limits(max_bytes=1000))


def test_reading_ends_when_the_run_is_cancelled(act, folder) -> None:
    (folder / "a.txt").write_bytes(b"x")
    act.cancel.cancel()
    with pytest.raises(ActionCancelledError):
        act("files", "read", {"path": str(folder / "a.txt")})


def test_a_file_one_may_not_read_is_a_sentence(act, folder, monkeypatch) -> None:
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    (folder / "a.txt").write_text("x")
    act("files", "read", {"path": str(folder / "a.txt")})
    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(FileFaultError, match="may not be read by this user"):
        act("files", "read", {"path": str(folder / "a.txt")})


def test_a_folder_is_listed_by_pattern(act, folder) -> None:
    (folder / "b").mkdir()
    for name in ("x.csv", "b/y.csv", "z.txt"):
        (folder / name).write_text("1")
    (folder / "dangling.csv").symlink_to(folder / "nowhere")
    names = lambda listed: [each["name"] for each in listed]  # noqa: E731
    assert names(act.output("files", "list", folder=str(folder), pattern="*.csv")) == ["dangling.csv", "x.csv"]
    assert names(act.output("files", "list", folder=str(folder), pattern="*.csv", recursive=True)) == [
        "y.csv",
        "dangling.csv",
        "x.csv",
    ]


def test_a_pattern_stays_inside_the_folder(act, folder) -> None:
    with pytest.raises(BadParamError, match="inside the folder"):
        act("files", "list", {"folder": str(folder), "pattern": "../*"})


def test_a_missing_folder_is_a_sentence(act, folder) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        act("files", "list", {"folder": str(folder / "gone")})
