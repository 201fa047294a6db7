"""How a merge joins what its branches bring, mode by mode."""

from typing import Any

import pytest

from flowstudio.engine import merging
from flowstudio.engine.errors import FlowParamError
from flowstudio.engine.merging import Arrival, merge
from flowstudio.plan.model import Json

ARRIVALS = [Arrival("a", [1, 2], 9), Arrival("b", 3, 4)]


def join(mode: str, *outputs: Any, **params: Json) -> Json:
    """Branches a, b, c ... bring these outputs."""
    arrivals = [Arrival(name, output, 1) for name, output in zip("abcd", outputs, strict=False)]
    return merge({"mode": mode, **params}, arrivals)


@pytest.mark.parametrize(
    ("params", "output"),
    [
        ({}, {"a": [1, 2], "b": 3}),
        ({"mode": "append"}, [1, 2, 3]),
        ({"mode": "any"}, 3),
        ({"mode": "first"}, [1, 2]),
    ],
)
def test_a_merge_joins_by_its_mode(params: dict[str, Json], output: Json) -> None:
    assert merge(params, ARRIVALS) == output


def test_an_unknown_mode_is_refused_with_the_choices() -> None:
    with pytest.raises(FlowParamError) as refusal:
        merge({"mode": "shuffle"}, ARRIVALS)
    assert "combine_by_key" in str(refusal.value)


PEOPLE: Json = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}, {"name": "Nobody"}]
CITIES: Json = [{"id": "2", "city": "Bonn"}, {"id": 1.0, "city": "Kyiv"}, {"id": 3, "city": "Rome"}]


def test_rows_meet_by_their_key_however_it_is_written() -> None:
    assert join("combine_by_key", PEOPLE, CITIES, key="id", keep="matched") == [
        {"id": 1.0, "name": "Ada", "city": "Kyiv"},
        {"id": "2", "name": "Bob", "city": "Bonn"},
    ]


def test_rows_without_a_partner_stay_in_their_order() -> None:
    names = [{**row} for row in join("combine_by_key", PEOPLE, CITIES, key="id")]  # type: ignore[union-attr]
    assert [(row.get("name"), row.get("city")) for row in names] == [
        ("Ada", "Kyiv"),
        ("Bob", "Bonn"),
        ("Nobody", None),
        (None, "Rome"),
    ]


def test_a_key_that_repeats_gives_a_row_for_each_partner() -> None:
    orders: Json = [{"id": 1, "order": "x"}, {"id": 1, "order": "y"}]
    joined = join("combine_by_key", [{"id": 1, "name": "Ada"}], orders, key="id")
    assert joined == [{"id": 1, "name": "Ada", "order": "x"}, {"id": 1, "name": "Ada", "order": "y"}]


def test_a_key_may_lie_deeper_and_branches_may_be_three() -> None:
    rows = [[{"who": {"id": 7}, name: index}] for index, name in enumerate("xyz")]
    assert join("combine_by_key", *rows, key="who.id", keep="matched") == [{"who": {"id": 7}, "x": 0, "y": 1, "z": 2}]


def test_a_single_object_is_a_list_of_one_and_nothing_is_an_empty_list() -> None:
    assert join("combine_by_key", {"id": 1, "a": 1}, None, [{"id": 1, "b": 2}], key="id") == [{"id": 1, "a": 1, "b": 2}]


@pytest.mark.parametrize(
    ("params", "words"),
    [({}, "“key” is empty"), ({"key": "id", "keep": "longest"}, "all or matched"), ({"key": "id"}, "“b” brings")],
)
def test_what_cannot_be_joined_by_key_is_told(params: dict[str, Json], words: str) -> None:
    with pytest.raises(FlowParamError, match=words):
        join("combine_by_key", [{"id": 1}], [5], **params)


def test_a_join_that_would_grow_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "MOST_ROWS", 50)
    same: Json = [{"id": 1}] * 10
    with pytest.raises(FlowParamError, match="the same keys repeat"):
        join("combine_by_key", same, same, key="id")


def test_rows_meet_by_their_position() -> None:
    left, right = [{"a": 1, "x": 1}, {"a": 2}], [{"b": 1, "x": 2}]
    assert join("combine_by_position", left, right) == [{"a": 1, "b": 1, "x": 2}, {"a": 2}]
    assert join("combine_by_position", left, right, keep="shortest") == [{"a": 1, "b": 1, "x": 2}]


def test_what_is_no_object_is_kept_under_its_step() -> None:
    assert join("combine_by_position", ["x", "y"], [{"n": 1}, {"n": 2}]) == [{"a": "x", "n": 1}, {"a": "y", "n": 2}]


@pytest.mark.parametrize("mode", ["all", "append", "any", "first", "combine_by_position"])
def test_a_merge_without_arrivals_gives_nothing_of_its_kind(mode: str) -> None:
    assert not join(mode)
