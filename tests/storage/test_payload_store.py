"""Large values go to files and come back; what the files or the values are worth is told in sentences."""

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstudio.engine.payloads import Payload
from flowstudio.plan.evaluation.deferred import Holding, holds_deferred, resolved
from flowstudio.storage import payload_store
from flowstudio.storage.json_codec import decode, encode
from flowstudio.storage.loaded_values import LoadedValues
from flowstudio.storage.payload_store import LARGEST_IN_ROW, PayloadFiles
from flowstudio.workspace.errors import PayloadLostError, StorageError, UnstorableValueError

BIG = "x" * (LARGEST_IN_ROW + 1)


@pytest.fixture
def files(tmp_path: Path) -> PayloadFiles:
    return PayloadFiles(tmp_path / "payloads", is_flushed=False)


def names(files: PayloadFiles) -> list[str]:
    return sorted(files.files())


def read_again(files: PayloadFiles, value: Any) -> Any:
    """The value from its row, by another process."""
    other = PayloadFiles(files.folder)
    return resolved(decode(encode(value), other.named))


@pytest.mark.parametrize("value", [None, True, 3, 2**80, 1.5, "text", {"a": [1]}, "y" * (LARGEST_IN_ROW - 2)])
def test_a_small_value_stays_as_it_is(files: PayloadFiles, value: Any) -> None:
    assert files.keep(value) is value
    assert names(files) == []


def test_the_large_part_of_an_object_goes_and_the_rest_stays(files: PayloadFiles) -> None:
    answer = {"status": 200, "body": BIG, "headers": {"a": "b"}}
    kept = files.keep(answer)
    assert (kept["status"], kept["headers"]) == (200, {"a": "b"})
    assert isinstance(kept["body"], Payload)
    assert (kept["body"].length, kept["body"].is_list) == (len(BIG), False)
    assert names(files) == [kept["body"].hash]
    assert read_again(files, kept) == answer


@pytest.mark.parametrize(
    "value",
    [
        BIG,
        [BIG, BIG + "1", "small"],
        {"rows": [{"n": number, "text": "t" * 50} for number in range(5000)], "more": {"deep": [{"er": BIG}]}},
        [list(range(30_000)), {"a": None}],
        {str(number): number for number in range(20_000)},
        [{"number": number, "body": BIG + str(number)} for number in range(700)],
        {"odd": [2**80, "\ud800", "\0"], "big": [2**70] * 9000, "text": "\ud800" * 70_000},
        {1: BIG, 2.5: {"three": BIG + "3"}},
        (BIG, (BIG + "2",)),
    ],
    ids=["text", "texts", "tree", "numbers", "many members", "many texts", "odd values", "odd keys", "tuples"],
)
def test_a_large_value_comes_back_as_it_went(files: PayloadFiles, value: Any) -> None:
    kept = files.keep(value)
    assert holds_deferred(kept)
    assert len(encode(kept)) <= LARGEST_IN_ROW + 1000
    assert read_again(files, kept) == decode(encode(value))


scalars = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.just(BIG)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(values)
def test_any_value_comes_back(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    files = PayloadFiles(tmp_path_factory.mktemp("payloads"), is_flushed=False)
    assert read_again(files, files.keep(value)) == value


def test_data_that_looks_like_a_reference_stays_data(files: PayloadFiles) -> None:
    kept = files.keep({"big": BIG})
    written = encode(kept)
    sly = {"big": BIG, "null": None, "text": written, "list": [["big"], kept["big"].hash, 65539, 65537, False]}
    assert read_again(files, files.keep(sly)) == sly
    assert read_again(files, files.keep(written)) == written


def test_a_list_of_many_large_items_is_a_file_of_references(files: PayloadFiles) -> None:
    kept = files.keep({"results": [files.keep(BIG + str(number)) for number in range(1000)]})
    results = kept["results"]
    assert isinstance(results, Payload)
    assert (results.length, results.is_list) == (1000, True)
    opened: Any = results.load()
    assert all(isinstance(each, Payload) for each in opened)
    assert opened[7].load() == BIG + "7"


def test_equal_values_share_one_file(files: PayloadFiles) -> None:
    assert files.keep([BIG, BIG]) == files.keep([BIG, BIG])
    assert len(names(files)) == 1


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ({"a": math.nan}, "NaN"),
        (math.inf, "infinity"),
        ([None, BIG, -math.inf], "infinity"),
        ([2**80, math.nan], "NaN"),
        ({"a": {1, 2}}, "set"),
        ([object()], "object"),
        (10**5000, "too many digits"),
    ],
    ids=["NaN", "infinity", "infinity beside a large value", "NaN beside an odd one", "set", "object", "digits"],
)
def test_what_is_no_json_is_refused_with_a_sentence(files: PayloadFiles, value: Any, word: str) -> None:
    with pytest.raises(UnstorableValueError, match=word):
        files.keep(value)


def test_a_value_that_holds_itself_or_has_no_bottom_is_refused(files: PayloadFiles) -> None:
    circle: list[Any] = [BIG]
    circle.append(circle)
    deep: Any = BIG
    for _ in range(100_000):
        deep = [deep]
    for value in (circle, deep, {"payload": files.keep(BIG), "circle": circle}):
        with pytest.raises(UnstorableValueError, match="nested too deeply, or holds itself"):
            files.keep(value)


