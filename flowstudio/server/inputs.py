"""Reading requests: bodies and query values, with a sentence naming the field when one is wrong."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from flask import g, request

from flowstudio.plan.reading.json_text import number_fault
from flowstudio.plan.reading.reader import check_json
from flowstudio.plan.rules import DocumentError
from flowstudio.workspace.errors import BadRequestError

Kind = TypeVar("Kind")
Choice = TypeVar("Choice", bound=StrEnum)

MAX_LIMIT = 1000
_NAMES = {str: "text", bool: "true or false", dict: "an object", list: "a list", int: "a whole number"}


def body() -> dict[str, Any]:
    """The request's JSON object; {} when there is no body. Parsed once a request."""
    if "body" not in g:
        g.body = _parse(request.get_data())
    document: dict[str, Any] = g.body
    return document


def field(document: dict[str, Any], name: str, kind: type[Kind], default: Kind | None = None) -> Kind:
    """A required value of that type; null counts as absent, and default stands in for an absent one."""
    value = document.get(name)
    if value is None:
        if default is not None:
            return default
        raise BadRequestError(f"`{name}` is missing.", facts={"field": name})
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadRequestError(f"`{name}` must be {_NAMES.get(kind, kind.__name__)}.", facts={"field": name})
    return value


def optional(document: dict[str, Any], name: str, kind: type[Kind]) -> Kind | None:
    return None if document.get(name) is None else field(document, name, kind)


def moment(document: dict[str, Any], name: str) -> datetime | None:
    """An ISO time, UTC when it names no zone."""
    text = optional(document, name, str)
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError(
            f"`{name}` must be an ISO time such as 2030-01-31T09:00:00Z.", facts={"field": name}
        ) from error
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def limit(default: int = 100) -> int:
    text = request.args.get("limit")
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_LIMIT:
        raise BadRequestError(f"`limit` must be a number from 1 to {MAX_LIMIT}.", facts={"field": "limit"})
    return int(text)


def whole_number(name: str, default: int) -> int:
    """A query value of 0 or more."""
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise BadRequestError(f"`{name}` must be a whole number.", facts={"field": name})
    return int(text)


def choice(name: str, kind: type[Choice]) -> Choice | None:
    """A query value that is one of an enumeration's words; None when it is absent."""
    text = request.args.get(name)
    return None if text is None else _one_of(name, text, kind)


def word(document: dict[str, Any], name: str, kind: type[Choice]) -> Choice:
    """A required value that is one of an enumeration's words."""
    return _one_of(name, field(document, name, str), kind)


def _one_of(name: str, text: str, kind: type[Choice]) -> Choice:
    try:
        return kind(text)
    except ValueError as error:
        raise BadRequestError(f"`{name}` must be one of {', '.join(kind)}.", facts={"field": name}) from error


def flag(name: str, default: bool) -> bool:
    text = request.args.get(name)
    if text is None:
        return default
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in known:
        raise BadRequestError(f"`{name}` must be true or false.", facts={"field": name})
    return known[text.lower()]


def asked_user() -> str | None:
    """The user_id of query or body; both must agree."""
    in_query = request.args.get("user_id")
    in_body = optional(body(), "user_id", str) if request.method not in ("GET", "HEAD", "DELETE") else None
    if in_query is not None and in_body is not None and in_query != in_body:
        raise BadRequestError("`user_id` differs between address and body.", facts={"field": "user_id"})
    return in_query if in_query is not None else in_body


def user_id() -> str:
    """Who this request acts as; set by access checks before any view runs."""
    who: str = g.user_id
    return who


def _parse(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        return {}
    try:
        document = json.loads(raw, parse_constant=no_constant)
    except UnicodeDecodeError as error:
        raise BadRequestError("The body is not UTF-8 text.", facts={"field": "body"}) from error
    except json.JSONDecodeError as error:
        place = {"field": "body", "line": error.lineno, "column": error.colno}
        raise BadRequestError(
            f"The body is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}.", facts=place
        ) from error
    except RecursionError as error:
        raise BadRequestError("The body is nested too deeply.", facts={"field": "body"}) from error
    except ValueError as error:
        raise BadRequestError(f"The body is not valid JSON: {number_fault(error)}.", facts={"field": "body"}) from error
    if not isinstance(document, dict):
        raise BadRequestError("The body must be a JSON object.", facts={"field": "body"})
    _check_values(document)
    return document


def _check_values(document: dict[str, Any]) -> None:
    """What the parser lets through and no store takes: 1e999, which it reads as infinity, and a pit of brackets."""
    try:
        check_json(document, "")
    except DocumentError as error:
        raise BadRequestError(error.sentence, facts={"field": error.where or "body"}) from error


def no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
