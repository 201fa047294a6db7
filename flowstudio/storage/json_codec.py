"""JSON in text columns: orjson where it is exact, Python's json where it is not.

orjson is ten times faster but refuses integers over 64 bits, keys that are no strings and lone surrogates, and turns
NaN and the infinities into null. Such values take the slow writer, and a document it wrote begins with a space, which
is legal JSON and tells the reader to take the slow road too: orjson would read a big integer as a float.

A value that holds payloads is written as a tab and [value, references]: null stands where a payload was, and each
reference says where that is, as [path, hash, size, length, is list]. So nothing in a user's data is taken for one.

The columns are TEXT on both databases: jsonb refuses a NUL character inside a string and reorders keys, and nothing
here asks the database to look inside.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID

import orjson

from flowstudio.engine.payloads import Payload
from flowstudio.plan.evaluation.deferred import replaced
from flowstudio.plan.reading.json_text import number_fault
from flowstudio.workspace.errors import StorageError, UnstorableValueError

SLOW, HOLDING = b" ", b"\t"
_SPECIAL = frozenset({SLOW, HOLDING, SLOW.decode(), HOLDING.decode()})

PayloadOf: TypeAlias = Callable[[str, int, int, bool], Payload]
"""The payload of that hash, size, length, and whether it is a list."""

Place: TypeAlias = tuple[str | int, ...]


def encode(value: object) -> str:
    """JSON text of value. Dates, UUIDs and decimals become text as orjson writes them, tuples and mappings plain.

    Raises UnstorableValueError for what has no JSON form, naming its type.
    """
    return encode_bytes(value).decode()


def encode_bytes(value: object, *, refuses_nan: bool = False, has_no_nan: bool = False) -> bytes:
    """As encode, in UTF-8. has_no_nan: the caller knows, which saves the search."""
    try:
        encoded = orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS)
    except TypeError:
        return _encode_otherwise(value, refuses_nan)
    if b"null" in encoded and not has_no_nan and _has_nan(value):
        return _encode_slowly(value, refuses_nan)
    return encoded


def decode(text: str | bytes, payload_of: PayloadOf | None = None) -> Any:
    """The value of a text that encode wrote; payload_of is needed only where it may hold payloads."""
    if text[:1] in _SPECIAL:
        return _decode_special(text if isinstance(text, bytes) else text.encode(), payload_of)
    return orjson.loads(text)


def holds_payloads(text: str | None) -> bool:
    return text is not None and text[:1] == "\t"


def references(text: str) -> list[list[Any]]:
    """[hash, size, length, is list] of each payload that a text which holds some refers to."""
    return [reference[1:] for reference in decode(text[1:])[1]]


def payloads_in(value: object) -> Iterator[Payload]:
    """The payloads a value holds, without those inside them."""
    return (payload for _, payload in _payloads_in(value, ()))


def _decode_special(content: bytes, payload_of: PayloadOf | None) -> Any:
    if content[:1] == SLOW:
        return json.loads(content)
    value, found = decode(content[1:])
    if payload_of is None:
        raise StorageError("A stored value lies in a file, and this program was given no folder of files.")
    for place, *facts in found:
        if not place:
            return payload_of(*facts)
        holder = value
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = payload_of(*facts)
    return value


def _encode_otherwise(value: object, refuses_nan: bool) -> bytes:
    try:
        found = list(_payloads_in(value, ()))
    except RecursionError as error:
        raise _too_deep() from error
    if not found:
        return _encode_slowly(value, refuses_nan)
    listed = [[place, each.hash, each.size, each.length, each.is_list] for place, each in found]
    return HOLDING + encode_bytes([replaced(value, lambda payload: None), listed], refuses_nan=refuses_nan)


def _payloads_in(value: object, place: Place) -> Iterator[tuple[Place, Payload]]:
    if isinstance(value, Payload):
        yield place, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _payloads_in(each, (*place, key if isinstance(key, str) else _key(key)))
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            if isinstance(each, Payload | dict | list | tuple):
                yield from _payloads_in(each, (*place, index))


def _encode_slowly(value: object, refuses_nan: bool) -> bytes:
    try:
        plain = _with_text_keys(value)
        return SLOW + json.dumps(plain, separators=(",", ":"), default=_plain, allow_nan=not refuses_nan).encode()
    except TypeError as error:
        raise UnstorableValueError(f"A result cannot be stored as JSON: {error}.") from error
    except ValueError as error:
        raise UnstorableValueError(f"A result cannot be stored as JSON: {_number_fault(error)}.") from error
    except RecursionError as error:
        raise _too_deep() from error


def _number_fault(error: ValueError) -> str:
    if "Out of range float" in str(error):
        return "it holds NaN or an infinity, which are no JSON numbers"
    return number_fault(error)


def _too_deep() -> UnstorableValueError:
    return UnstorableValueError("A result cannot be stored as JSON: it is nested too deeply, or holds itself.")


def _has_nan(value: object) -> bool:
    """Whether a null that orjson wrote may stand for NaN or an infinity. The C encoder is the quickest walk."""
    try:
        _STRICT.encode(value)
    except (ValueError, TypeError, RecursionError):
        return True
    return False


def _with_text_keys(value: object) -> object:
    """json writes True as "true" and refuses a tuple as a key; here every key that is no text becomes its text."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else _key(key): _with_text_keys(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_text_keys(each) for each in value]
    return value


def _key(key: object) -> str:
    if isinstance(key, bool | int | float) or key is None:
        return json.dumps(key)
    return str(key)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


_STRICT = json.JSONEncoder(allow_nan=False, default=_plain)
