"""Reads one JSON object key by key; every fault names its place.

What is not asked for stays: `rest()` gives the keys nobody read, which become a part's `extra`.
"""

import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeVar

from flowstudio.plan.errors import DocumentError
from flowstudio.plan.model import Json

E = TypeVar("E", bound=StrEnum)
P = TypeVar("P")

MAX_DEPTH = 200
"""Levels of lists and objects a plan may hold. Fewer than any parser or writer of JSON on its way gives up at."""
MAX_VALUE_DEPTH = MAX_DEPTH - 10
"""Levels of one value in a plan: what is around it, in a file or in the journal of edits, takes some itself."""

_WORDS = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}


class Reader:
    """One object at `where`, e.g. "steps[2]". Missing keys give their default; a wrong type raises DocumentError."""

    def __init__(self, document: object, where: str) -> None:
        if not isinstance(document, Mapping):
            raise wrong_type(where, "an object", document)
        self._left: dict[str, Json] = dict(document)
        self.where = where

    def at(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def take(self, key: str, default: Json = None) -> Json:
        return self._left.pop(key, default)

    def rest(self) -> dict[str, Json]:
        return self._left

    def text(self, key: str, default: str | None = None) -> str:
        value = self.take(key, default)
        if value is None and default is None:
            raise DocumentError(f"{self.at(key)} is missing.", where=self.at(key))
        if not isinstance(value, str):
            raise wrong_type(self.at(key), "a text", value)
        return value

    def optional_text(self, key: str) -> str | None:
        value = self.take(key)
        if value is not None and not isinstance(value, str):
            raise wrong_type(self.at(key), "a text or null", value)
        return value

    def boolean(self, key: str, default: bool) -> bool:
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise wrong_type(self.at(key), "true or false", value)
        return value

    def number(self, key: str, default: float | None = None) -> float:
        value = self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(self.at(key), "a number", value)
        return as_float(value, self.at(key))

    def optional_number(self, key: str) -> float | None:
        return None if self._left.get(key) is None and self.take(key) is None else self.number(key)

    def whole(self, key: str, default: int | None = None) -> int:
        value = self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(self.at(key), "a whole number", value)
        return value

    def optional_whole(self, key: str) -> int | None:
        return None if self._left.get(key) is None and self.take(key) is None else self.whole(key)

    def choice(self, key: str, kind: type[E], default: E | None = None) -> E:
        value = self.text(key, default)
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(kind)
            raise DocumentError(
                f"{self.at(key)} is “{value[:80]}”; it must be one of {known}.", where=self.at(key)
            ) from None

    def mapping(self, key: str) -> dict[str, Json]:
        value = self.take(key, {})
        if not isinstance(value, dict):
            raise wrong_type(self.at(key), "an object", value)
        return value

    def items(self, key: str, read: Callable[[object, str], P]) -> tuple[P, ...]:
        """Each entry of a list, read by `read(entry, where)`."""
        value = self.take(key, [])
        if not isinstance(value, list | tuple):
            raise wrong_type(self.at(key), "a list", value)
        return tuple(read(entry, f"{self.at(key)}[{index}]") for index, entry in enumerate(value))


def wrong_type(where: str, wanted: str, value: object) -> DocumentError:
    found = "null" if value is None else _WORDS.get(type(value), f"a {type(value).__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        found = "not a finite number"
    return DocumentError(f"{where or 'The document'} must be {wanted}, but it is {found}.", where=where)


def plain_text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise wrong_type(where, "a text", value)
    return value


def as_float(value: float, where: str) -> float:
    """The number as a float. Raises DocumentError for one that is not finite or too large to be one."""
    try:
        number = float(value)
    except OverflowError:
        raise DocumentError(f"{where} is too large a number.", where=where) from None
    if not math.isfinite(number):
        raise wrong_type(where, "a number", number)
    return number


def check_json(value: object, where: str, levels: int = MAX_DEPTH) -> None:
    """Raises DocumentError unless value is JSON: finite numbers, text keys, lists and objects, not too deep."""
    fault = _fault(value, levels)
    if fault is None:
        return
    place = f"{where}{fault.place}".removeprefix(".")
    if fault.wanted:
        raise wrong_type(place, fault.wanted, fault.value)
    raise DocumentError(
        f"{where or 'The document'} is nested too deeply: {levels} levels of lists and objects are the most.",
        where=place[:80],
    )


class _Fault(NamedTuple):
    """place: from the value that was checked, e.g. ".steps[2]". wanted: "" for a value that is too deep."""

    place: str
    wanted: str
    value: object


def _fault(value: object, levels: int) -> _Fault | None:
    """The place is put together on the way back: naming every sound entry would cost more than looking at it."""
    if value is None or isinstance(value, str | bool | int):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else _Fault("", "a number", value)
    if not isinstance(value, list | dict):
        return _Fault("", "a JSON value", value)
    if levels == 0:
        return _Fault("", "", value)
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(value, dict) and not isinstance(key, str):
            return _Fault("", "a text", key)
        fault = _fault(entry, levels - 1)
        if fault is not None:
            return fault._replace(place=f"{f'[{key}]' if isinstance(value, list) else f'.{key}'}{fault.place}")
    return None
