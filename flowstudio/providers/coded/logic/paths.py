"""Reading and writing a field of an object by its dotted path: `name`, `address.city`, `tags[0]`, `tags.0`."""

import re

from flowstudio.plan.model import Json

_PART = re.compile(r"[^.\[\]]+")


class Missing:
    """Stands for a field that is not there, which is not the same as one that is null."""


MISSING = Missing()


def read(record: Json, path: str) -> "Json | Missing":
    """The value at the path. A key that contains dots wins over the walk along them."""
    if isinstance(record, dict) and path in record:
        return record[path]
    value: Json = record
    for part in _PART.findall(path):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and _is_index(part) and -len(value) <= int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def read_or_none(record: Json, path: str) -> Json:
    value = read(record, path)
    return None if isinstance(value, Missing) else value


def written(record: dict[str, Json], path: str, value: Json) -> dict[str, Json]:
    """A copy of the record with the value at the path; objects on the way are made where they are missing."""
    if path in record or "." not in path:
        return {**record, path: value}
    head, rest = path.split(".", 1)
    inner = record.get(head)
    return {**record, head: written(inner if isinstance(inner, dict) else {}, rest, value)}


def without(record: dict[str, Json], path: str) -> dict[str, Json]:
    """A copy of the record without the field at the path; the same when there is none."""
    if path in record:
        return {key: value for key, value in record.items() if key != path}
    head, dot, rest = path.partition(".")
    inner = record.get(head)
    return {**record, head: without(inner, rest)} if dot and isinstance(inner, dict) else dict(record)


def _is_index(part: str) -> bool:
    return part.isdecimal() or (part.startswith("-") and part[1:].isdecimal())
