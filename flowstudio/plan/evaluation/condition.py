"""Conditions: an expression whose truth is asked for, in FlowStudio's form or the old service's.

- `{{ steps.fetch.output.count > 3 }}`: the value's truth; a text is false when it is empty, "false", "no", "off", "0",
  "null" or "none".
- `step_2.output == 'done'`, `{{step_2.output}} != done`: the old dialect, `==` and `!=` between a reference and a
  literal whose quotes are optional; both sides are compared as texts.
- `{{ vars.a }} > 3 and {{ vars.b }}`: one expression, its braces are only brackets.
- `steps.fetch.output.count > 3 and vars.limit`: a bare expression, as inside braces.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from flowstudio.plan.evaluation.braces import blocks, map_blocks
from flowstudio.plan.evaluation.expression_errors import ExpressionSyntaxError
from flowstudio.plan.evaluation.jinja_code import evaluate, expression_code, parse_expression
from flowstudio.plan.evaluation.list_filters import is_true
from flowstudio.plan.evaluation.meter import Meter, text
from flowstudio.plan.evaluation.paths import Dialect
from flowstudio.plan.evaluation.scope import Scope
from flowstudio.plan.evaluation.template import Template, compile_json, compile_text
from flowstudio.plan.model import Json, StepId

_OLD_REFERENCE = re.compile(r"(?:step_\d+|steps\.\d+)(?:\.\w+|\[-?\d+\])*")
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_BRACED = re.compile(r"\{\{|\$\{")
_QUOTED_BLOCK = re.compile(r"""['"]\s*(?:\{\{|\$\{)""")
_OLD_WHOLE = re.compile(r"\$\{\s*([^{}]*?)\s*\}")
_CLOSING = (("{{", "}}"), ("${", "}"), ('"', '"'), ("'", "'"))


@dataclass(frozen=True, slots=True)
class Condition:
    """holds(scope) raises ExpressionError. references: ids of the steps it reads."""

    holds: Callable[[Scope], bool]
    references: frozenset[StepId]


def compile_condition_text(condition: Json, dialect: Dialect) -> Condition:
    if not isinstance(condition, str):
        return _truth_of(compile_json(condition, dialect))
    condition = condition.strip()
    compared = _compile_comparison(condition, dialect)
    if compared is not None:
        return compared
    if not condition or "{%" in condition or list(blocks(condition)) == [(0, len(condition))]:
        return _truth_of(compile_text(condition, dialect))
    code = expression_code(parse_expression(_without_braces(condition)), dialect)
    return Condition(lambda scope: is_true(evaluate(code, scope, condition)), code.references)


def _without_braces(condition: str) -> str:
    """`{{ vars.a }} > 3` as one expression: as a text it would always be true."""
    if _QUOTED_BLOCK.search(condition):
        raise ExpressionSyntaxError(
            f"“{condition[:80]}” puts braces inside quotes.",
            fix="Write the whole condition as one expression: {{ steps.<id>.output == 'x' and … }}.",
        )
    return _OLD_WHOLE.sub(r"\1", map_blocks(condition, lambda block: f"({block[2:-2]})"))


def _truth_of(template: Template) -> Condition:
    return Condition(lambda scope: is_true(template.render(scope)), template.references)


def _compile_comparison(condition: str, dialect: Dialect) -> Condition | None:
    """One `==` or `!=` of the old dialect, or None when the text is anything else."""
    at = _operator(condition)
    if at is None:
        return None
    sides = condition[:at].strip(), condition[at + 2 :].strip()
    if not any(_is_reference(side) for side in sides):
        return None
    left, right = (_operand(side, dialect) for side in sides)
    is_negated = condition[at] == "!"

    def holds(scope: Scope) -> bool:
        same = not _texts(left.render(scope)).isdisjoint(_texts(right.render(scope)))
        return same is not is_negated

    return Condition(holds, left.references | right.references)


def _operator(condition: str) -> int | None:
    """Where the one `==` or `!=` outside braces and quotes stands; None when there is none or anything beside it."""
    found: int | None = None
    position = 0
    while position < len(condition):
        closing = next((end for start, end in _CLOSING if condition.startswith(start, position)), None)
        if closing is not None:
            end = condition.find(closing, position + 1)
            if end < 0:
                return None
            position = end + len(closing)
        elif condition.startswith(("==", "!="), position) and found is None:
            found = position
            position += 2
        elif condition[position] in "=!<>{}()|":
            return None
        else:
            position += 1
    return found


def _is_reference(side: str) -> bool:
    return _BRACED.search(side) is not None or _OLD_REFERENCE.fullmatch(side) is not None


def _operand(side: str, dialect: Dialect) -> Template:
    if _OLD_REFERENCE.fullmatch(side):
        return compile_text("{{ " + side + " }}", dialect)
    quoted = _QUOTED.fullmatch(side)
    return compile_text((quoted[1] or quoted[2] or "") if quoted else side, dialect)


def _texts(value: Json) -> frozenset[str]:
    """The texts a value may be written as: the old service compared Python's, its users often wrote JSON's."""
    if value is None:
        return frozenset({"", "None", "null"})
    if isinstance(value, bool):
        return frozenset({"True", "true"} if value else {"False", "false"})
    if isinstance(value, float) and value.is_integer():
        return frozenset({str(value), str(int(value))})
    return frozenset({text(value, Meter())})
