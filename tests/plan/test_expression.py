"""Expressions keep types, name what is missing, and let nothing out."""

from typing import Any

import pytest

from flowstudio.plan.expression import (
    EvaluationError,
    ExpressionError,
    MissingValueError,
    Scope,
    StepView,
    UnknownNameError,
    compile_condition,
    compile_value,
)

PEOPLE = [{"name": "Ann", "n": 3, "email": None}, {"name": "bob", "n": 1}]
SCOPE = Scope(
    {"fetch": StepView({"items": PEOPLE, "count": 2}, "fine"), "two": StepView("done", error={"code": "x"})},
    trigger={"body": {"email": "a@b"}},
    vars={"x": 5, "null": None},
    item={"email": "i@x", "items": [1]},
    index=4,
    loops={"outer": {"item": "o", "index": 1}},
    run={"id": "r1"},
)
ORDINALS = ("fetch", "two")


def value(source: Any, scope: Scope = SCOPE, **dialect: Any) -> Any:
    return compile_value(source, ORDINALS, **dialect).render(scope)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ steps.fetch.output.items[0].name }}", "Ann"),
        ("{{ steps['fetch'].output['items'][-1].n }}", 1),
        ("{{steps.fetch.output.items.0.n}}", 3),
        ("{{ steps.fetch.output.items }}", PEOPLE),
        (" {{ steps.fetch.output.count }}\n", 2),
        ("n={{ steps.fetch.output.count }}!", "n=2!"),
        ("{{ steps.fetch.message }}", "fine"),
        ("{{ steps.two.error.code }}", "x"),
        ("{{ trigger.body.email }}", "a@b"),
        ("{{ item.email }}", "i@x"),
        ("{{ item.items }}", [1]),
        ("{{ item.items() | length }}", 2),
        ("{{ index + 1 }}", 5),
        ("{{ loops.outer.item }}", "o"),
        ("{{ run.id }}", "r1"),
        ("{{ vars }}", {"x": 5, "null": None}),
        ("{{ vars.null }}", None),
        ("[{{ vars.null }}]", "[]"),
        ("{{ '012' }}", "012"),
        ("{{ true }} {{ 1.5 }}", "true 1.5"),
        ("x {{ {'a': {'b': 1}} }}", 'x {"a": {"b": 1}}'),
        ("{{ vars.x ** 2 - 1 }}", 24),
        ("{{ 2 ** 3 ** 2 }}", 512),
        ("{{ 'yes' if vars.x == 5 else 'no' }}", "yes"),
        ("{{ 1 if false }}", None),
        ("{{ [1, 2, 3][1:] }}", [2, 3]),
        ("{{ 2 < 3 <= 3 and 'a' in 'cat' and 4 not in [1] }}", True),
        ("{{ 'a' ~ vars.x ~ none }}", "a5"),
        ("{{ range(3) }}", [0, 1, 2]),
        (
            "{% for p in steps.0.output['items'] %}{{ loop.index }}{{ p.name }}{{ ',' if not loop.last }}{% endfor %}",
            "1Ann,2bob",
        ),
        ("{% for item in [1] %}{{ item }}{% endfor %}{{ item.email }}", "1i@x"),
        ("{% for key, each in {'a': 1}.items() %}{{ key }}={{ each }}{% endfor %}", "a=1"),
        ("{% set total = 3 %}{{ total * 2 }}", "6"),
        ("plain { text } $5 ${HOME}", "plain { text } $5 ${HOME}"),
    ],
)
def test_an_expression_gives_its_value_with_its_type(source: str, expected: Any) -> None:
    found = value(source)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{step_2.output}}", "done"),
        ("{{ step_1.output.count }}", 2),
        ("${steps.0.output.items}", PEOPLE),
        ("{{ steps.1.output }}", "done"),
        ("a ${steps.1.output} b", "a done b"),
        ("{{ step_2.output | upper }}", "DONE"),
    ],
)
def test_the_old_dialects_resolve(source: str, expected: Any) -> None:
    assert value(source) == expected


