"""Reads one JSON object key by key; every fault names its place.

What is not asked for stays: `rest()` gives the keys nobody read, which become a part's `extra`.
"""

import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from flowstudio.plan.errors import DocumentError
from flowstudio.plan.model import Json

E = TypeVar("E", bound=StrEnum)
P = TypeVar("P")

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
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise wrong_type(self.at(key), "a number", value)
        return float(value)

    def optional_number(self, key: str) -> float | None:
        return None if self._left.get(key) is None and self.take(key) is None else self.number(key)

    def whole(self, key: str, default: int | None = None) -> int:
        value = self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(self.at(key), "a whole number", value)
        return value

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


def check_json(value: object, where: str) -> None:
    """Raises DocumentError unless value is JSON: finite numbers, text keys, lists, objects."""
    if value is None or isinstance(value, bool | int | str):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise wrong_type(where, "a number", value)
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            check_json(entry, f"{where}[{index}]")
    elif isinstance(value, dict):
        for key, entry in value.items():
            check_json(entry, f"{where}.{plain_text(key, where)}" if where else plain_text(key, where))
    else:
        raise wrong_type(where, "a JSON value", value)
