"""Expressions: {{ }} in any text of a step, and the old service's two dialects.

compile_value takes a JSON value with expressions anywhere inside and gives a Template; compile_condition a condition's
text. Plain paths are read directly, everything else by Jinja's sandbox (`sandbox`). An expression that is the whole
text keeps its value's type; inside a longer text it becomes text. Pure: no clock, no chance, no attributes.
"""

from collections.abc import Sequence

from flowstudio.plan.evaluation.condition import Condition, compile_condition_text
from flowstudio.plan.evaluation.expression_errors import (
    EvaluationError,
    ExpressionError,
    ExpressionSyntaxError,
    MissingValueError,
    NotAllowedError,
    TooBigError,
    UnknownNameError,
)
from flowstudio.plan.evaluation.paths import Dialect
from flowstudio.plan.evaluation.scope import Scope, StepView
from flowstudio.plan.evaluation.template import Template, compile_json
from flowstudio.plan.model import Json, StepId

__all__ = [
    "Condition",
    "EvaluationError",
    "ExpressionError",
    "ExpressionSyntaxError",
    "MissingValueError",
    "NotAllowedError",
    "Scope",
    "StepView",
    "Template",
    "TooBigError",
    "UnknownNameError",
    "compile_condition",
    "compile_value",
]


def compile_value(value: Json, ordinals: Sequence[StepId] = (), trigger_offset: bool = False) -> Template:
    """A JSON value with expressions anywhere inside. Raises ExpressionError.

    ordinals: the step ids that `step_1`, `step_2` ... and `steps.0`, `steps.1` ... count. trigger_offset: the plan is
    marked `legacy_trigger_offset`.
    """
    return compile_json(value, Dialect(ordinals, trigger_offset))


def compile_condition(condition: Json, ordinals: Sequence[StepId] = (), trigger_offset: bool = False) -> Condition:
    """A condition: a text such as `{{ steps.fetch.output.count > 3 }}` or the old `step_2.output == 'done'`."""
    return compile_condition_text(condition, Dialect(ordinals, trigger_offset))
