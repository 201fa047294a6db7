"""JSON answers. orjson where it can, the standard library for what it refuses (big integers, odd keys)."""

import json

import orjson
from flask import Response

JSON_TYPE = "application/json"


def to_json(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Lone surrogates cannot be sent as UTF-8; \\u escapes carry them.
        return json.dumps(value, ensure_ascii=True, default=str).encode()


def answer(value: object, status: int = 200) -> Response:
    return Response(to_json(value), status, content_type=JSON_TYPE)
