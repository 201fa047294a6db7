"""How the fields of edits go to JSON and back."""

from collections.abc import Mapping
from typing import Any

from flowstudio.plan.editing.edit import Codec
from flowstudio.plan.model import Json
from flowstudio.plan.reading import parts
from flowstudio.plan.reading.reader import as_float, plain_text, wrong_type


def _read_list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise wrong_type(where, "a list", value)
    return list(value)


def _read_object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise wrong_type(where, "an object", value)
    return dict(value)


def _read_index(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise wrong_type(where, "a whole number", value)
    return value


def _read_number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(where, "a number", value)
    return as_float(value, where)


def optional(codec: Codec) -> Codec:
    return Codec(
        lambda value: None if value is None else codec.write(value),
        lambda value, where: None if value is None else codec.read(value, where),
    )


def many(codec: Codec) -> Codec:
    """A tuple of equals as a list."""
    return Codec(
        lambda values: [codec.write(each) for each in values],
        lambda values, where: tuple(
            codec.read(each, f"{where}[{index}]") for index, each in enumerate(_read_list(values, where))
        ),
    )


def by_id(codec: Codec) -> Codec:
    """A mapping from ids."""
    return Codec(
        lambda values: {key: codec.write(each) for key, each in values.items()},
        lambda values, where: {
            key: codec.read(each, f"{where}.{key}") for key, each in _read_object(values, where).items()
        },
    )


def placed(codec: Codec) -> Codec:
    """An (index, part) pair as a list of two."""

    def read(value: object, where: str) -> tuple[int, Any]:
        pair = _read_list(value, where)
        if len(pair) != 2:
            raise wrong_type(where, "a list of index and part", value)
        return _read_index(pair[0], where), codec.read(pair[1], where)

    return Codec(lambda pair: [pair[0], codec.write(pair[1])], read)


def _read_point(value: object, where: str) -> tuple[float, float]:
    pair = _read_list(value, where)
    if len(pair) != 2:
        raise wrong_type(where, "a list of x and y", value)
    return _read_number(pair[0], where), _read_number(pair[1], where)


def _write_json(value: Json) -> Json:
    return value


TEXT = Codec(str, plain_text)
INDEX = Codec(int, _read_index)
NUMBER = Codec(parts.short, _read_number)
POINT = Codec(lambda point: [parts.short(point[0]), parts.short(point[1])], _read_point)
JSON = Codec(_write_json, lambda value, where: value)
OBJECT = Codec(dict, _read_object)
STEP = Codec(parts.step_to_json, parts.step_from_json)
EDGE = Codec(parts.edge_to_json, parts.edge_from_json)
TRIGGER = Codec(parts.trigger_to_json, parts.trigger_from_json)
NOTE = Codec(parts.note_to_json, parts.note_from_json)
FRAME = Codec(parts.frame_to_json, parts.frame_from_json)
