"""Filters that work on lists and objects."""

import math
from collections.abc import Iterable
from typing import Any

from jinja2.runtime import Undefined

from flowstudio.plan.evaluation.deferred import Deferred, opened
from flowstudio.plan.evaluation.expression_errors import EvaluationError
from flowstudio.plan.evaluation.meter import ENTRY, Meter, text
from flowstudio.plan.evaluation.paths import child, missing
from flowstudio.plan.evaluation.text_filters import characters


def entries_of(value: Any, meter: Meter) -> list[Any]:
    """What a value holds, as a list: entries, keys of an object, characters of a text."""
    value = opened(value)
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        return characters(meter, value)
    if isinstance(value, Undefined):
        str(value)  # raises the error it carries
    if not isinstance(value, Iterable):
        raise EvaluationError(f"A list is needed here, but this is {'null' if value is None else 'a single value'}.")
    return list(value)


def member(value: Any, attribute: Any) -> Any:
    """The value itself for None, else what a dotted path such as "address.city" leads to in it."""
    if attribute is None:
        return opened(value)
    for key in str(attribute).split("."):
        try:
            value = child(value, key)
        except LookupError:
            raise missing(str(attribute), key, "an entry", opened(value)) from None
    return opened(value)


def _sort_key(value: Any, case_sensitive: bool) -> Any:
    if value is not None and not isinstance(value, str | int | float):
        raise EvaluationError(
            "Only texts and numbers have an order.", fix="Name the field to sort by: sort(attribute='…')."
        )
    return value.lower() if isinstance(value, str) and not case_sensitive else value


def _keys(value: Any, meter: Meter, attribute: Any, case_sensitive: bool) -> tuple[list[Any], list[Any]]:
    entries = entries_of(value, meter)
    meter.spend(ENTRY * len(entries))
    keys = [_sort_key(member(entry, attribute), case_sensitive) for entry in entries]
    meter.spend(sum(len(key) for key in keys if isinstance(key, str)))
    return entries, keys


def join(meter: Meter, value: Any, separator: Any = "", attribute: str | None = None) -> str:
    between = text(separator, meter)
    entries = entries_of(value, meter)
    meter.spend((ENTRY + len(between)) * len(entries))
    parts = [text(member(entry, attribute), meter) for entry in entries]
    return between.join(parts)


def ordered(
    meter: Meter, value: Any, reverse: bool = False, case_sensitive: bool = False, attribute: Any = None
) -> list[Any]:
    entries, keys = _keys(value, meter, attribute, case_sensitive)
    order = sorted(range(len(entries)), key=keys.__getitem__, reverse=reverse)
    return [entries[index] for index in order]


def unique(meter: Meter, value: Any, case_sensitive: bool = False, attribute: Any = None) -> list[Any]:
    """The first of each kind. Entries without an order (lists, objects) need an attribute."""
    entries, keys = _keys(value, meter, attribute, case_sensitive)
    seen: set[Any] = set()
    found = []
    for entry, key in zip(entries, keys, strict=True):
        if key not in seen:
            seen.add(key)
            found.append(entry)
    return found


def groupby(meter: Meter, value: Any, attribute: Any, case_sensitive: bool = True) -> list[list[Any]]:
    """[[key, entries], ...] in the order of first appearance."""
    entries, keys = _keys(value, meter, attribute, case_sensitive)
    groups: dict[Any, list[Any]] = {}
    for entry, key in zip(entries, keys, strict=True):
        groups.setdefault(key, []).append(entry)
    return [[key, group] for key, group in groups.items()]


def smallest(meter: Meter, value: Any, case_sensitive: bool = False, attribute: Any = None) -> Any:
    entries, keys = _keys(value, meter, attribute, case_sensitive)
    return entries[min(range(len(keys)), key=keys.__getitem__)] if entries else None


def largest(meter: Meter, value: Any, case_sensitive: bool = False, attribute: Any = None) -> Any:
    entries, keys = _keys(value, meter, attribute, case_sensitive)
    return entries[max(range(len(keys)), key=keys.__getitem__)] if entries else None


def total(meter: Meter, value: Any, attribute: Any = None, start: float = 0) -> float:
    numbers = [member(entry, attribute) for entry in entries_of(value, meter)]
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise EvaluationError("Only numbers can be added up.", fix="Turn them into numbers first: map('float').")
    return sum(numbers, start)