def test_with_the_offset_the_trigger_is_step_one_when_the_run_has_data() -> None:
    assert value("{{step_1.output.body.email}}", trigger_offset=True) == "a@b"
    assert value("{{step_3.output}}", trigger_offset=True) == "done"
    untriggered = Scope(SCOPE.steps)
    assert value("{{step_2.output}}", untriggered, trigger_offset=True) == "done"


def test_a_step_past_the_end_is_an_error_that_counts_them() -> None:
    with pytest.raises(UnknownNameError, match=r"step_9\.output names no step: the plan has 2 steps"):
        value("{{step_9.output}}")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{{ steps.fetch.output.items[0].nam }}", r"items\[0\] has name, n, email. Did you mean name\?"),
        ("{{ steps.fetch.output.items[9] }}", "is a list of 2"),
        ("{{ steps.ghost.output }}", "the step “ghost” has no result here"),
        ("{{ steps.fetch.answer }}", "steps.fetch has output, message, error"),
        ("{{ vars.null.deep }}", r"vars.null is empty \(null\)"),
        ("a {{ trigger.body.phone | upper }}", "trigger.body.phone has no value"),
        ("{{ steps.fetch.output.items | map(attribute='zz') | list }}", "zz has no value"),
        ("{% for p in steps.fetch.output['items'] %}{{ p.zz }}{% endfor %}", "zz has no value"),
    ],
)
def test_a_missing_value_is_an_error_that_names_the_path(source: str, fault: str) -> None:
    with pytest.raises(MissingValueError, match=fault) as caught:
        value(source)
    assert caught.value.code == "expression.missing"


def test_an_error_is_located_by_step_and_field() -> None:
    with pytest.raises(MissingValueError) as caught:
        value("{{ vars.y }}")
    located = caught.value.located("Send mail", "to")
    assert type(located) is MissingValueError
    assert located.sentence.startswith("Step “Send mail”, field “to”: vars.y has no value")
    assert located.facts == {"path": "vars.y", "step": "Send mail", "field": "to"}


def test_item_outside_a_loop_says_that_it_exists_in_loops_only() -> None:
    with pytest.raises(MissingValueError, match="inside a loop only"):
        value("{{ item.email }}", Scope())


def test_default_and_is_defined_may_look_at_a_missing_value() -> None:
    assert value("{{ vars.nothing.here | default('d') }}") == "d"
    assert value("{{ vars.null | default('d') }}") == "d"
    assert value("{{ vars.nothing is defined }}") is False


@pytest.mark.parametrize(
    "source", ["{{ foo }}", "{{ steps }", "{{ 1 + }}", "{{ vars.x | uper }}", "{{ vars.x is od }}", "{% if %}"]
)
def test_what_cannot_be_read_is_an_error_when_it_is_compiled(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_value(source)


def test_a_misspelt_filter_suggests_the_right_one() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean upper\?"):
        compile_value("{{ vars.x | uper }}")


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ vars.__class__ }}",
        "{{ steps.fetch.output.items.__len__ }}",
        "{{ ''|attr('__class__') }}",
        "{{ [''] | map(attribute='__class__') | list }}",
        "{{ 'x'.format(1) }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ self }}",
        "{{ self.__init__ }}",
        "{{ cycler('a').__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ range.__self__ }}",
        "{{ namespace(a=1) }}",
        "{{ dict(a=1) }}",
        "{{ config }}",
        "{{ request }}",
        "{% include 'x' %}",
        "{% import 'x' as x %}",
        "{% extends 'x' %}",
        "{% macro m() %}{% endmacro %}",
        "{% call m() %}{% endcall %}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% for i in [1] %}{{ loop._iterator }}{% endfor %}",
        "{% for i in [1] %}{{ loop.__init__ }}{% endfor %}",
        "{% set steps = 1 %}",
        "{{ [1].append(2) }}",
        "{{ steps.fetch.output.update({'a': 1}) }}",
        "{{ [3,1]|random }}",
        "{{ 'x' | map('\\x00method', 'upper') | list }}",
        "{{ (1).bit_length() }}",
        "{{ f(*[1]) }}",
        "{{ range(1, **{}) }}",
    ],
)
def test_nothing_but_keys_filters_and_listed_methods_can_be_reached(source: str) -> None:
    with pytest.raises(ExpressionError):
        value(source)


