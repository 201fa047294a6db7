import pytest

from flowstudio.providers.errors import BadParamError

PEOPLE = [
    {"name": "Ada", "age": 36, "address": {"city": "London"}},
    {"name": "Bo", "age": "7", "address": {"city": "Oslo"}},
    {"name": "Cy", "age": None, "address": {"city": "Oslo"}},
]


@pytest.mark.parametrize("value", ["Hello Ada", "", '{"a": 1}', {"a": [1, 2]}, [1], 5, None])
def test_transform_answers_the_rendered_template_as_it_is(act, value) -> None:
    assert act.output("logic", "transform", template=value) == value


def test_set_fields_changes_every_object_of_a_list(act) -> None:
    out = act.output("logic", "set_fields", input=PEOPLE, fields={"address.country": "?", "new": 1}, remove=["age"])
    assert out[0] == {"name": "Ada", "address": {"city": "London", "country": "?"}, "new": 1}
    assert len(out) == 3


def test_set_fields_can_keep_only_what_it_sets(act) -> None:
    assert act.output("logic", "set_fields", input={"a": 1}, fields={"b": 2}, keep="only") == {"b": 2}


def test_set_fields_never_changes_its_input(act) -> None:
    source = {"a": {"b": 1}}
    act.output("logic", "set_fields", input=source, fields={"a.b": 2}, remove=["a.c"])
    assert source == {"a": {"b": 1}}


def test_filter_keeps_items_that_satisfy_all_rules(act) -> None:
    rules = [
        {"field": "address.city", "operator": "equals", "value": "Oslo"},
        {"field": "age", "operator": "<", "value": 10},
    ]
    assert [each["name"] for each in act.output("logic", "filter", items=PEOPLE, rules=rules)] == ["Bo"]


def test_filter_with_any_keeps_items_that_satisfy_one_rule(act) -> None:
    rules = [{"field": "name", "operator": "like", "value": "a*"}, {"field": "age", "operator": "is_empty"}]
    kept = act.output("logic", "filter", items=PEOPLE, rules=rules, combine="any")
    assert [each["name"] for each in kept] == ["Ada", "Cy"]


def test_filter_names_an_operator_that_does_not_exist(act) -> None:
    with pytest.raises(BadParamError, match="'resembles', which does not exist") as caught:
        act("logic", "filter", {"items": [], "rules": [{"field": "a", "operator": "resembles"}]})
    assert "equals" in caught.value.fix


def test_sort_puts_what_lacks_the_field_last_in_both_directions(act) -> None:
    for direction, names in (("ascending", ["Bo", "Ada", "Cy"]), ("descending", ["Ada", "Bo", "Cy"])):
        out = act.output("logic", "sort", items=PEOPLE, by="age", direction=direction)
        assert [each["name"] for each in out] == names


def test_sort_by_several_fields_with_one_turned_around(act) -> None:
    out = act.output("logic", "sort", items=PEOPLE, by=["address.city", "-name"])
    assert [each["name"] for each in out] == ["Ada", "Cy", "Bo"]


def test_aggregate_computes_measures_for_each_group(act) -> None:
    out = act.output(
        "logic",
        "aggregate",
        items=PEOPLE,
        group_by=["address.city"],
        measures=[{"function": "count", "as": "people"}, {"function": "sum", "field": "age"}],
    )
    assert out == [
        {"address.city": "London", "people": 1, "sum_age": 36},
        {"address.city": "Oslo", "people": 2, "sum_age": 7},
    ]


def test_aggregate_of_nothing_without_groups_is_one_row_of_zero(act) -> None:
    assert act.output("logic", "aggregate", items=[]) == [{"count": 0}]


def test_dedupe_keeps_the_first_or_the_last(act) -> None:
    first = act.output("logic", "dedupe", items=PEOPLE, by="address.city")
    last = act.output("logic", "dedupe", items=PEOPLE, by="address.city", keep="last")
    assert [each["name"] for each in first] == ["Ada", "Bo"]
    assert [each["name"] for each in last] == ["Ada", "Cy"]


def test_match_brings_the_fields_of_the_partner_and_keeps_the_lonely(act) -> None:
    cities = [{"city": "Oslo", "country": "NO"}]
    people = [{"name": "Ada", "city": "London"}, {"name": "Bo", "city": "Oslo"}]
    params = {"items": people, "with": cities, "field": "city"}
    assert act("logic", "match", params).output == [people[0], {"city": "Oslo", "country": "NO", "name": "Bo"}]
    assert len(act("logic", "match", params | {"keep_unmatched": False}).output) == 1


def test_split_and_join_are_inverse_for_plain_parts(act) -> None:
    assert act.output("logic", "split", value="a, b,,c") == ["a", "b", "c"]
    assert act.output("logic", "join", items=["a", "b", 3], separator="\\n") == "a\nb\n3"
    assert act.output("logic", "split", value="a\nb", separator="\\n") == ["a", "b"]


def test_split_cuts_a_list_into_batches(act) -> None:
    assert act.output("logic", "split", value=[1, 2, 3], size=2) == [[1, 2], [3]]


def test_limit_takes_a_part(act) -> None:
    assert act.output("logic", "limit", items=[1, 2, 3, 4], skip=1, count=2) == [2, 3]


def test_join_reads_one_field_of_each(act) -> None:
    assert act.output("logic", "join", items=PEOPLE, field="address.city") == "London, Oslo, Oslo"


def test_an_object_with_items_and_json_text_count_as_a_list(act) -> None:
    assert act.output("logic", "limit", items={"items": [1]}) == [1]
    assert act.output("logic", "limit", items="[1, 2]") == [1, 2]


@pytest.mark.parametrize("value", [5, "not json", {"a": 1}])
def test_what_is_no_list_is_refused_with_the_name_of_the_field(act, value) -> None:
    with pytest.raises(BadParamError, match=r"The field 'items' of logic\.sort"):
        act("logic", "sort", {"items": value})


def test_split_takes_a_list_that_looks_like_text(act) -> None:
    assert act.output("logic", "split", value="[a], [b]") == ["[a]", "[b]"]
