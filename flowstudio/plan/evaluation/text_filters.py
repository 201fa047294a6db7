"""Filters and methods that make texts, or take them apart. Each pays for what it builds before it builds."""

import base64
import html
import json
import re
from typing import Any
from urllib.parse import quote, urlencode

from flowstudio.plan.evaluation.expression_errors import EvaluationError
from flowstudio.plan.evaluation.meter import ENTRY, Meter, settle, text

_TAG = re.compile(r"<[^<>]*>")
_PIECE = 64
"""Units of one piece of a split text."""


def replace(meter: Meter, value: Any, old: str, new: str, count: int = -1) -> str:
    source = text(value, meter)
    old, new = text(old, meter), text(new, meter)
    found = source.count(old) if count is None or count < 0 else min(source.count(old), count)
    meter.spend(len(source) + found * max(len(new) - len(old), 0))
    return source.replace(old, new, -1 if count is None else count)


def split(meter: Meter, value: Any, separator: str | None = None, maximum: int = -1) -> list[str]:
    """Without a separator at white space, as Python does."""
    source = text(value, meter)
    pieces = source.count(separator) if separator else len(source) // 2
    meter.spend(_PIECE * (pieces if maximum < 0 else min(pieces, maximum)))
    return source.split(separator, maximum)


def splitlines(meter: Meter, value: Any) -> list[str]:
    source = text(value, meter)
    meter.spend(_PIECE * source.count("\n"))
    return source.splitlines()


def characters(meter: Meter, value: str) -> list[str]:
    meter.spend(ENTRY * len(value))
    return list(value)


def truncate(meter: Meter, value: Any, length: int = 255, end: str = "…") -> str:
    """At most `length` characters, `end` included."""
    source = text(value, meter)
    return source if len(source) <= length else source[: max(length - len(end), 0)] + end


def escape(meter: Meter, value: Any) -> str:
    """Safe inside HTML."""
    source = text(value, meter)
    meter.spend(5 * len(source))
    return html.escape(source)


def striptags(meter: Meter, value: Any) -> str:
    """HTML without its tags, entities resolved, white space collapsed."""
    source = text(value, meter)
    meter.spend(4 * len(source))
    return " ".join(html.unescape(_TAG.sub(" ", source)).split())


def tojson(meter: Meter, value: Any, indent: int | None = None) -> str:
    if indent is not None and not 0 <= indent <= 8:
        raise EvaluationError("tojson takes an indent from 0 to 8.")
    result = json.dumps(settle(value, meter), ensure_ascii=False, indent=indent)
    meter.spend(len(result))
    return result


def fromjson(meter: Meter, value: Any) -> Any:
    source = text(value, meter)
    meter.spend(8 * len(source))
    try:
        return json.loads(source)
    except json.JSONDecodeError as error:
        raise EvaluationError(
            f"The text is not JSON: line {error.lineno}, column {error.colno}: {error.msg.lower()}."
        ) from None


def urlencoded(meter: Meter, value: Any) -> str:
    """A text for use in an address; an object as a query string."""
    if isinstance(value, dict):
        pairs = [(text(key, meter), text(each, meter)) for key, each in value.items()]
        meter.spend(3 * sum(len(key) + len(each) for key, each in pairs))
        return urlencode(pairs)
    source = text(value, meter)
    meter.spend(3 * len(source))
    return quote(source, safe="/")


def base64_encoded(meter: Meter, value: Any) -> str:
    return base64.b64encode(text(value, meter).encode()).decode()


def base64_decoded(meter: Meter, value: Any) -> str:
    return base64.b64decode(text(value, meter), validate=True).decode()


def string(meter: Meter, value: Any) -> str:
    return text(value, meter)


def slug(meter: Meter, value: Any) -> str:
    """Letters and digits of any script in small, joined by hyphens."""
    return re.sub(r"[\W_]+", "-", text(value, meter).lower()).strip("-")
