"""Request templates: JSON whose texts hold `{name}` placeholders for params and credential fields. Pure.

- A text that is one placeholder becomes the value itself, with its type; inside a longer text it becomes text.
- `{name:text}` becomes text also when it stands alone: numbers plainly, lists and objects as JSON.
- A text whose placeholders are all empty (missing, null or "") is left out, with its key. An object or list inside
  that had such texts and lost all of them is left out too, constants and all. The outermost object stays.
- The key `...` takes the entries of an object-valued placeholder into the object around it.
- Keys may hold placeholders; an empty key is left out with its value.
- `{{` and `}}` are literal braces.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from flowstudio.plan.model import Json

SPREAD: Final = "..."
CONVERSIONS: Final = frozenset({"", "text", "path", "url"})

PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{([^{}:\s][^{}:]*)(?::([a-z]+))?\}")
"""Group 1 is the name, None for a doubled brace; group 2 the conversion. Users' own integrations may use any name."""


class _Left:
    """Stands for a value that is left out."""


LEFT_OUT: Final = _Left()

Names = Mapping[str, Json]


def placeholders(template: Json) -> Iterator[tuple[str, str]]:
    """(name, conversion) of every placeholder, in reading order, keys included."""
    if isinstance(template, str):
        for match in PLACEHOLDER.finditer(template):
            if match[1]:
                yield match[1], match[2] or ""
    elif isinstance(template, list):
        for item in template:
            yield from placeholders(item)
    elif isinstance(template, dict):
        for key, value in template.items():
            yield from placeholders(key)
            yield from placeholders(value)


def is_empty(value: Json) -> bool:
    return value is None or value == ""


def as_text(value: Json) -> str:
    """A value as it stands inside a text: true and false in lower case, lists and objects as JSON, null as nothing."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def render(template: Json, names: Names) -> Json:
    """The outermost value; an object or list keeps its constants. None when a text is left out altogether."""
    if isinstance(template, dict):
        return _object(template, names)[0]
    if isinstance(template, list):
        return _list(template, names)[0]
    value = _render(template, names)
    return None if isinstance(value, _Left) else value


def render_text(template: str, names: Names) -> str | None:
    """The text, or None when all its placeholders are empty."""
    value = _text(template, names)
    return None if isinstance(value, _Left) else as_text(value)


def _render(template: Json, names: Names) -> "Json | _Left":
    if isinstance(template, str):
        return _text(template, names)
    if isinstance(template, dict | list):
        value, lost, kept = _object(template, names) if isinstance(template, dict) else _list(template, names)
        return LEFT_OUT if lost and not kept else value
    return template


def _text(template: str, names: Names) -> "Json | _Left":
    found = list(placeholders(template))
    if found and all(is_empty(names.get(name)) for name, _ in found):
        return LEFT_OUT
    whole = PLACEHOLDER.fullmatch(template)
    if whole and whole[1] and whole[2] != "text":
        return names[whole[1]]
    return PLACEHOLDER.sub(lambda match: _piece(match, names), template)


def _piece(match: re.Match[str], names: Names) -> str:
    return as_text(names.get(match[1])) if match[1] else match[0][0]


def _object(template: dict[str, Json], names: Names) -> tuple[Json, int, int]:
    """(value, templated entries left out, templated entries kept)."""
    made: dict[str, Json] = {}
    lost = kept = 0
    for key_template, value_template in template.items():
        value = _render(value_template, names)
        if key_template == SPREAD:
            if isinstance(value, dict):
                made.update(value)
            lost, kept = _counted(value_template, value, lost, kept)
            continue
        key = render_text(key_template, names)
        if key is None or isinstance(value, _Left):
            lost += 1
            continue
        made[key] = value
        lost, kept = _counted(value_template, value, lost, kept)
    return made, lost, kept


def _list(template: list[Json], names: Names) -> tuple[Json, int, int]:
    made: list[Json] = []
    lost = kept = 0
    for item in template:
        value = _render(item, names)
        if not isinstance(value, _Left):
            made.append(value)
        lost, kept = _counted(item, value, lost, kept)
    return made, lost, kept


def _counted(template: Json, value: "Json | _Left", lost: int, kept: int) -> tuple[int, int]:
    """The counts after one more entry; constants count as neither."""
    if isinstance(value, _Left):
        return lost + 1, kept
    return lost, kept + any(True for _ in placeholders(template))
