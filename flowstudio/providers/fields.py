"""What a step gave, made into what the action takes, or a sentence saying what was expected. Pure."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from flowstudio.plan.model import Json
from flowstudio.providers.errors import BadParamError
from flowstudio.providers.manifest import Action, Choice, Field, FieldKind
from flowstudio.providers.template import as_text, is_empty


class Unfit(ValueError):
    """A value that does not fit; the text says what was expected, as in “a whole number”."""


def coerce_params(provider_title: str, action: Action, params: Mapping[str, Json]) -> dict[str, Json]:
    """Every field of the action with its value, default or None. Params the action does not know are dropped.

    Raises BadParamError naming provider, action, field and what was expected.
    """
    return {field.name: _param(provider_title, action, field, params.get(field.name)) for field in action.fields}


def unknown_params(action: Action, params: Mapping[str, Json]) -> list[str]:
    """A sentence for every param the action has no field for."""
    known = [field.name for field in action.fields]
    sentences: list[str] = []
    for name in params:
        if name in known:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean “{close[0]}”?" if close else ""
        sentences.append(f"“{action.title}” has no field “{name}”; it is ignored.{hint}")
    return sentences


def _param(provider_title: str, action: Action, field: Field, value: Json) -> Json:
    given = field.default if is_empty(value) else value
    if is_empty(given):
        if field.required:
            sentence, fix = f"“{field.title}” is missing.", "Fill this field in the step."
            raise _bad(provider_title, action, field, sentence, fix)
        return None
    try:
        return coerce(field, given)
    except Unfit as unfit:
        sentence = f"“{field.title}” has to be {unfit}, but it is {_shown(field, given)}."
        raise _bad(
            provider_title, action, field, sentence, "Correct this field in the step.", expected=str(unfit)
        ) from unfit


def _bad(provider_title: str, action: Action, field: Field, sentence: str, fix: str, **facts: str) -> BadParamError:
    place = {"provider": action.provider, "action": action.id, "field": field.name}
    return BadParamError(f"{provider_title}, “{action.title}”: {sentence}", fix=fix, facts={**place, **facts})


def coerce(field: Field, value: Json) -> Json:
    """The value in the field's kind. Raises Unfit. Empty values are not its business."""
    if field.any_value:
        return value
    return _COERCERS.get(field.kind, _text)(field, value)


def to_json_schema(fields: Sequence[Field]) -> dict[str, Json]:
    """JSON Schema (draft 2020-12) of an action's params object."""
    required: list[Json] = [field.name for field in fields if field.required]
    properties: dict[str, Json] = {field.name: _schema(field) for field in fields}
    return {"type": "object", "properties": properties, "required": required}


def _shown(field: Field, value: Json) -> str:
    if field.kind is FieldKind.SECRET:
        return "something else"
    text = as_text(value)
    return f"“{text}”" if len(text) <= 60 else f"“{text[:57]}…”"


def _text(field: Field, value: Json) -> Json:
    return as_text(value)


_VAST: Final = 10**300
"""Numbers beyond this are mistakes, and infinite for most who read them. NaN is not smaller either."""


def _number(field: Field, value: Json) -> Json:
    number = _parsed_number(value)
    whole = field.kind is FieldKind.INTEGER
    if number is None or not abs(number) < _VAST or (whole and number != int(number)):
        raise Unfit(_range(field, "a whole number" if whole else "a number"))
    if (field.minimum is not None and number < field.minimum) or (field.maximum is not None and number > field.maximum):
        raise Unfit(_range(field, "a number"))
    return int(number) if whole else number


def _parsed_number(value: Json) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str) or len(value) > 400:
        return None
    for parse in (int, float):
        try:
            return parse(value.strip())
        except ValueError:
            continue
    return None


def _range(field: Field, what: str) -> str:
    low, high = field.minimum, field.maximum
    if low is not None and high is not None:
        return f"{what} from {low:g} to {high:g}"
    if low is not None:
        return f"{what} of at least {low:g}"
    return f"{what} of at most {high:g}" if high is not None else what


