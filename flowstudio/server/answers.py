"""JSON answers. What lies in files is sent piece by piece, so that an answer of any size takes little memory."""

from collections.abc import Iterator
from itertools import chain

from flask import Response

from flowstudio.workspace.json_pieces import json_pieces

JSON_TYPE = "application/json"


def to_json(value: object) -> bytes:
    return b"".join(json_pieces(value))


def answer(value: object, status: int = 200) -> Response:
    pieces = json_pieces(value)
    first, second = next(pieces), next(pieces, None)
    content: bytes | Iterator[bytes] = first if second is None else chain((first, second), pieces)
    return Response(content, status, content_type=JSON_TYPE)
