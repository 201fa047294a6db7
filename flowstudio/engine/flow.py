"""What the language's own steps do: condition, switch, respond, stop, wait, loop. Pure: values in, values out.

Every function takes rendered params and raises FlowParamError, which names the param, when one is not usable.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flowstudio.engine.errors import FlowParamError
from flowstudio.plan.evaluation.deferred import opened
from flowstudio.plan.model import Json

DEFAULT_MAX_ITERATIONS = 1000
MOST_ITERATIONS = 1_000_000
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""The name of a header, RFC 9110, 5.6.2."""
LONGEST_WAIT_S = 366 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Branch:
    """Which way out, and the output that says so."""

    ports: tuple[str, ...]
    output: Json


@dataclass(frozen=True, slots=True)
class Iterate:
    """The items a loop takes, how many at once, and how many it leaves because of its limit."""

    items: Sequence[Json]
    parallel: int
    left_over: int


@dataclass(frozen=True, slots=True)
class Call:
    """The plan a step runs, and what that reads as `{{ trigger }}`."""

    plan_id: str
    inputs: Json


@dataclass(frozen=True, slots=True)
class Repeat:
    """What a while's condition answered before a turn. start, limit: as they were before the first."""

    holds: bool
    start: Json
    limit: int


def condition(holds: bool) -> Branch:
    return Branch(("true" if holds else "false",), {"result": holds})


def switch(params: Mapping[str, Json]) -> Branch:
    """The first case equal to the value, as itself or as text ("1" fits 1); else `default`."""
    value = params.get("value")
    for case in _list(params.get("cases"), "cases"):
        if not isinstance(case, dict) or not isinstance(case.get("name"), str):
            raise FlowParamError("A case of “cases” has no name.", fix="Give every case a name.")
        if _equals(value, case.get("equals")):
            return Branch((str(case["name"]),), {"case": case["name"]})
    return Branch(("default",), {"case": "default"})


def respond(params: Mapping[str, Json]) -> dict[str, Json]:
    """The answer of the run as {"status", "headers", "body"}."""
    status = whole_number(params.get("status", 200), "status", 200, 599)
    headers = params.get("headers") or {}
    if not isinstance(headers, dict):
        raise FlowParamError("“headers” is not a list of names and values.", fix="Give each header a name and a value.")
    texts: dict[str, Json] = {
        _header_name(name): value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in headers.items()
        if value is not None
    }
    return {"status": status, "headers": texts, "body": params.get("body")}


def _header_name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        sentence = f"“{name[:40]}” in “headers” cannot be the name of a header."
        raise FlowParamError(sentence, fix="Use letters, digits and hyphens, such as X-Order-Id.")
    return name


def due(action: str, params: Mapping[str, Json], now: datetime) -> datetime:
    """When a wait step ends, aware UTC."""
    if action == "until":
        return _instant(params.get("time"))
    seconds = _number(params.get("seconds"), "seconds")
    if not 0 <= seconds <= LONGEST_WAIT_S:
        sentence = f"“seconds” is {seconds:g}; a wait takes from 0 seconds to 366 days."
        raise FlowParamError(sentence, fix="Change the duration.")
    return now + timedelta(seconds=seconds)


def call(params: Mapping[str, Json]) -> Call:
    plan_id = params.get("plan")
    if not isinstance(plan_id, str) or not plan_id.strip():
        raise FlowParamError(f"“plan” is {_kind(plan_id)}; it takes the id of a plan.", fix="Choose a plan.")
    return Call(plan_id.strip(), params.get("inputs"))


def patience(params: Mapping[str, Json]) -> float | None:
    """How long a step waits for a call, in seconds; None for as long as it takes."""
    value = params.get("timeout_s")
    if value is None or value == "":
        return None
    seconds = _number(value, "timeout_s")
    if not 0 <= seconds <= LONGEST_WAIT_S:
        sentence = f"“timeout_s” is {seconds:g}; a wait takes from 0 seconds to 366 days."
        raise FlowParamError(sentence, fix="Change “timeout_s”, or leave it empty to wait for as long as it takes.")
    return seconds


def iterate(params: Mapping[str, Json]) -> Iterate:
    """What a loop goes through: a list, or an object that holds one as `items`."""
    items = opened(params.get("items"))
    if isinstance(items, dict):
        items = opened(items.get("items", items))
    if not isinstance(items, list):
        raise FlowParamError(
            f"“items” is {_kind(items)}; a loop needs a list, or an object with a list named “items”.",
            fix="Point “items” at a list.",
        )
    limit = most_iterations(params)
    parallel = whole_number(params.get("parallel", 1), "parallel", 1, 1000)
    return Iterate(items[:limit] if len(items) > limit else items, parallel, max(len(items) - limit, 0))


def most_iterations(params: Mapping[str, Json]) -> int:
    return whole_number(params.get("max_iterations", DEFAULT_MAX_ITERATIONS), "max_iterations", 0, MOST_ITERATIONS)


def is_true(value: Json) -> bool:
    """A form's yes: True, or the word for it that an expression rendered."""
    return value.strip().lower() not in ("", "false", "0", "no") if isinstance(value, str) else bool(value)


def whole_number(value: Json, name: str, low: int, high: int) -> int:
    number = _number(value, name)
    if number != int(number) or not low <= number <= high:
        sentence = f"“{name}” is {number:g}; it takes whole numbers from {low} to {high}."
        raise FlowParamError(sentence, fix=f"Change “{name}”.")
    return int(number)


def _number(value: Json, name: str) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        number = float(value)
        if number != number or abs(number) == float("inf"):
            raise ValueError
    except (ValueError, OverflowError):
        raise FlowParamError(f"“{name}” is {_kind(value)}; it takes a number.", fix=f"Change “{name}”.") from None
    return number


def _instant(value: Json) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise FlowParamError(
            f"“time” is {_kind(value)}; it takes a date and time such as 2031-05-04T09:00:00+02:00.",
            fix="Change “time”.",
        )
    try:
        return instant.astimezone(UTC) if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    except OverflowError:
        raise FlowParamError("“time” lies outside of the calendar.", fix="Change “time”.") from None


def _list(value: Json, name: str) -> list[Json]:
    if not isinstance(value, list):
        raise FlowParamError(f"“{name}” is {_kind(value)}; it takes a list.", fix=f"Change “{name}”.")
    return value


def _equals(value: Json, wanted: Json) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted or str(value).lower() == str(wanted).lower()
    return value == wanted or str(value) == str(wanted)


def _kind(value: Json) -> str:
    """What a value is, in a person's words, without showing it: it may be a secret."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "a yes or no"
    names = {int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "no usable value")
