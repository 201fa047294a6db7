"""Values kept elsewhere: opened as far as an expression has to look, and no further."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from flowstudio.plan.evaluation.deferred import Deferred, Holding, abridged, holds_deferred, resolved
from flowstudio.plan.expression import Scope, StepView, TooBigError, compile_condition, compile_value
from flowstudio.plan.model import Json


@dataclass
class Shelf:
    """Which values were fetched, by name."""

    loads: list[str] = field(default_factory=list)

    def put(self, name: str, value: Any, size: int = 100_000) -> "Shelved":
        return Shelved(self, name, value, size)


@dataclass(eq=False)
class Shelved(Deferred):
    shelf: Shelf
    name: str
    value: Any
    size: int

    def __post_init__(self) -> None:
        self.length = len(self.value)
        self.is_list = isinstance(self.value, list)

    def load(self) -> Json:
        self.shelf.loads.append(self.name)
        return self.value  # type: ignore[no-any-return]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def scope(output: Any, **fields: Any) -> Scope:
    return Scope({"a": StepView(output)}, **fields)


def people(shelf: Shelf) -> Any:
    """Three large items, the way a loop's results hold them."""
    items = [{"name": name, "photo": shelf.put(f"{name}'s photo", "x" * 99)} for name in ("ada", "bob", "eve")]
    return {"results": [shelf.put(str(item["name"]), item) for item in items], "count": 3}


def test_a_path_opens_what_it_leads_through_and_nothing_else(shelf: Shelf) -> None:
    value = compile_value("{{ steps.a.output.results[1].name }}").render(scope(people(shelf)))
    assert (value, shelf.loads) == ("bob", ["bob"])


@pytest.mark.parametrize("text", ["{{ steps.a.output }}", "{{ steps.a.output | merge({}) }}"])
def test_a_whole_value_is_resolved_to_its_last_part(shelf: Shelf, text: str) -> None:
    value: Any = compile_value(text).render(scope(people(shelf)))
    assert value["results"][2] == {"name": "eve", "photo": "x" * 99}
    assert not holds_deferred(value)


def test_params_inside_objects_and_lists_are_resolved(shelf: Shelf) -> None:
    template = compile_value(
        {"k": ["{{ steps.a.output.big }}"], "{{ steps.a.output.key }}": "{{ steps.a.output.big }}"}
    )
    assert template.render(scope({"big": shelf.put("big", [1, 2]), "key": "n"})) == {"k": [[1, 2]], "n": [1, 2]}


@pytest.mark.parametrize("text", ["{{ steps.a.output.results | length }}", "{{ steps.a.output.results | count }}"])
@pytest.mark.parametrize("is_outer_deferred", [True, False])
def test_counting_opens_nothing(shelf: Shelf, text: str, is_outer_deferred: bool) -> None:
    results = people(shelf)["results"]
    output = {"results": shelf.put("all", results) if is_outer_deferred else results}
    assert compile_value(text).render(scope(output)) == 3
    assert shelf.loads == []


def test_asking_whether_it_is_there_opens_nothing(shelf: Shelf) -> None:
    text = "{{ 'yes' if steps.a.output.results and steps.a.output.results is defined else 'no' }}"
    assert compile_value(text).render(scope({"results": shelf.put("all", [1])})) == "yes"
    assert shelf.loads == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ steps.a.output.results | map(attribute='name') | join(',') }}", "ada,bob,eve"),
        ("{% for each in steps.a.output.results %}{{ each.name }} {% endfor %}", "ada bob eve "),
        ("{{ (steps.a.output.results | selectattr('name', 'eq', 'eve') | first).name }}", "eve"),
        ("{{ (steps.a.output.results | sort(attribute='name') | last).name }}", "eve"),
        ("{{ steps.a.output.results[1:][0]['na' ~ 'me'] }}", "bob"),
        ("{{ steps.a.output.results | map('length') | sum }}", 6),
        ("{{ (steps.a.output.results | first).get('name') | upper }}", "ADA"),
        ("photo: {{ steps.a.output.results[0].photo | truncate(4) }}", "photo: xxx…"),
        ("{{ steps.a.output.results[0].photo + '!' }}", "x" * 99 + "!"),
        ("{{ steps.a.output.results[0].photo == 'x' * 99 }}", True),
        ("{{ 'xx' in steps.a.output.results[0].photo }}", True),
        ("{{ steps.a.output.results[0] is mapping }}", True),
        ("{{ steps.a.output.results[0].photo.startswith('x') }}", True),
        ("{{ steps.a.output.results[0].photo | tojson | length }}", 101),
    ],
)
def test_filters_methods_and_loops_see_the_value(shelf: Shelf, text: str, expected: Json) -> None:
    assert compile_value(text).render(scope(people(shelf))) == expected


