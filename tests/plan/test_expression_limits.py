"""Bombs are refused at once; real work is not."""

import time

import pytest

from flowstudio.plan.evaluation.expression_errors import TooBigError
from flowstudio.plan.evaluation.references import renamed
from flowstudio.plan.expression import ExpressionError, Scope, compile_condition, compile_value

SCOPE = Scope(trigger={"text": "x" * 1000, "list": list(range(1000)), "big": "a" * 5_000_000})
LIMIT_S = 0.1
MARGIN = 4
"""A test machine may be busy; alone each of these takes under 0.1 s."""

DOUBLED = "{% set x = [1] %}{% set y = [1] %}" + "{% set x = [x, x] %}{% set y = [y, y] %}" * 60
SHARED = "[0] * 1000"
for _ in range(3):
    SHARED = f"([none] * 1000) | map('default', {SHARED})"

BOMBS = [
    "{{ 'a' * 10**9 }}",
    "{{ 10**9 * 'a' }}",
    "{{ [0] * 10**9 }}",
    "{{ 2**(2**30) }}",
    "{{ 2**2**30 }}",
    "{{ 99999999**99999999 }}",
    "{{ 9.0**9999 }}",
    "{{ range(10**9) }}",
    "{{ range(1, 10**18) | first }}",
    "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
    "{% for a in range(300) %}{% for b in range(300) %}{% for c in range(300) %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in range(100000) %}{{ trigger.list }}{% endfor %}",
    "{% for a in range(100000) if a > 200000 %}{% endfor %}{% for a in range(100000) %}{% endfor %}",
    '{{ "%1000000000d" | format(1) }}',
    '{{ "%1000000000d" % 1 }}',
    '{{ "%*d" % (1000000000, 1) }}',
    '{{ "%.1000000000f" % 1.0 }}',
    "{{ '%s' * 1000000 % 1 }}",
    "{{ ('%(a)s' * 100000) | format(a='b' * 100000) }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a'.center(10**9) }}",
    "{{ 'a' | center(10**9) }}",
    "{{ 'a' | indent(10**9) }}",
    "{{ lipsum(10000) }}",
    "{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}",
    "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
    "{{ (['a' * 100000] * 10000) | join }}",
    "{{ (['a'] * 100000) | join('b' * 100000) }}",
    "{{ [['a' * 100000] * 1000] * 1000 }}",
    "{{ [[[0] * 1000] * 1000] * 1000 }}",
    "text {{ [[[0] * 1000] * 1000] * 1000 }}",
    "{{ [[[0] * 1000] * 1000] * 1000 | tojson }}",
    f"{{{{ {SHARED} }}}}",
    f"{{{{ ({SHARED}) == ({SHARED}) }}}}",
    "{% set x = 'a' * 1000 %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}",
    "{% set x = ['a'] %}" + "{% set x = x + x %}" * 40 + "{{ x }}",
    "{% set x = 2 %}" + "{% set x = x * x %}" * 40 + "{{ x }}",
    DOUBLED + "{{ x }}",
    DOUBLED + "{{ x | tojson }}",
    DOUBLED + "{{ x == y }}",
    DOUBLED + "{{ [x, y] | sort }}",
    DOUBLED + "{{ [x].index(y) }}",
    DOUBLED + "{{ [x] | select('eq', y) | list }}",
    "{% for a in range(100000) %}{{ trigger.big == trigger.big ~ '' }}{% endfor %}",
    "{% for a in range(100000) %}{{ trigger.big | upper | length }}{% endfor %}",
    "{% for a in range(100000) %}{{ trigger.big.count('x') }}{% endfor %}",
    "{% for a in range(100000) %}{{ trigger.big[1:] | length }}{% endfor %}",
    "{% for a in range(100000) %}{{ 'q' in trigger.big }}{% endfor %}",
    "{{ ('a ' * 10000000) | split }}",
    "{{ ('a' * 60000000) | list }}",
    "{{ trigger.list | map('replace', '', 'b' * 100000) | list }}",
    "{{ 1 | round(10**9) }}",
    "{{ [1] | tojson(indent=10**9) }}",
    "{{ ('[' * 100000) | fromjson }}",
    "{{ '2025-01-01' | date('%1000000000d') }}",
    "{{ '2025-01-01' | shift(days=10**12) }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "+".join(["1"] * 50000) + " }}",
    "{{ " + "-" * 50000 + "1 }}",
    "{{ 0" + " | abs" * 20000 + " }}",
    "{{ 1" + " if 1 else 1" * 20000 + " }}",
    "{{ " + "9" * 150000 + " }}",
    "{{" * 200000,
    "{{ '" * 100000,
    "{% raw %}" * 2000,
    "{{ trigger" + ".a" * 9000 + " | upper }}",
]


