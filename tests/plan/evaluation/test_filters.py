"""Each filter on a small example."""

from typing import Any

import pytest

from flowstudio.plan.expression import ExpressionError, Scope, compile_value

ROWS = [{"name": "Ann", "n": 3, "at": {"city": "Rome"}}, {"name": "bob", "n": 1}, {"name": "Cy", "n": 2}]


def value(source: str) -> Any:
    return compile_value("{{ " + source + " }}").render(Scope(vars={"rows": ROWS, "t": " a,b ", "o": {"b": 2, "a": 1}}))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("vars.t | trim | upper", "A,B"),
        ("'hello world' | title", "Hello World"),
        ("'hELLO' | capitalize", "Hello"),
        ("'ABC' | lower", "abc"),
        ("vars.rows | length", 3),
        ("vars.rows | first | get('name')", "Ann"),
        ("vars.rows | last | get('at.city', 'none')", "none"),
        ("vars.rows | map(attribute='name') | join(', ')", "Ann, bob, Cy"),
        ("vars.rows | map(attribute='at.city', default='-') | list", ["Rome", "-", "-"]),
        ("vars.rows | sort(attribute='n') | map(attribute='name')", ["bob", "Cy", "Ann"]),
        ("vars.rows | sort(attribute='name', reverse=true) | map(attribute='n')", [2, 1, 3]),
        ("['b', 'A', 'a'] | unique", ["b", "A"]),
        ("[3, 1, 3] | unique | sort", [1, 3]),
        ("vars.rows | selectattr('n', 'gt', 1) | map(attribute='name')", ["Ann", "Cy"]),
        ("vars.rows | rejectattr('at') | map(attribute='name')", ["bob", "Cy"]),
        ("[1, 2, 3, 4] | select('even')", [2, 4]),
        ("[0, 1, '', 'x'] | select", [1, "x"]),
        ("['a', 'b'] | reject('equalto', 'a')", ["b"]),
        ("vars.rows | groupby('n') | map('first')", [3, 1, 2]),
        ("vars.rows | sum(attribute='n')", 6),
        ("vars.rows | map(attribute='n') | max", 3),
        ("vars.rows | min(attribute='n') | get('name')", "bob"),
        ("[1, 2, 3] | batch(2)", [[1, 2], [3]]),
        ("[[1], [2, 3], 4] | flatten", [1, 2, 3, 4]),
        ("[1, 2] | reverse", [2, 1]),
        ("vars.o | keys | sort", ["a", "b"]),
        ("vars.o | values | sum", 3),
        ("vars.o | items | sort_me", None),
        ("vars.o | dictsort", [["a", 1], ["b", 2]]),
        ("vars.o | merge({'c': 3})", {"b": 2, "a": 1, "c": 3}),
        ("3.14159 | round(2)", 3.14),
        ("2.1 | round(method='ceil')", 3.0),
        ("'3.7' | int", 3),
        ("'x' | int(7)", 7),
        ("'2.5' | float", 2.5),
        ("(-3) | abs", 3),
        ("'no' | bool", False),
        ("{'a': [1]} | tojson", '{"a": [1]}'),
        ("'[1, null]' | fromjson", [1, None]),
        ("'a b&c/d' | urlencode", "a%20b%26c/d"),
        ("{'q': 'a b'} | urlencode", "q=a+b"),
        ("'a-b' | split('-')", ["a", "b"]),
        ("'a b  c' | split", ["a", "b", "c"]),
        ("'banana' | replace('a', 'o', 2)", "bonona"),
        ("'<b>a</b> &amp; b' | striptags", "a & b"),
        ("'<a>' | escape", "&lt;a&gt;"),
        ("'abcdef' | truncate(4)", "abc…"),
        ("'%s has %d' | format('x', 3)", "x has 3"),
        ("'Hello, Wörld!' | slug", "hello-wörld"),
        ("'hi' | b64encode | b64decode", "hi"),
        ("'a\nb' | indent(2)", "a\n  b"),
        ("'2025-01-31T09:00:00Z' | date('%d.%m.%Y %H:%M', 'Europe/Berlin')", "31.01.2025 10:00"),
        ("0 | date", "1970-01-01"),
        ("'2025-01-31' | shift(days=1)", "2025-02-01T00:00:00+00:00"),
        ("'1970-01-01T00:01:00Z' | timestamp", 60.0),
        ("'a,b'.split(',')", ["a", "b"]),
        ("'-'.join(['a', 'b'])", "a-b"),
        ("' x '.strip().upper()", "X"),
        ("{'a': 1}.get('b', 2)", 2),
    ],
)
def test_a_filter_gives_what_it_says(source: str, expected: Any) -> None:
    if expected is None:
        with pytest.raises(ExpressionError):
            value(source)
        return
    found = value(source)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("'soon' | date", "“soon” is not a date"),
        ("0 | date('%Y', 'Mars/Base')", "no time zone named “Mars/Base”"),
        ("[[1], [2]] | sort", "Only texts and numbers have an order"),
        ("['a', 1] | sort", "does not fit"),
        ("[1, 'a'] | sum", "Only numbers can be added up"),
        ("'{' | fromjson", "The text is not JSON: line 1"),
        ("5 | length", "A list is needed here"),
        ("5 | keys", "An object is needed here"),
    ],
)
def test_a_filter_on_the_wrong_value_is_a_sentence(source: str, fault: str) -> None:
    with pytest.raises(ExpressionError, match=fault):
        value(source)


def test_nothing_depends_on_clock_or_chance() -> None:
    for name in ("now", "random", "shuffle", "uuid"):
        with pytest.raises(ExpressionError):
            value(f"[1] | {name}")
