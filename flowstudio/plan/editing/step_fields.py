"""The fields of a step that SetStepField sets: how each is read, written and named in the undo menu."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from flowstudio.plan.errors import BadEditError, DocumentError
from flowstudio.plan.model import Json, OnError, Retry
from flowstudio.plan.reading import parts
from flowstudio.plan.reading.reader import Reader, wrong_type

FieldValue: TypeAlias = "Json | Retry | OnError"


@dataclass(frozen=True, slots=True)
class StepField:
    text: str
    read: Callable[[Reader, str], FieldValue]


def _time_limit(reader: Reader, key: str) -> FieldValue:
    value = reader.optional_number(key)
    if value is not None and value <= 0:
        raise wrong_type(key, "more than 0 seconds", value)
    return value


FIELDS = {
    "title": StepField("Change title", lambda reader, key: reader.text(key, "")),
    "notes": StepField("Change notes", lambda reader, key: reader.text(key, "")),
    "on_error": StepField("Change what a failure does", lambda reader, key: reader.choice(key, OnError)),
    "retry": StepField("Change retries", lambda reader, key: parts.retry_from_json(reader.take(key), key)),
    "timeout_s": StepField("Change time limit", _time_limit),
    "credential": StepField("Change credential", lambda reader, key: reader.optional_text(key)),
    "disabled": StepField("Switch a step on or off", lambda reader, key: reader.boolean(key, False)),
    "parent": StepField("Move into or out of a loop", lambda reader, key: reader.optional_text(key)),
}


def read_field(field: str, value: FieldValue) -> FieldValue:
    """The value in the model's own type. Raises BadEditError."""
    if field not in FIELDS:
        raise BadEditError(f"A step has no field “{field}” to set.")
    if isinstance(value, Retry):
        return value
    try:
        return FIELDS[field].read(Reader({field: value}, ""), field)
    except DocumentError as error:
        raise BadEditError(error.sentence) from error


def write_field(value: FieldValue) -> Json:
    return dict(parts.retry_to_json(value)) if isinstance(value, Retry) else parts.short(value)
