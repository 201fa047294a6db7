import math
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstudio.storage.json_codec import decode, encode
from flowstudio.workspace.errors import UnstorableValueError

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values)
def test_every_json_value_comes_back_as_it_went(value: object) -> None:
    assert decode(encode(value)) == value


def test_a_big_integer_stays_an_integer() -> None:
    value = {"n": 2**80, "m": -(2**70)}
    assert decode(encode(value)) == value


def test_nan_and_infinities_are_not_turned_into_null() -> None:
    back = decode(encode([math.nan, math.inf, -math.inf, None]))
    assert math.isnan(back[0])
    assert back[1:] == [math.inf, -math.inf, None]


def test_a_null_beside_other_values_takes_the_fast_road() -> None:
    assert encode({"a": None, "b": 1}) == '{"a":null,"b":1}'


def test_lone_surrogates_survive() -> None:
    assert decode(encode("a\ud800b")) == "a\ud800b"


def test_a_nul_character_is_escaped() -> None:
    text = encode("a\0b")
    assert "\0" not in text
    assert decode(text) == "a\0b"


def test_keys_that_are_no_strings_become_strings() -> None:
    value = {2: "a", False: "b", None: "c", (1, 2): "d"}
    assert decode(encode(value)) == {"2": "a", "false": "b", "null": "c", "(1, 2)": "d"}


def test_tuples_and_other_mappings_become_lists_and_objects() -> None:
    assert decode(encode((1, MappingProxyType({"a": (2,)})))) == [1, {"a": [2]}]


def test_dates_and_uuids_become_text_on_either_road() -> None:
    moment, name = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), UUID(int=7)
    fast, slow = encode([moment, name]), encode([moment, name, 2**80])
    assert decode(fast) == decode(slow)[:2] == ["2026-01-02T03:04:05+00:00", str(name)]


def test_a_value_without_json_form_is_refused_with_its_type() -> None:
    with pytest.raises(UnstorableValueError, match="set"):
        encode({"a": {1, 2}})


def test_deep_nesting_is_refused_with_a_sentence() -> None:
    value: object = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(UnstorableValueError, match="nested too deeply"):
        encode(value)


def test_nesting_beyond_the_fast_writer_still_comes_back() -> None:
    value: object = 1
    for _ in range(300):
        value = [value]
    assert decode(encode(value)) == value


def test_a_number_of_too_many_digits_is_told_in_plain_words() -> None:
    with pytest.raises(UnstorableValueError, match="a number has too many digits"):
        encode([10**5000])
