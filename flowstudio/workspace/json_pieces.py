"""JSON of values whose large parts lie in files, piece by piece: one of them at a time is in memory."""

import json
import re
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import orjson

from flowstudio.errors import FlowStudioError
from flowstudio.plan.evaluation.deferred import Deferred, holds_deferred


def json_pieces(value: object) -> Iterator[bytes]:
    """The JSON of value, in UTF-8. A part that cannot be had is replaced by the sentence that says why.

    orjson where it can, the standard library for what it refuses (big integers, odd keys, lone surrogates).
    """
    held: dict[str, Deferred] = {}

    def stand_in(each: Any) -> str:
        if not isinstance(each, Deferred):
            raise TypeError(f"{type(each).__name__} is no JSON value")
        mark = token_hex(16)  # nothing in anybody's data is the same by chance
        held[mark] = each
        return mark

    text = _json(value, stand_in)
    end = 0
    for found in re.finditer(rb'"([0-9a-f]{32})"', text) if held else ():
        deferred = held.pop(found[1].decode(), None)
        if deferred is None:
            continue
        yield text[end : found.start()]
        yield from json_pieces(_opened(deferred))
        end = found.end()
    yield text[end:]


def _json(value: object, stand_in: Any) -> bytes:
    try:
        return orjson.dumps(value, default=stand_in, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Lone surrogates cannot be sent as UTF-8; \\u escapes carry them.
        return json.dumps(value, ensure_ascii=True, default=lambda each: _or_text(each, stand_in)).encode()


def _or_text(each: object, stand_in: Any) -> str:
    return str(stand_in(each)) if isinstance(each, Deferred) else str(each)


def _opened(deferred: Deferred) -> Any:
    try:
        return deferred.load()
    except FlowStudioError as error:
        return f"{error.sentence} {error.fix}".strip()


def text_pieces(value: Any, indent: int = 2) -> Iterator[str]:
    """As json_pieces, laid out for people."""
    if not holds_deferred(value):
        yield json.dumps(value, indent=indent, ensure_ascii=False, default=str)
        return
    encoder = json.JSONEncoder(
        indent=indent,
        ensure_ascii=False,
        default=lambda each: _opened(each) if isinstance(each, Deferred) else str(each),
    )
    yield from encoder.iterencode(value)
