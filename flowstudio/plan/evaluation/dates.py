"""Dates in expressions: ISO texts and Unix seconds, formatted and moved. Nothing here asks for the time."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from flowstudio.plan.evaluation.expression_errors import EvaluationError

_PARTS = re.compile(r"%-?[a-zA-Z%]")


def moment(value: Any) -> datetime:
    """An ISO 8601 text or Unix seconds as a time; without a zone it is UTC."""
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            raise EvaluationError(
                f"“{value[:40]}” is not a date.", fix="Give an ISO date such as 2025-01-31T09:00:00Z."
            ) from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    raise EvaluationError("A date must be an ISO text or a number of seconds since 1970.")


def date(value: Any, format: str = "%Y-%m-%d", timezone: str = "") -> str:
    """strftime; timezone: an IANA name, the value's own zone when empty."""
    when = moment(value)
    if timezone:
        when = when.astimezone(_zone(timezone))
    if len(format) > 200 or "%" in _PARTS.sub("", format):
        raise EvaluationError(f"“{format[:40]}” is not a date format.", fix="Use codes such as %Y-%m-%d %H:%M.")
    return when.strftime(format)


def shift(value: Any, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> str:
    """The date so much later (or earlier, for negative numbers), as an ISO text."""
    return (moment(value) + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)).isoformat()


def timestamp(value: Any) -> float:
    """Seconds since 1970."""
    return moment(value).timestamp()


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise EvaluationError(
            f"There is no time zone named “{name[:40]}”.", fix="Use a name such as Europe/Berlin."
        ) from None