def listed(meter: Meter, value: Any) -> list[Any]:
    return list(entries_of(value, meter))


def first(meter: Meter, value: Any) -> Any:
    """None for an empty list."""
    return next(iter(value if isinstance(value, str) else entries_of(value, meter)), None)


def last(meter: Meter, value: Any) -> Any:
    """None for an empty list."""
    entries = value if isinstance(value, str) else entries_of(value, meter)
    return entries[-1] if entries else None


def length(meter: Meter, value: Any) -> int:
    """Known of a deferred value without opening it."""
    if isinstance(value, Deferred):
        return value.length
    return len(value) if isinstance(value, str | dict) else len(entries_of(value, meter))


def reversed_(meter: Meter, value: Any) -> Any:
    return value[::-1] if isinstance(value, str) else entries_of(value, meter)[::-1]


def batch(meter: Meter, value: Any, count: int) -> list[list[Any]]:
    """Lists of `count` entries; the last may be shorter."""
    if count < 1:
        raise EvaluationError("batch needs a size of 1 or more.")
    entries = entries_of(value, meter)
    return [entries[start : start + count] for start in range(0, len(entries), count)]


def flatten(meter: Meter, value: Any) -> list[Any]:
    """One level of lists inside a list removed."""
    flat: list[Any] = []
    for entry in entries_of(value, meter):
        entry = opened(entry)
        inner = entry if isinstance(entry, list) else [entry]
        meter.spend(ENTRY * len(inner))
        flat.extend(inner)
    return flat


def keys(meter: Meter, value: Any) -> list[Any]:
    return list(_object(value))


def values(meter: Meter, value: Any) -> list[Any]:
    return list(_object(value).values())


def pairs(meter: Meter, value: Any) -> list[list[Any]]:
    """[[key, value], ...] of an object."""
    return [[key, each] for key, each in _object(value).items()]


def sorted_pairs(
    meter: Meter, value: Any, case_sensitive: bool = False, by: str = "key", reverse: bool = False
) -> list[Any]:
    return ordered(meter, pairs(meter, value), reverse, case_sensitive, 0 if by == "key" else 1)


def get(meter: Meter, value: Any, path: Any, default: Any = None) -> Any:
    """What a dotted path leads to, or the default."""
    for key in [path] if isinstance(path, int) else str(path).split("."):
        try:
            value = child(value, key)
        except LookupError:
            return default
    return value


def merged(meter: Meter, value: Any, other: Any) -> dict[str, Any]:
    """Both objects in one; the second wins."""
    return {**_object(value), **_object(other)}


def rounded(meter: Meter, value: Any, precision: int = 0, method: str = "common") -> float:
    """method: "common" (half to even), "ceil" or "floor"."""
    if not -300 <= precision <= 300:
        raise EvaluationError("round takes a precision from -300 to 300.")
    if method == "common":
        return round(float(value), precision)
    scale = 10.0**precision
    turn = {"ceil": math.ceil, "floor": math.floor}.get(method)
    if turn is None:
        raise EvaluationError("round knows the methods common, ceil and floor.")
    return float(turn(value * scale) / scale)


def whole(meter: Meter, value: Any, default: int = 0, base: int = 10) -> int:
    """A whole number; `default` when the value is none."""
    try:
        if isinstance(value, str):
            try:
                return int(value.strip()[:4000], base)
            except ValueError:
                return int(float(value.strip()[:4000]))
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return default


def number(meter: Meter, value: Any, default: float = 0.0) -> float:
    try:
        return float(value[:4000] if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return default


def absolute(meter: Meter, value: Any) -> Any:
    return abs(value)


def truth(meter: Meter, value: Any) -> bool:
    """Texts as a person means them: "false", "no", "off", "0" and "" are false."""
    return is_true(value)


def is_true(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in ("", "false", "no", "off", "0", "null", "none")
    return bool(value)


def _object(value: Any) -> dict[Any, Any]:
    value = opened(value)
    if isinstance(value, Undefined):
        str(value)  # raises the error it carries
    if not isinstance(value, dict):
        raise EvaluationError("An object is needed here.")
    return value
