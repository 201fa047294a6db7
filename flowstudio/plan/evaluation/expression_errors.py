"""Why an expression cannot be compiled or evaluated.

ExpressionError                expression.error          (flowstudio.errors.FlowStudioError)
├── ExpressionSyntaxError      expression.syntax         it cannot be read
├── UnknownNameError           expression.unknown_name   a name, filter, test or method that does not exist
├── NotAllowedError            expression.not_allowed    a part of Jinja that plans do without
├── MissingValueError          expression.missing        a path leads to nothing
├── TooBigError                expression.too_big        its result or its work would be out of all proportion
└── EvaluationError            expression.failed         an operation does not fit its values
"""

from collections.abc import Mapping
from typing import Self

from flowstudio.errors import FlowStudioError


class ExpressionError(FlowStudioError):
    code = "expression.error"

    def located(self, step: str, field: str) -> Self:
        """The same fault with the step and the field it is in. step: title or id, as a person knows it."""
        facts: Mapping[str, object] = {**self.facts, "step": step, "field": field}
        return type(self)(f"Step “{step}”, field “{field}”: {self.sentence}", fix=self.fix, facts=facts)


class ExpressionSyntaxError(ExpressionError):
    code = "expression.syntax"


class UnknownNameError(ExpressionError):
    code = "expression.unknown_name"


class NotAllowedError(ExpressionError):
    code = "expression.not_allowed"


class MissingValueError(ExpressionError):
    code = "expression.missing"


class TooBigError(ExpressionError):
    code = "expression.too_big"


class EvaluationError(ExpressionError):
    code = "expression.failed"