def test_inside_a_text_a_deferred_text_stands_as_itself(shelf: Shelf) -> None:
    assert compile_value("<{{ steps.a.output }}>").render(scope(shelf.put("t", "abc"))) == "<abc>"
    assert compile_value("<{{ steps.a.output }}>").render(scope(shelf.put("t", [1]))) == "<[1]>"


@pytest.mark.parametrize("text", ["{{ steps.a.output.results }}", "{{ steps.a.output.results | list }}"])
def test_who_passes_values_on_leaves_them_deferred(shelf: Shelf, text: str) -> None:
    value: Any = compile_value({"items": text}).carrying().render(scope(people(shelf)))
    assert [each.name for each in value["items"]] == ["ada", "bob", "eve"]
    assert shelf.loads == []


def test_a_condition_sees_the_value(shelf: Shelf) -> None:
    assert compile_condition("{{ steps.a.output.results[0].name == 'ada' }}").holds(scope(people(shelf)))
    assert compile_condition("{{ steps.a.output.results }}").holds(scope({"results": shelf.put("all", [1])}))
    assert compile_condition("{{ steps.a.output }} == abc").holds(scope(shelf.put("t", "abc")))


def test_trigger_data_and_items_may_be_deferred(shelf: Shelf) -> None:
    both = scope(None, trigger={"body": shelf.put("body", {"a": 1})}, item=shelf.put("item", {"b": 2}), index=0)
    assert compile_value("{{ trigger.body.a }}").render(both) == 1
    assert compile_value("{{ item.b }}").render(both) == 2
    assert compile_value("{{ item }}").render(both) == {"b": 2}


def test_a_path_that_leads_to_nothing_says_what_is_there(shelf: Shelf) -> None:
    with pytest.raises(Exception, match="has name, photo"):
        compile_value("{{ steps.a.output.results[0].nmae }}").render(scope(people(shelf)))


def test_a_run_without_deferred_values_is_not_looked_through() -> None:
    output = {"rows": [1, 2]}
    assert compile_value("{{ steps.a.output }}").render(scope(output, holding=Holding(False))) is output


def test_more_than_memory_should_hold_is_a_sentence(shelf: Shelf) -> None:
    huge = [shelf.put(str(number), "x", size=10**8) for number in range(10)]
    with pytest.raises(TooBigError, match="too much to have in memory at once"):
        compile_value("{{ steps.a.output }}").render(scope(huge))
    assert len(shelf.loads) == 2
    with pytest.raises(TooBigError):
        compile_value("{{ steps.a.output | reverse }}").render(scope(huge))


def test_what_holds_nothing_deferred_stays_the_same_object() -> None:
    value: Json = {"a": [1, {"b": "c"}]}
    assert resolved(value) is value


def test_a_value_for_the_eye_opens_what_fits(shelf: Shelf) -> None:
    value = abridged([shelf.put("a", "x", 40), shelf.put("b", "y", 4_000_000), shelf.put("c", "z", 50)], 100)
    assert value == ["x", "… 4.0 MB, not shown here", "z"]
