"""JSON in text columns: orjson where it is exact, Python's json where it is not.

orjson is ten times faster but refuses integers over 64 bits, keys that are no strings and lone surrogates, and turns
NaN and the infinities into null. Such values take the slow writer, and a document it wrote begins with a space, which
is legal JSON and tells the reader to take the slow road too: orjson would read a big integer as a float.

The columns are TEXT on both databases: jsonb refuses a NUL character inside a string and reorders keys, and nothing
here asks the database to look inside.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

from flowstudio.plan.reading.json_text import number_fault
from flowstudio.workspace.errors import UnstorableValueError

SLOW = " "


def encode(value: object) -> str:
    """JSON text of value. Dates, UUIDs and decimals become text as orjson writes them, tuples and mappings plain.

    Raises UnstorableValueError for what has no JSON form, naming its type.
    """
    try:
        encoded = orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS)
    except TypeError:
        return _encode_slowly(value)
    if b"null" in encoded and _has_nan(value):
        return _encode_slowly(value)
    return encoded.decode()


def decode(text: str) -> Any:
    """The value of a text that encode wrote."""
    if text.startswith(SLOW):
        return json.loads(text)
    return orjson.loads(text)


def _encode_slowly(value: object) -> str:
    try:
        return SLOW + json.dumps(_with_text_keys(value), separators=(",", ":"), default=_plain)
    except TypeError as error:
        raise UnstorableValueError(f"A result cannot be stored as JSON: {error}.") from error
    except ValueError as error:
        raise UnstorableValueError(f"A result cannot be stored as JSON: {number_fault(error)}.") from error
    except RecursionError as error:
        raise UnstorableValueError("A result cannot be stored as JSON: it is nested too deeply.") from error


def _has_nan(value: object) -> bool:
    """Whether a null that orjson wrote may stand for NaN or an infinity. The C encoder is the quickest walk."""
    try:
        json.dumps(value, allow_nan=False, default=_plain)
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
