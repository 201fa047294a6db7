"""Groups of a list and what is computed over each: sum, average, smallest, largest, counts, first, last, list."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flowstudio.plan.model import Json
from flowstudio.providers.coded.logic.comparing import Number, identity, number_of, sort_key
from flowstudio.providers.coded.logic.paths import read_or_none
from flowstudio.providers.coded.params import as_text
from flowstudio.providers.errors import BadParamError

Values = Sequence[Json]


def _numbers(values: Values) -> list[Number]:
    return [number for number in map(number_of, values) if number is not None]


def _total(numbers: Sequence[Number]) -> Number:
    """Whole numbers add exactly, others without accumulated rounding; what leaves the range is an error."""
    if all(isinstance(number, int) for number in numbers):
        return sum(numbers)
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):
        raise BadParamError("The numbers to add are too large: their sum is not a number any more.") from None


def _sum(values: Values) -> Json:
    return _total(_numbers(values))


def _average(values: Values) -> Json:
    numbers = _numbers(values)
    return _quotient(_total(numbers), len(numbers)) if numbers else None


def _median(values: Values) -> Json:
    numbers = sorted(_numbers(values))
    if not numbers:
        return None
    low, high = numbers[(len(numbers) - 1) // 2], numbers[len(numbers) // 2]
    return low if low == high else _quotient(_total([low, high]), 2)


def _quotient(total: Number, count: int) -> Number:
    try:
        return total / count
    except OverflowError:
        raise BadParamError("The numbers to average are too large to divide.") from None


FUNCTIONS: Mapping[str, Callable[[Values], Json]] = {
    "count": len,
    "sum": _sum,
    "avg": _average,
    "median": _median,
    "min": lambda values: min(values, key=sort_key, default=None),
    "max": lambda values: max(values, key=sort_key, default=None),
    "count_distinct": lambda values: len({identity(value) for value in values}),
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
    "list": lambda values: list(values),
}
"""Function -> its value over a group's non-null values. sum, avg and median look at numbers alone."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What to compute: the function over a field ("" for the whole item), stored under `name`."""

    function: str
    field: str
    name: str


def measures_from(documents: Sequence[Json]) -> list[Measure]:
    """Measures as a plan writes them: [{"function", "field", "as"}]; none means a count. Raises BadParamError."""
    measures = [_measure(document, position) for position, document in enumerate(documents, start=1)]
    return measures or [Measure("count", "", "count")]


def grouped(items: Sequence[Json], by: Sequence[str], measures: Sequence[Measure]) -> list[Json]:
    """One object for each group, in order of first appearance: the group's fields, then its measures.

    Without fields to group by there is exactly one group, also over an empty list.
    """
    groups: dict[str, list[Json]] = {} if by else {"": []}
    labels: dict[str, dict[str, Json]] = {"": {}}
    for item in items:
        label = {path: read_or_none(item, path) for path in by}
        key = identity(list(label.values())) if by else ""
        groups.setdefault(key, []).append(item)
        labels.setdefault(key, label)
    return [{**labels[key], **_measured(group, measures)} for key, group in groups.items()]


def _measured(group: Sequence[Json], measures: Sequence[Measure]) -> dict[str, Json]:
    return {each.name: FUNCTIONS[each.function](_values(group, each.field)) for each in measures}


def _values(group: Sequence[Json], field: str) -> list[Json]:
    values = [read_or_none(item, field) if field else item for item in group]
    return [value for value in values if value is not None]


def _measure(document: Json, position: int) -> Measure:
    if not isinstance(document, dict):
        raise BadParamError(f"Measure {position} of the aggregate must be an object with function, field and as.")
    function = as_text(document.get("function", "count")).strip().lower()
    if function not in FUNCTIONS:
        raise BadParamError(
            f"Measure {position} of the aggregate has the function '{function}', which does not exist.",
            fix=f"Use one of: {', '.join(FUNCTIONS)}.",
        )
    field = as_text(document.get("field")).strip()
    name = as_text(document.get("as")).strip()
    return Measure(function, field, name or (f"{function}_{field.replace('.', '_')}" if field else function))
