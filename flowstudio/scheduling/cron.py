"""Cron expressions: which are legal, and when they fire next. Pure; cronsim does what Debian's cron does.

minute hour day-of-month month day-of-week; Sunday is 0 and 7; names such as MON and JAN; L, LW and # as cronsim knows
them; six fields when the first is seconds; @hourly and its like. When clocks change, a job at a fixed hour runs once:
in autumn at the first of the two hours, in spring, when its time does not exist, right after the gap.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from flowstudio.scheduling.errors import CronFieldError, NeverFiresError, TimezoneError

NICKNAMES: Mapping[str, str] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""crontab(5), without @reboot: there is no boot here."""

FIELDS: tuple[tuple[str, str], ...] = (
    ("second", "0 to 59"),
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day-of-month", "1 to 31, L or LW"),
    ("month", "1 to 12 or JAN to DEC"),
    ("day-of-week", "0 to 7 (Sunday is 0 and 7) or SUN to SAT"),
)
A_START = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST = 200
"""Characters; more is no schedule a person wrote."""


def check(expression: str, timezone: str) -> None:
    """Raises CronFieldError naming the field, NeverFiresError or TimezoneError."""
    if next_fire(expression, timezone, A_START) is None:
        raise _never(expression)


def next_fire(expression: str, timezone: str, after: datetime) -> datetime | None:
    """The first instant later than after, as aware UTC; None when there is none in the next 50 years. Raises as check.

    after: aware, any zone.
    """
    zone = _zone(timezone)
    parts = _parts(expression)
    try:
        for found in CronSim(" ".join(parts), after.astimezone(zone)):
            instant = found.astimezone(UTC)
            # Within the repeated hour of autumn cronsim may answer with the first of the two, which is over.
            if instant > after:
                return instant
    except (CronSimError, AssertionError) as error:
        raise _fault(expression, parts) from error
    return None


def _parts(expression: str) -> list[str]:
    """The expression's fields, five or six."""
    text = expression.strip()
    parts = NICKNAMES.get(text.lower(), text).split()
    if len(parts) in (5, 6) and len(text) <= LONGEST:
        return parts
    if text.startswith("@"):
        raise CronFieldError(
            f"{text[:LONGEST]} is no schedule.",
            fix=f"Known names: {', '.join(NICKNAMES)}.",
            facts={"field": "expression", "value": text[:LONGEST]},
        )
    raise CronFieldError(
        f"A cron expression has five fields; “{text[:LONGEST]}” has {len(parts)}.",
        fix="Write minute, hour, day-of-month, month and day-of-week: 0 9 * * 1 is Mondays at 9:00.",
        facts={"field": "expression", "value": text[:LONGEST]},
    )


def _fault(expression: str, parts: list[str]) -> CronFieldError | NeverFiresError:
    """Which field is wrong: the first that is refused among stars."""
    names = FIELDS[len(FIELDS) - len(parts) :]
    for place, (part, (name, allowed)) in enumerate(zip(parts, names, strict=True)):
        alone = ["*"] * len(parts)
        alone[place] = part
        if not _is_legal(" ".join(alone)):
            return CronFieldError(
                f"The {name} field “{part}” of the schedule “{expression}” is wrong.",
                fix=f"Allowed: {allowed}; lists 1,2, ranges 1-5 and steps */2.",
                facts={"field": name, "value": part},
            )
    return _never(expression)


def _never(expression: str) -> NeverFiresError:
    return NeverFiresError(
        f"The schedule “{expression}” never fires: no such day exists.",
        fix="Choose a day that the month has.",
        facts={"field": "day-of-month", "value": expression},
    )


def _is_legal(expression: str) -> bool:
    try:
        CronSim(expression, A_START)
    except (CronSimError, AssertionError):
        return False
    return True


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        near = get_close_matches(name.title(), available_timezones(), n=1)
        raise TimezoneError(
            f"There is no time zone “{name[:LONGEST]}”.",
            fix=f"Did you mean {near[0]}?" if near else "Write a name such as Europe/Berlin or UTC.",
            facts={"field": "timezone", "value": name[:LONGEST]},
        ) from error