def test_a_missing_file_is_named(files: PayloadFiles) -> None:
    kept: Any = files.keep(BIG)
    path = files.path(kept.hash)
    path.unlink()
    with pytest.raises(PayloadLostError, match=f"{path} is missing"):
        kept.load()


def test_a_damaged_file_is_named(files: PayloadFiles) -> None:
    kept: Any = files.keep(BIG)
    path = files.path(kept.hash)
    path.write_bytes(path.read_bytes().replace(b"xx", b"xy", 1))
    with pytest.raises(PayloadLostError, match=f"{path} is damaged"):
        kept.load()


def _damage(file: Path) -> None:
    file.write_bytes(b"w" * file.stat().st_size)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def _lead_away(file: Path) -> None:
    elsewhere = file.parent.parent / "elsewhere"
    elsewhere.write_bytes(b"w" * file.stat().st_size)
    file.unlink()
    file.symlink_to(elsewhere)


@pytest.mark.parametrize("fault", [_damage, _cut, _lead_away, Path.unlink])
def test_a_file_that_is_not_what_it_was_is_written_anew_when_its_value_comes_again(
    files: PayloadFiles, fault: Callable[[Path], None]
) -> None:
    path = files.path(files.keep(BIG).hash)
    fault(path)
    assert read_again(files, PayloadFiles(files.folder, is_flushed=False).keep(BIG)) == BIG
    assert not path.is_symlink()


@pytest.mark.logs("stays in its row")
def test_where_no_file_can_be_written_the_value_stays_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert PayloadFiles(tmp_path / "file").keep({"body": BIG}) == {"body": BIG}


def test_a_row_that_lies_in_files_needs_their_folder(files: PayloadFiles) -> None:
    with pytest.raises(StorageError, match="no folder of files"):
        decode(encode(files.keep(BIG)))


def test_a_file_is_whole_before_another_thread_may_refer_to_it(
    files: PayloadFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived, go_on = threading.Event(), threading.Event()
    replace = Path.replace

    def slow(self: Path, target: Path) -> Path:
        arrived.set()
        assert go_on.wait(10)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", slow)
    seen: list[bool] = []
    first = threading.Thread(target=files.keep, args=(BIG,))
    second = threading.Thread(target=lambda: seen.append(files.path(files.keep(BIG).hash).exists()))
    first.start()
    assert arrived.wait(10)
    second.start()
    second.join(0.05)
    assert seen == []
    go_on.set()
    first.join()
    second.join()
    assert seen == [True]


def test_a_value_read_again_is_at_hand(files: PayloadFiles) -> None:
    kept: Any = files.keep({"rows": ["r" * 100] * 1000})
    assert kept["rows"].load() is kept["rows"].load()


def test_values_at_hand_stay_within_their_budget() -> None:
    loaded, reads = LoadedValues(budget=1000), []

    def get(key: str, size: int) -> None:
        loaded.get(key, size, lambda: reads.append(key) or "text")  # type: ignore[func-returns-value]

    for key, size in [("a", 400), ("b", 400), ("a", 400), ("c", 400), ("a", 400), ("b", 400), ("huge", 2000)]:
        get(key, size)
    get("huge", 2000)
    assert reads == ["a", "b", "c", "b", "huge", "huge"]


def test_half_written_files_go_when_they_are_old(files: PayloadFiles) -> None:
    kept: Any = files.keep(BIG)
    left = files.path(kept.hash).with_name(f"{kept.hash}.1234abcd.tmp")
    left.write_bytes(b"half")
    assert files.remove_unfinished(left.stat().st_mtime - 1) == 0
    assert files.remove_unfinished(left.stat().st_mtime) == 4
    assert names(files) == [kept.hash]


def test_files_are_the_users_alone(files: PayloadFiles) -> None:
    kept: Any = files.keep(BIG)
    for each in (files.path(kept.hash), files.path(kept.hash).parent, files.folder):
        assert each.stat().st_mode & 0o077 == 0
    assert payload_store.LARGEST_IN_ROW == 64 * 1024


def test_what_others_left_in_the_folder_is_left_alone(files: PayloadFiles) -> None:
    kept = files.keep(BIG)
    shelf = files.path(kept.hash).parent
    for name in (".DS_Store", "desktop.ini", "notes.tmp", "b" * 64, "sub"):
        (shelf / name).mkdir() if name == "sub" else (shelf / name).write_text("x")
    assert names(files) == [kept.hash]
    assert files.remove_unfinished(older_than=2**40) == 0


@pytest.mark.logs("in the way")
def test_a_folder_in_the_place_of_a_file_does_not_keep_others_from_going(files: PayloadFiles) -> None:
    digest = files.keep(BIG).hash
    files.path(digest).unlink()
    files.path(digest).mkdir()
    assert files.remove(digest, older_than=2**40) == 0


def test_a_run_that_holds_much_has_middling_values_in_files_too(files: PayloadFiles) -> None:
    holding, middling = Holding(), "m" * 20_000
    assert files.keep(middling, holding) is middling
    holding.in_memory = payload_store.MOST_IN_MEMORY
    kept: Any = files.keep([middling], holding)
    assert isinstance(kept, Payload)
    assert kept.load() == [middling]
    assert files.keep("small" * 100, holding) == "small" * 100
    assert files.keep(10**4200, holding) == 10**4200