@pytest.mark.parametrize("source", BOMBS, ids=lambda source: source[:50])
def test_a_bomb_is_refused_at_once(source: str) -> None:
    start = time.process_time()
    with pytest.raises(ExpressionError):
        compile_value(source).render(SCOPE)
    assert time.process_time() - start < LIMIT_S * MARGIN


@pytest.mark.parametrize(
    "condition", ["'" * 1999, "{{ }}" * 199 + "{{" * 200, "a" * 1990 + "==", "${" * 1000, "{{ a }}" * 280 + "=="]
)
def test_a_strange_condition_is_refused_at_once(condition: str) -> None:
    start = time.process_time()
    with pytest.raises(ExpressionError):
        compile_condition(condition).holds(SCOPE)
    assert time.process_time() - start < LIMIT_S * MARGIN


@pytest.mark.parametrize(
    "source", ["{{" * 300000, "{{ " + "'" * 200001 + "}}", '{{ "' + '\\"' * 100000, "{{ steps . " * 50000]
)
def test_renaming_in_a_strange_text_takes_no_longer_than_it_is_long(source: str) -> None:
    start = time.process_time()
    assert renamed(source, {"a": "b"}) == source
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("source", "length"),
    [
        ("{% for i in range(50000) %}{{ i }},{% endfor %}", 288_890),
        ("{{ trigger.list | map('string') | join('-') }}", 3889),
        ("{{ ('a' * 1000000) | upper }}", 1_000_000),
        ("{{ trigger.big }}", 5_000_000),
        ("<{{ trigger.big | replace('b', 'c') }}>", 5_000_002),
    ],
)
def test_real_work_is_done(source: str, length: int) -> None:
    result = compile_value(source).render(SCOPE)
    assert isinstance(result, str)
    assert len(result) == length


@pytest.mark.parametrize("source", ["{{ step_%s.output }}", "{{ trigger.list[%s] }}", "{{ steps[%s].output }}"])
def test_a_number_of_many_digits_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_value(source % ("9" * 5000)).render(SCOPE)


def test_a_pit_of_lists_inside_a_text_is_refused() -> None:
    pit: list[object] = []
    for _ in range(900):
        pit = [pit]
    with pytest.raises(TooBigError):
        compile_value("It is {{ trigger }}").render(Scope(trigger=pit))


def test_loops_nested_deeper_than_python_compiles_are_refused() -> None:
    with pytest.raises(ExpressionError, match="10 loops"):
        compile_value("{% for a in [1] %}" * 11 + "x" + "{% endfor %}" * 11)
    ten = compile_value("{% for a in [1] %}" * 10 + "x" + "{% endfor %}" * 10)
    assert ten.render(SCOPE) == "x"


@pytest.mark.parametrize("key", ["--1", "²", "9" * 5000])
def test_a_text_that_only_looks_like_an_index_leads_to_nothing(key: str) -> None:
    with pytest.raises(ExpressionError, match="has no value"):
        compile_value("{{ trigger.list['" + key + "'] }}").render(SCOPE)
