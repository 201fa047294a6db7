"""The filters, tests and methods expressions have: three explicit tables, and nothing beside them.

Every entry is a pure function (meter, value, *arguments). Jinja's own filters are not used: some repeat, pad or
multiply without a limit, some draw lots, some read attributes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2.runtime import Undefined

from flowstudio.plan.checking.spelling import closest
from flowstudio.plan.evaluation import dates, list_filters, text_filters
from flowstudio.plan.evaluation.deferred import Deferred, opened
from flowstudio.plan.evaluation.expression_errors import UnknownNameError
from flowstudio.plan.evaluation.list_filters import entries_of, member
from flowstudio.plan.evaluation.meter import CALL, Meter, settle, size, text
from flowstudio.plan.evaluation.operators import compare, formatted

Function = Callable[..., Any]


def _of_text(function: Callable[..., Any]) -> Function:
    """A filter from a string method."""
    return lambda meter, value, *arguments: function(text(value, meter), *arguments)


def _default(meter: Meter, value: Any, default: Any = "", boolean: bool = False) -> Any:
    """The default where there is no value or null; with boolean also for "", 0, false and empty lists."""
    if isinstance(value, Undefined) or value is None:
        return default
    return default if boolean and not value else value


def _map(meter: Meter, value: Any, name: str | None = None, *arguments: Any, **named: Any) -> list[Any]:
    """map('upper'), or map(attribute='a.b', default=...)."""
    entries = entries_of(value, meter)
    if name is None:
        return [_member_or(entry, named) for entry in entries]
    function = known(FILTERS, name, "filter")
    return [_paid(meter, function, entry, *arguments, **named) for entry in entries]


def _member_or(entry: Any, named: Mapping[str, Any]) -> Any:
    path = named["attribute"]
    return list_filters.get(Meter(), entry, path, named["default"]) if "default" in named else member(entry, path)


def _selection(keep: bool, with_attribute: bool) -> Function:
    def select(meter: Meter, value: Any, *arguments: Any) -> list[Any]:
        attribute, rest = (arguments[0], arguments[1:]) if with_attribute else (None, arguments)
        test = known(TESTS, rest[0], "test") if rest else _is_truthy
        return [
            entry
            for entry in entries_of(value, meter)
            if bool(_paid(meter, test, _reach(entry, attribute), *rest[1:])) is keep
        ]

    return select


def _reach(entry: Any, attribute: Any) -> Any:
    """An entry without the attribute is tested as null: real lists are uneven."""
    return entry if attribute is None else list_filters.get(Meter(), entry, attribute)


def _is_truthy(meter: Meter, value: Any) -> bool:
    return bool(value)


def _paid(meter: Meter, function: Function, value: Any, *arguments: Any, **named: Any) -> Any:
    if isinstance(value, Deferred) and function not in _UNOPENED:
        value = value.load()
    meter.spend(CALL + (len(value) if isinstance(value, str) else 0))
    result = function(meter, value, *arguments, **named)
    meter.spend(size(result) if isinstance(result, str) else 0)
    return result


def _format(meter: Meter, value: Any, *arguments: Any, **named: Any) -> str:
    return formatted(text(value, meter), named or arguments, meter)


def _padded(meter: Meter, value: Any, width: int) -> str:
    meter.spend(max(width, 0))
    return text(value, meter).center(width)


def _indented(meter: Meter, value: Any, width: int = 4, first: bool = False) -> str:
    source = text(value, meter)
    meter.spend((source.count("\n") + 1) * max(width, 0))
    margin = " " * width
    return (margin if first else "") + source.replace("\n", "\n" + margin)


FILTERS: Mapping[str, Function] = {
    "abs": list_filters.absolute,
    "b64decode": text_filters.base64_decoded,
    "b64encode": text_filters.base64_encoded,
    "batch": list_filters.batch,
    "bool": list_filters.truth,
    "capitalize": _of_text(str.capitalize),
    "center": _padded,
    "count": list_filters.length,
    "d": _default,
    "date": lambda meter, value, *arguments, **named: dates.date(value, *arguments, **named),
    "default": _default,
    "dictsort": list_filters.sorted_pairs,
    "e": text_filters.escape,
    "escape": text_filters.escape,
    "first": list_filters.first,
    "flatten": list_filters.flatten,
    "float": list_filters.number,
    "format": _format,
    "fromjson": text_filters.fromjson,
    "get": list_filters.get,
    "groupby": list_filters.groupby,
    "indent": _indented,
    "int": list_filters.whole,
    "items": list_filters.pairs,
    "join": list_filters.join,
    "keys": list_filters.keys,
    "last": list_filters.last,
    "length": list_filters.length,
    "list": list_filters.listed,
    "lower": _of_text(str.lower),
    "map": _map,
    "max": list_filters.largest,
    "merge": list_filters.merged,
    "min": list_filters.smallest,
    "reject": _selection(keep=False, with_attribute=False),
    "rejectattr": _selection(keep=False, with_attribute=True),
    "replace": text_filters.replace,
    "reverse": list_filters.reversed_,
    "round": list_filters.rounded,
    "select": _selection(keep=True, with_attribute=False),
    "selectattr": _selection(keep=True, with_attribute=True),
    "shift": lambda meter, value, **named: dates.shift(value, **named),
    "slug": text_filters.slug,
    "sort": list_filters.ordered,
    "split": text_filters.split,
    "splitlines": text_filters.splitlines,
    "string": text_filters.string,
    "striptags": text_filters.striptags,
    "sum": list_filters.total,
    "timestamp": lambda meter, value: dates.timestamp(value),
    "title": _of_text(str.title),
    "tojson": text_filters.tojson,
    "trim": _of_text(str.strip),
    "truncate": text_filters.truncate,
    "unique": list_filters.unique,
    "upper": _of_text(str.upper),
    "urlencode": text_filters.urlencoded,
    "values": list_filters.values,
    "wordcount": lambda meter, value: len(text_filters.split(meter, value)),
}


def _comparison(symbol: str) -> Function:
    return lambda meter, value, other: compare(symbol, value, other, meter)


def _is_number(meter: Meter, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TESTS: Mapping[str, Function] = {
    "boolean": lambda meter, value: isinstance(value, bool),
    "contains": lambda meter, value, other: compare("in", other, value, meter),
    "defined": lambda meter, value: not isinstance(value, Undefined),
    "divisibleby": lambda meter, value, other: value % other == 0,
    "eq": _comparison("eq"),
    "equalto": _comparison("eq"),
    "even": lambda meter, value: value % 2 == 0,
    "false": lambda meter, value: value is False,
    "float": lambda meter, value: isinstance(value, float),
    "ge": _comparison("gteq"),
    "greaterthan": _comparison("gt"),
    "gt": _comparison("gt"),
    "in": _comparison("in"),
    "integer": lambda meter, value: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda meter, value: isinstance(value, list | tuple | dict | str),
    "le": _comparison("lteq"),
    "lessthan": _comparison("lt"),
    "lower": lambda meter, value: text(value, meter).islower(),
    "lt": _comparison("lt"),
    "mapping": lambda meter, value: isinstance(value, dict),
    "ne": _comparison("ne"),
    "none": lambda meter, value: value is None,
    "number": _is_number,
    "odd": lambda meter, value: value % 2 == 1,
    "sequence": lambda meter, value: isinstance(value, list | tuple | dict | str),
    "string": lambda meter, value: isinstance(value, str),
    "true": lambda meter, value: value is True,
    "undefined": lambda meter, value: isinstance(value, Undefined),
    "upper": lambda meter, value: text(value, meter).isupper(),
}

_UNOPENED: frozenset[Function] = frozenset(
    {_default, list_filters.length, *(TESTS[name] for name in ("defined", "none", "undefined"))}
)
"""What needs not look into a value: a deferred one is left where it is."""

_PLAIN_METHODS = (
    *("capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit", "islower"),
    *("isnumeric", "isspace", "isupper", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "rfind"),
    *("rpartition", "rstrip", "startswith", "strip", "swapcase", "title", "upper"),
)

METHODS: Mapping[type, Mapping[str, Function]] = {
    str: {
        **{name: _of_text(getattr(str, name)) for name in _PLAIN_METHODS},
        "join": lambda meter, value, entries: list_filters.join(meter, entries, value),
        "replace": text_filters.replace,
        "split": text_filters.split,
        "splitlines": text_filters.splitlines,
    },
    dict: {
        "get": lambda meter, value, key, default=None: value.get(key, default),
        "items": list_filters.pairs,
        "keys": list_filters.keys,
        "values": list_filters.values,
    },
    list: {
        "count": lambda meter, value, other: settle(value, meter) and value.count(settle(other, meter)),
        "index": lambda meter, value, other: settle(value, meter) and value.index(settle(other, meter)),
    },
}


def known(table: Mapping[str, Function], name: Any, what: str) -> Function:
    """The entry of that name. Raises UnknownNameError with the nearest one."""
    function = table.get(name) if isinstance(name, str) else None
    if function is None:
        near = closest(str(name), list(table)) or f"There are: {', '.join(table)}."
        raise UnknownNameError(f"There is no {what} named “{str(name)[:40]}”.", fix=near)
    return function


def use(meter: Meter, table: Mapping[str, Function], name: str, value: Any, *arguments: Any, **named: Any) -> Any:
    return _paid(meter, table[name], value, *arguments, **named)


def call_method(meter: Meter, value: Any, name: str, *arguments: Any, **named: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)  # raises the error it carries
    value = opened(value)
    table = next((methods for kind, methods in METHODS.items() if isinstance(value, kind)), {})
    return _paid(meter, known(table, name, "method"), value, *arguments, **named)
