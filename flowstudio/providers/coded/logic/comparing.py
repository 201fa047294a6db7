"""How values of different types compare: numbers written as text (a CSV file has no others) count as numbers.

`sort_key` gives one total order over all JSON values, so that a sort never fails: numbers, then text, then booleans,
then lists and objects by their JSON; what is missing comes last.
"""

import json
import math
from typing import TypeAlias

from flowstudio.plan.model import Json

Number: TypeAlias = int | float
SortKey: TypeAlias = tuple[int, Number, str]


def number_of(value: Json) -> Number | None:
    """The finite number a value stands for, exact for whole numbers, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _written_number(value)
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return None


def equal(left: Json, right: Json) -> bool:
    """The same value, where 5, 5.0 and "5" are the same and so are true and "true"."""
    if isinstance(left, bool) or isinstance(right, bool):
        return _plain(left) == _plain(right)
    one, other = number_of(left), number_of(right)
    if one is not None and other is not None:
        return one == other
    return left == right


def order(left: Json, right: Json) -> int | None:
    """-1, 0 or 1; None when the two do not compare: a number with text, anything with a list, null or object."""
    one, other = number_of(left), number_of(right)
    if one is not None and other is not None:
        return (one > other) - (one < other)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    return None


def sort_key(value: Json) -> SortKey:
    """A key that orders any values. None and missing values come last."""
    if value is None:
        return (9, 0.0, "")
    if isinstance(value, bool):
        return (3, float(value), "")
    number = number_of(value)
    if number is not None:
        return (1, number, "")
    if isinstance(value, str):
        return (2, 0.0, value)
    return (4, 0.0, json.dumps(value, sort_keys=True, default=str))


def identity(value: Json) -> str:
    """A text that is the same for equal values: what dedupe and grouping count as one."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _written_number(text: str) -> Number | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _plain(value: Json) -> Json:
    """Booleans as their words, so that true equals "true" and "True" as a form or a CSV file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.lower() if isinstance(value, str) else value