_TRUTH: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def _boolean(field: Field, value: Json) -> Json:
    if isinstance(value, bool):
        return value
    truth = _TRUTH.get(as_text(value).strip().lower())
    if truth is None:
        raise Unfit("true or false")
    return truth


def _choice(field: Field, value: Json) -> Json:
    """The choice of that value, title or, for texts, that spelling without regard to case."""
    for choice in field.choices:
        if choice.value == value and type(choice.value) is type(value):
            return choice.value
    wanted = as_text(value).strip().lower()
    for choice in field.choices:
        if wanted in (as_text(choice.value).lower(), choice.title.lower()):
            return choice.value
    raise Unfit(f"one of {_listed(field.choices)}")


def _listed(choices: Sequence[Choice]) -> str:
    return ", ".join(as_text(choice.value) for choice in choices)


def _datetime(field: Field, value: Json) -> Json:
    """ISO 8601 text; a number counts as Unix time in seconds."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC).isoformat()
        text = as_text(value).strip()
        datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise Unfit("a date or time like 2027-01-31T09:00:00+01:00") from error
    return text


def _keyvalue(field: Field, value: Json) -> Json:
    """An object, JSON text of one, or a list of {"key" or "name", "value"}."""
    value = _from_text(value, "keys and values, as a JSON object")
    if isinstance(value, list):
        pairs = [(each.get("key", each.get("name")), each.get("value")) for each in value if isinstance(each, dict)]
        if len(pairs) == len(value) and all(isinstance(key, str) for key, _ in pairs):
            return {str(key): each for key, each in pairs if key}
    if not isinstance(value, dict):
        raise Unfit("keys and values, as a JSON object")
    return value


def _list(field: Field, value: Json) -> Json:
    """A list, JSON text of one, or plain text with one item a line or between commas."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        parts = value.splitlines() if "\n" in value.strip() else value.split(",")
        return [part.strip() for part in parts if part.strip()]
    value = _from_text(value, "a list")
    if not isinstance(value, list):
        raise Unfit("a list")
    return value


def _json(field: Field, value: Json) -> Json:
    """Text that begins like an object or list has to be JSON; other text is itself."""
    return _from_text(value, "JSON")


def _from_text(value: Json, expected: str) -> Json:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        parsed: Json = json.loads(value)
    except json.JSONDecodeError as error:
        raise Unfit(f"{expected} ({error.msg} at line {error.lineno}, column {error.colno})") from error
    except RecursionError as error:
        raise Unfit(f"{expected} that is nested less deeply") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise Unfit(f"{expected} with shorter numbers") from error
    return parsed


_COERCERS: Final[Mapping[FieldKind, Callable[[Field, Json], Json]]] = {
    FieldKind.NUMBER: _number,
    FieldKind.INTEGER: _number,
    FieldKind.BOOLEAN: _boolean,
    FieldKind.CHOICE: _choice,
    FieldKind.DATETIME: _datetime,
    FieldKind.KEYVALUE: _keyvalue,
    FieldKind.LIST: _list,
    FieldKind.JSON: _json,
}

_TYPES: Final[Mapping[FieldKind, Mapping[str, Json]]] = {
    FieldKind.NUMBER: {"type": "number"},
    FieldKind.INTEGER: {"type": "integer"},
    FieldKind.BOOLEAN: {"type": "boolean"},
    FieldKind.CHOICE: {},
    FieldKind.DATETIME: {"type": "string", "format": "date-time"},
    FieldKind.KEYVALUE: {"type": "object"},
    FieldKind.LIST: {"type": "array"},
    FieldKind.JSON: {},
}


def _schema(field: Field) -> dict[str, Json]:
    schema: dict[str, Json] = {"title": field.title, **_TYPES.get(field.kind, {"type": "string"})}
    optional: dict[str, Json] = {
        "description": field.help,
        "default": field.default,
        "enum": [choice.value for choice in field.choices],
        "minimum": field.minimum,
        "maximum": field.maximum,
        "writeOnly": field.kind is FieldKind.SECRET or None,
    }
    return {**schema, **{key: value for key, value in optional.items() if value not in (None, "", [])}}
