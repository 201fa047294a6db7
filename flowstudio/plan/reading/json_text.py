"""Strict JSON: what RFC 8259 leaves open is refused, and every fault has a line and a column."""

import json
import math
from json import decoder, scanner
from typing import Any, NoReturn

from flowstudio.plan.errors import DocumentError
from flowstudio.plan.model import Json


class _RepeatedKey(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def parse(data: bytes | str) -> object:
    """Raises DocumentError for broken JSON, NaN and infinity, repeated keys, too deep nesting and other encodings."""
    text = _decoded(data)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise _at(text, error.pos, f"{error.msg[:1].lower()}{error.msg[1:]}") from None
    except _RepeatedKey as error:
        raise _locate(text, error) from None
    except RecursionError:
        raise DocumentError("The document is nested too deeply.") from None
    except ValueError as error:
        raise DocumentError(f"The document is not valid JSON: {number_fault(error)}.") from None


def value_of(text: str | bytes) -> Json:
    """A value from outside, by RFC 8259 alone: NaN, infinities and numbers past a float's range raise ValueError.

    Raises RecursionError for a value that is nested too deeply.
    """
    value: Json = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    return value


def number_fault(error: ValueError) -> str:
    """What is wrong with a number that json met; Python's own words for too many digits speak of Python."""
    text = str(error)
    return "a number has too many digits" if "integer string conversion" in text else text


def _decoded(data: bytes | str) -> str:
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError(
            f"The document is not text in UTF-8: line {line} holds the byte 0x{data[error.start]:02x}.",
            fix="Choose a .flow file, or save this one as UTF-8.",
            line=line,
            column=error.start - data.rfind(b"\n", 0, error.start),
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        raise _RepeatedKey(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return members


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number


def _at(text: str, position: int, fault: str) -> DocumentError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return DocumentError(f"Line {line}, column {column} is not valid JSON: {fault}.", line=line, column=column)


def _locate(text: str, error: _RepeatedKey) -> DocumentError:
    """Parses once more in Python, whose object reader can be asked where it stands."""

    def parse_object(s_and_end: tuple[str, int], *rest: Any) -> Any:
        try:
            return decoder.JSONObject(s_and_end, *rest)  # type: ignore[attr-defined]
        except _RepeatedKey as repeated:
            raise _at(text, s_and_end[1] - 1, f"the key “{repeated.key}” stands twice in the object there") from None

    reader = json.JSONDecoder(object_pairs_hook=_object)
    reader.parse_object = parse_object  # type: ignore[attr-defined]
    reader.scan_once = scanner.py_make_scanner(reader)  # type: ignore[attr-defined]
    try:
        reader.decode(text)
    except DocumentError as located:
        return located
    except RecursionError:
        pass
    return DocumentError(f"The key “{error.key}” stands twice in one object.")
