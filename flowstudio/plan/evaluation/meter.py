"""How much one evaluation may do, and how its values become JSON and text.

A unit is about a nanosecond or a byte. Whatever builds, compares or repeats pays before it works, so that a bomb is
refused at once and what a person means to do never is.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, TypeAlias

from jinja2.runtime import Undefined

from flowstudio.plan.evaluation.deferred import Deferred
from flowstudio.plan.evaluation.expression_errors import EvaluationError, TooBigError
from flowstudio.plan.model import Json

BUDGET = 64_000_000
CALL = 400
"""A filter, a method or an operator."""
ROUND = 600
"""One round of a loop."""
ENTRY = 100
"""One new entry of a list."""
LOOKED_AT = 20
"""An entry that is looked at on its way to JSON: far below its true cost, so that real tables pass."""
INT_BITS = 8192

_LONG = 64
"""Texts, lists and objects from this length on are looked at for repetition."""

Settled: TypeAlias = "tuple[Any, Json, int]"
"""A value (held, so that its id stays its own), the same as JSON, and the units that took."""


class Meter:
    """What is left of one evaluation's budget. settled: long lists and objects that were JSON already, by id."""

    __slots__ = ("left", "settled")

    def __init__(self) -> None:
        self.left = BUDGET
        self.settled: dict[int, Settled] = {}

    def spend(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise too_big()


def too_big() -> TooBigError:
    return TooBigError(
        "This expression would make a value far too large, or run far too long.",
        fix="Do less at once, or use a loop step or a code step.",
    )


def size(value: Any) -> int:
    """Units of a value itself, without what it holds."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple | dict):
        return ENTRY * len(value)
    return value.bit_length() >> 3 if isinstance(value, int) else 1


def settle(value: Any, meter: Meter, *, opens: bool = True) -> Json:
    """The value as JSON: generators and tuples become lists, keys texts. The same object when it is JSON already.

    What is held several times is paid for each time, since it will be written each time. opens: brings deferred parts,
    each paid for by its size; else they are left as they are.
    """
    return _Settling(meter, opens).settle(value)


class _Settling:
    """One walk. seen: long texts and all containers, by id."""

    def __init__(self, meter: Meter, opens: bool) -> None:
        self._meter = meter
        self._opens = opens
        self._seen: dict[int, Settled] = {}

    def settle(self, value: Any) -> Json:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int | float):
            return _number(value)
        known = self._seen.get(id(value)) or self._meter.settled.get(id(value))
        if known is not None:
            self._meter.spend(known[2])
            return known[1]
        before = self._meter.left
        self._meter.spend(1)
        settled = self._container(value)
        self._seen[id(value)] = (value, settled, before - self._meter.left)
        if settled is value and isinstance(settled, list | dict) and len(settled) >= _LONG:
            self._meter.settled[id(value)] = self._seen[id(value)]
        return settled

    def _text(self, value: str) -> str:
        if len(value) >= _LONG:
            if id(value) in self._seen:
                self._meter.spend(len(value))
            else:
                self._seen[id(value)] = (value, value, len(value))
        return value if type(value) is str else str(value)

    def _container(self, value: Any) -> Json:
        self._seen[id(value)] = (
            value,
            None,
            0,
        )  # a value never holds itself; data from elsewhere that did would end here
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, Deferred):
            settled: Json = self._deferred(value)
            return settled
        if isinstance(value, Undefined):
            str(value)  # raises the error it carries
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            raise EvaluationError(f"The result is a {type(value).__name__}, which is not a JSON value.")
        entries: list[Any] = value if isinstance(value, list) else list(value)
        self._meter.spend(LOOKED_AT * len(entries))
        settled = [self.settle(entry) for entry in entries]
        if entries is value and all(new is old for new, old in zip(settled, entries, strict=True)):
            return entries
        return settled

    def _deferred(self, value: Deferred) -> Any:
        if not self._opens:
            return value
        self._meter.spend(value.size)
        return self.settle(value.load())

    def _object(self, value: dict[Any, Any]) -> Json:
        self._meter.spend(LOOKED_AT * len(value))
        settled = {
            key if type(key) is str else text(key, self._meter): self.settle(each) for key, each in value.items()
        }
        return value if all(key in value and settled[key] is value[key] for key in settled) else settled


def _number(value: float) -> Json:
    if isinstance(value, float) and not math.isfinite(value):
        raise EvaluationError("The result is not a finite number.")
    if isinstance(value, int) and value.bit_length() > INT_BITS:
        raise too_big()
    return value


def text(value: Any, meter: Meter) -> str:
    """A value inside a longer text: null is empty, lists and objects are JSON, true is "true"."""
    if isinstance(value, str):
        meter.spend(len(value))
        return value if type(value) is str else str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(_number(value))
    if isinstance(value, Deferred):
        return text(value.load(), meter)
    try:
        result = json.dumps(settle(value, meter), ensure_ascii=False)
    except RecursionError:
        raise too_big() from None
    meter.spend(len(result))
    return result
