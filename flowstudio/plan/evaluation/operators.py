"""The operators of expressions, each paid for before it works."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from flowstudio.plan.evaluation.deferred import opened
from flowstudio.plan.evaluation.expression_errors import EvaluationError
from flowstudio.plan.evaluation.meter import CALL, ENTRY, INT_BITS, Meter, settle, size, text, too_big

_WIDEST = 1000
_SPEC = re.compile(r"%(?:\([^)]*\))?[#0\- +]*(\*|\d*)(?:\.(\*|\d*))?")


def _add(left: Any, right: Any, meter: Meter) -> Any:
    meter.spend(size(left) + size(right))
    return left + right


def _multiply(left: Any, right: Any, meter: Meter) -> Any:
    if isinstance(left, int) and isinstance(right, str | list | tuple):
        left, right = right, left
    if isinstance(left, str | list | tuple) and isinstance(right, int):
        meter.spend(size(left) * max(right, 0))
    elif isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > INT_BITS:
        raise too_big()
    return left * right


def _power(left: Any, right: Any, meter: Meter) -> Any:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > INT_BITS:
        raise too_big()
    return left**right


def _modulo(left: Any, right: Any, meter: Meter) -> Any:
    return formatted(left, right, meter) if isinstance(left, str) else left % right


_BINARY: Mapping[str, Callable[[Any, Any, Meter], Any]] = {
    "+": _add,
    "-": lambda left, right, meter: left - right,
    "*": _multiply,
    "/": lambda left, right, meter: left / right,
    "//": lambda left, right, meter: left // right,
    "**": _power,
    "%": _modulo,
}
BINARY = frozenset(_BINARY)


def binary(symbol: str, left: Any, right: Any, meter: Meter) -> Any:
    meter.spend(CALL)
    return _BINARY[symbol](opened(left), opened(right), meter)


def formatted(template: str, values: Any, meter: Meter) -> str:
    """Old-style % formatting. values: one value, a tuple of them, or an object."""
    meter.spend(ENTRY * template.count("%"))
    for widths in _SPEC.findall(template):
        for width in widths:
            if width == "*" or (width and (len(width) > 4 or int(width) > _WIDEST)):
                raise EvaluationError(f"A width in “{template[:40]}” is too large: {_WIDEST} is the most.")
    if isinstance(values, dict):
        plain: Any = {key: _printable(each, meter) for key, each in values.items()}
        longest = max(map(size, plain.values()), default=0)
    else:
        plain = tuple(_printable(each, meter) for each in (values if isinstance(values, tuple) else (values,)))
        longest = max(map(size, plain), default=0)
    meter.spend(len(template) + template.count("%") * (longest + 2 * _WIDEST))
    return str(template % plain)


def _printable(value: Any, meter: Meter) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else text(value, meter)


_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}


def compare(symbol: str, left: Any, right: Any, meter: Meter) -> bool:
    """Containers are walked first: equal ones would be compared entry by entry."""
    meter.spend(CALL)
    left, right = _comparable(left, meter), _comparable(right, meter)
    return bool(_COMPARE[symbol](left, right))


def _comparable(value: Any, meter: Meter) -> Any:
    if isinstance(value, str):
        meter.spend(len(value))
        return value
    return value if value is None or isinstance(value, bool | int | float) else settle(value, meter)
