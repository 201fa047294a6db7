import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstudio.providers.coded.logic.comparing import equal, order, sort_key
from flowstudio.providers.coded.logic.filtering import OPERATORS, Rule, kept
from flowstudio.providers.coded.logic.grouping import Measure, grouped
from flowstudio.providers.coded.logic.ordering import SortBy, batches, ordered, unique
from flowstudio.providers.coded.logic.paths import read, read_or_none, without, written
from flowstudio.providers.errors import BadParamError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
KEYS = st.text("abc", min_size=1, max_size=3)
PATHS = st.lists(KEYS, min_size=1, max_size=3).map(".".join)
RECORDS = st.dictionaries(KEYS, JSON, max_size=4)


@given(st.lists(JSON, max_size=8), st.booleans())
def test_sorting_keeps_every_item_and_never_fails(items, descending) -> None:
    result = ordered(items, [SortBy("", descending)])
    assert sorted(map(repr, result)) == sorted(map(repr, items))


@given(st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False), max_size=8))
def test_numbers_sort_as_numbers(items) -> None:
    assert ordered(items, [SortBy("")]) == sorted(items)


@given(JSON, JSON)
def test_order_and_equality_agree_with_themselves(left, right) -> None:
    assert equal(left, right) == equal(right, left)
    forth, back = order(left, right), order(right, left)
    assert (forth is None and back is None) or forth == -back
    assert sort_key(left) <= sort_key(right) or sort_key(right) <= sort_key(left)


@given(st.lists(JSON, max_size=8), st.sampled_from(sorted(OPERATORS)), JSON)
def test_filtering_keeps_items_in_order_and_never_fails(items, operator, value) -> None:
    result = kept(items, [Rule("", operator, value)])
    positions = iter(map(repr, items))
    assert all(repr(item) in positions for item in result)


@given(st.lists(RECORDS, max_size=8), KEYS)
def test_groups_together_count_every_item(items, field) -> None:
    groups = grouped(items, [field], [Measure("list", "", "rows of the group")])
    assert sum(len(group["rows of the group"]) for group in groups) == len(items)


@given(RECORDS, PATHS, JSON)
def test_what_was_written_at_a_path_is_read_there(record, path, value) -> None:
    assert read_or_none(written(record, path, value), path) == value


@given(RECORDS, PATHS)
def test_what_was_removed_from_a_new_path_is_gone(record, path) -> None:
    changed = without(written(record, path, "x"), path)
    assert read(changed, path) != "x"


@given(st.lists(JSON, max_size=8))
def test_deduping_twice_is_deduping_once(items) -> None:
    once = unique(items, [])
    assert unique(once, []) == once


@given(st.lists(st.integers(), max_size=20), st.integers(1, 6))
def test_batches_hold_the_list_in_order(items, size) -> None:
    parts = batches(items, size)
    assert [item for part in parts for item in part] == items
    assert all(1 <= len(part) <= size for part in parts)


NUMBERS = st.integers(-(10**12), 10**12) | st.floats(-1e12, 1e12)


@given(st.lists(NUMBERS, min_size=1, max_size=8))
def test_averages_are_the_textbooks(numbers) -> None:
    measures = [Measure(function, "", function) for function in ("sum", "avg", "median", "min", "max")]
    (group,) = grouped(numbers, [], measures)
    assert (group["min"], group["max"]) == (min(numbers), max(numbers))
    assert group["median"] == pytest.approx(statistics.median(numbers), rel=1e-9, abs=1e-9)
    assert group["avg"] == pytest.approx(math.fsum(numbers) / len(numbers), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("function", ["sum", "avg", "median"])
def test_numbers_too_large_to_compute_with_are_a_sentence(function) -> None:
    numbers = [1e308, 1e308 * 1.1, 1.5e308, 1.7e308]
    with pytest.raises(BadParamError, match="too large"):
        grouped(numbers, [], [Measure(function, "", "x")])


def test_whole_numbers_add_exactly() -> None:
    (group,) = grouped([2**70, 1], [], [Measure("sum", "", "total")])
    assert group["total"] == 2**70 + 1