def test_reading_never_changes_the_data() -> None:
    assert value("{{ steps.fetch.output.items | sort(attribute='n') | map(attribute='name') | list }}") == [
        "bob",
        "Ann",
    ]
    assert [each["name"] for each in PEOPLE] == ["Ann", "bob"]


@pytest.mark.parametrize(
    ("source", "kind"),
    [("{{ 1 / 0 }}", "divides by zero"), ("{{ 'a' + 1 }}", "does not fit"), ("{{ 'x' | int(foo=1) }}", "does not fit")],
)
def test_an_operation_that_does_not_fit_is_a_sentence(source: str, kind: str) -> None:
    with pytest.raises(EvaluationError, match=kind):
        value(source)


def test_expressions_are_found_anywhere_in_a_value() -> None:
    assert value({"a": ["{{ vars.x }}", {"b": "n {{ vars.x }}"}], "{{ vars.x }}": 1}) == {
        "a": [5, {"b": "n 5"}],
        "5": 1,
    }


def test_a_constant_is_given_back_uncopied() -> None:
    constant = {"big": [1, 2, {"a": "b"}], "text": "no braces"}
    template = compile_value(constant)
    assert template.is_constant
    assert template.render(Scope()) is constant


def test_constant_parts_and_read_values_are_shared_not_copied() -> None:
    part = [1, 2]
    result = value({"constant": part, "read": "{{ steps.fetch.output.items }}"})
    assert result["constant"] is part
    assert result["read"] is PEOPLE


def test_references_tell_which_steps_are_read() -> None:
    source = {
        "a": "{{ steps.fetch.output }} {{step_2.output}}",
        "b": ["{{ steps['other'].output | upper }}", "{{ vars.x }}"],
    }
    assert compile_value(source, ORDINALS).references == {"fetch", "two", "other"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("step_2.output == 'done'", True),
        ("step_2.output == done", True),
        ('step_2.output != "done"', False),
        ("{{step_2.output}} == done", True),
        ("'{{step_2.output}}' == 'done'", True),
        ("${steps.1.output} == 'done'", True),
        ("step_1.output.count == 2", True),
        ("step_2.output == 'a == b'", False),
        ("{{ vars.null }} == null", True),
        ("{{ vars.x > 3 }}", True),
        ("{{ vars.x }} > 7", False),
        ("{{ vars.x }} > 3 and ${steps.1.output} == 'done'", True),
        ("vars.x > 3 and trigger", True),
        ("steps.fetch.output.count > 1", True),
        ("{{ 'false' }}", False),
        ("{{ 'No' }}", False),
        ("{{ [] }}", False),
        ("{% if vars.x %}yes{% endif %}", True),
        ("", False),
        (True, True),
        (None, False),
    ],
)
def test_a_condition_holds_or_not(condition: Any, expected: bool) -> None:
    assert compile_condition(condition, ORDINALS).holds(SCOPE) is expected


def test_a_condition_over_nothing_is_an_error() -> None:
    with pytest.raises(MissingValueError):
        compile_condition("step_1.output.ghost == 'x'", ORDINALS).holds(SCOPE)


def test_a_condition_with_braces_in_quotes_is_refused_rather_than_always_true() -> None:
    with pytest.raises(ExpressionError, match="braces inside quotes"):
        compile_condition("'{{ vars.x }}' == 'a' and '{{ vars.x }}' == 'b'")


def test_a_condition_tells_its_references() -> None:
    assert compile_condition("step_2.output == 'x'", ORDINALS).references == {"two"}
