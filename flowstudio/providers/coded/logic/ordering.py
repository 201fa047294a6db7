"""Sorting, leaving out duplicates, taking a part of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from flowstudio.plan.model import Json
from flowstudio.providers.coded.logic.comparing import SortKey, identity, sort_key
from flowstudio.providers.coded.logic.paths import read_or_none


@dataclass(frozen=True, slots=True)
class SortBy:
    """path: a dotted path, "" for the item itself."""

    path: str
    descending: bool = False


def sort_bys(names: Sequence[str], descending: bool) -> list[SortBy]:
    """From names like `age` or `-age`; a minus turns that field's direction around. No names: by the item itself."""
    if not names:
        return [SortBy("", descending)]
    return [SortBy(name.lstrip("-"), descending != name.startswith("-")) for name in names]


def ordered(items: Sequence[Json], keys: Sequence[SortBy]) -> list[Json]:
    """Stable; what lacks the field comes last in both directions."""
    result = list(items)
    for key in reversed(keys):
        present = [item for item in result if _value(item, key.path) is not None]
        absent = [item for item in result if _value(item, key.path) is None]
        present.sort(key=partial(_sort_key, key.path), reverse=key.descending)
        result = present + absent
    return result


def unique(items: Sequence[Json], paths: Sequence[str], keep_last: bool = False) -> list[Json]:
    """One item for each distinct value of the fields (of the whole item when none are named), in their order."""
    source = list(reversed(items)) if keep_last else list(items)
    seen: dict[str, Json] = {}
    for item in source:
        seen.setdefault(identity([_value(item, path) for path in paths] if paths else item), item)
    result = list(seen.values())
    return result[::-1] if keep_last else result


def batches(items: Sequence[Json], size: int) -> list[Json]:
    """The list cut into lists of at most `size` items."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def _sort_key(path: str, item: Json) -> SortKey:
    return sort_key(_value(item, path))


def _value(item: Json, path: str) -> Json:
    return read_or_none(item, path) if path else item
