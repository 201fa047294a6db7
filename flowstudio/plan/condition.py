"""Conditions: an expression whose truth is asked for, in FlowStudio's form or the old service's.

- `{{ steps.fetch.output.count > 3 }}`: the value's truth; a text is false when it is empty, "false", "no", "off", "0",
  "null" or "none".
- `step_2.output == 'done'`, `{{step_2.output}} != done`: the old dialect, `==` and `!=` between a reference and a
  literal whose quotes are optional; both sides are compared as texts.
- `steps.fetch.output.count > 3 and vars.limit`: a bare expression, as inside braces.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from flowstudio.plan.jinja_code import evaluate, expression_code, parse_expression
from flowstudio.plan.list_filters import is_true
from flowstudio.plan.meter import Meter, text
from flowstudio.plan.model import Json, StepId
from flowstudio.plan.paths import Dialect
from flowstudio.plan.scope import Scope
from flowstudio.plan.template import Template, compile_json, compile_text

_PIECE = r"""(?:"[^"]*"|'[^']*'|\{\{.*?\}\}|\$\{.*?\}|[^=!<>"'{}])"""
_COMPARISON = re.compile(rf"\s*(?P<left>{_PIECE}*?)\s*(?P<symbol>==|!=)\s*(?P<right>{_PIECE}*?)\s*", re.DOTALL)
_LONGEST = 2000
"""Characters of a text that is tried as a comparison of the old dialect."""
_OLD_REFERENCE = re.compile(r"(?:step_\d+|steps\.\d+)(?:\.\w+|\[-?\d+\])*")
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_BRACED = re.compile(r"\{\{|\$\{")


@dataclass(frozen=True, slots=True)
class Condition:
    """holds(scope) raises ExpressionError. references: ids of the steps it reads."""

    holds: Callable[[Scope], bool]
    references: frozenset[StepId]


def compile_condition_text(condition: Json, dialect: Dialect) -> Condition:
    if not isinstance(condition, str):
        return _truth_of(compile_json(condition, dialect))
    compared = _compile_comparison(condition, dialect)
    if compared is not None:
        return compared
    if _BRACED.search(condition) or "{%" in condition or not condition.strip():
        return _truth_of(compile_text(condition, dialect))
    code = expression_code(parse_expression(condition.strip()), dialect)
    return Condition(lambda scope: is_true(evaluate(code, scope, condition)), code.references)


def _truth_of(template: Template) -> Condition:
    return Condition(lambda scope: is_true(template.render(scope)), template.references)


def _compile_comparison(condition: str, dialect: Dialect) -> Condition | None:
    """One `==` or `!=` of the old dialect, or None when the text is anything else."""
    found = _COMPARISON.fullmatch(condition) if len(condition) <= _LONGEST else None
    if found is None or not any(_is_reference(found[side]) for side in ("left", "right")):
        return None
    left, right = _operand(found["left"], dialect), _operand(found["right"], dialect)
    is_negated = found["symbol"] == "!="

    def holds(scope: Scope) -> bool:
        same = not _texts(left.render(scope)).isdisjoint(_texts(right.render(scope)))
        return same is not is_negated

    return Condition(holds, left.references | right.references)


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
