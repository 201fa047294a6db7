"""Values that are not in memory: an expression that leads into one brings it step by step, as far as it has to.

A JSON value may hold deferred parts anywhere. What only carries values on (a list of results, a merge) leaves them as
they are; what looks into one opens that one; what needs the value as a whole resolves it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from flowstudio.errors import FlowStudioError
from flowstudio.plan.evaluation.expression_errors import TooBigError
from flowstudio.plan.model import Json

MOST_RESOLVED = 256 * 1024 * 1024
"""Bytes of JSON that one value may bring into memory at once."""


class Deferred(ABC):
    """A JSON value kept elsewhere. It is never null, a yes or no, a number or empty, so it counts as true unopened.

    size: bytes it has as JSON, without what is deferred in it again. length: entries of the list, members of the
    object or characters of the text it stands for.
    """

    __slots__ = ()
    size: int
    length: int
    is_list: bool

    @abstractmethod
    def load(self) -> Json:
        """The value, which may hold deferred parts again. Raises why it cannot be had, a FlowStudioError."""


class Holding:
    """What a run holds. is_any: its values may hold deferred parts; turned to true before the first can be read.

    in_memory: bytes, as JSON, of the values that are not deferred though they are not small; about, since threads add.
    """

    __slots__ = ("in_memory", "is_any")

    def __init__(self, is_any: bool = True) -> None:
        self.is_any = is_any
        self.in_memory = 0


def opened(value: Any) -> Any:
    """The value itself, its parts as they are."""
    while isinstance(value, Deferred):
        value = value.load()
    return value


def holds_deferred(value: Json) -> bool:
    waiting: list[Any] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list | tuple):
            waiting.extend(each)
        elif isinstance(each, Deferred):
            return True
    return False


def resolved(value: Json, most: int = MOST_RESOLVED) -> Json:
    """The value with nothing deferred in it; the same object when there was nothing.

    Raises TooBigError when more than `most` bytes of JSON would have to be brought.
    """
    left = [most]

    def open_it(deferred: Deferred) -> Json:
        left[0] -= deferred.size
        if left[0] < 0:
            raise _too_much(most)
        return deferred.load()

    whole: Json = replaced(value, open_it)
    return whole


def abridged(value: Json, most: int) -> Json:
    """The value for a person to look at: deferred parts as long as `most` bytes last, a text instead of the others."""
    left = [most]

    def open_or_tell(deferred: Deferred) -> Json:
        if deferred.size > left[0]:
            return f"… {deferred.size / 1e6:,.1f} MB, not shown here"
        left[0] -= deferred.size
        try:
            return deferred.load()
        except FlowStudioError as error:
            return f"{error.sentence} {error.fix}".strip()

    shown: Json = replaced(value, open_or_tell)
    return shown


def replaced(value: Any, instead: Callable[[Deferred], Json]) -> Any:
    """The value with `instead(part)` for each deferred part, and so on in what that gives."""
    while isinstance(value, Deferred):
        value = instead(value)
    if isinstance(value, dict):
        members = {key: replaced(each, instead) for key, each in value.items()}
        return value if all(members[key] is value[key] for key in value) else members
    if isinstance(value, list | tuple):
        entries = [replaced(each, instead) for each in value]
        return value if all(new is old for new, old in zip(entries, value, strict=True)) else entries
    return value


def _too_much(most: int) -> TooBigError:
    return TooBigError(
        f"This value holds more than {most / 1e6:,.0f} MB of stored results, too much to have in memory at once.",
        fix="Read only the parts that are needed, such as …results[0].name, or go through them with a loop.",
    )
