"""One entry of the old array to steps and back, without loss.

What a step cannot hold as its own fields stays in `extra["legacy"]`: `form` (action, condition or loop), `index` (its
place in the array), `keys` (which known keys the entry had), `rest` (everything else, as it came) and, for loops, the
same about `loop_config`. Known keys are written from the step, so a change on the canvas shows in the old array too.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flowstudio.plan.model import Json, Retry, Step, StepId

HINT = "legacy"
LOOP_LIMIT = 100
"""The old service's max_iterations."""

_BARE_REFERENCE = re.compile(r"(?:step_\d+|steps\.\d+)(?:[.\[].*)?", re.DOTALL)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_object(value: Json) -> bool:
    return isinstance(value, dict)


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_ACTION_KEYS: Mapping[str, Callable[[Json], bool]] = {
    "provider": _is_text,
    "action_id": _is_text,
    "action": _is_text,
    "action_name": _is_text,
    "description": _is_text,
    "params": _is_object,
    "retries": _is_count,
}
_CONDITION_KEYS: Mapping[str, Callable[[Json], bool]] = {
    "action_name": _is_text,
    "description": _is_text,
    "condition": lambda value: value is not None,
}
_LOOP_CONFIG_KEYS: Mapping[str, Callable[[Json], bool]] = {
    "items_source": lambda value: value is not None,
    "max_iterations": _is_count,
}


@dataclass(frozen=True, slots=True)
class Split:
    """An entry taken apart: what the model holds, and the hint for everything else."""

    known: dict[str, Any]
    hint: dict[str, Json]


def split(entry: Mapping[str, Json], keys: Mapping[str, Callable[[Json], bool]]) -> Split:
    known = {key: entry[key] for key, fits in keys.items() if key in entry and fits(entry[key])}
    if "action_id" in known:
        known.pop("action", None)
    rest = {key: value for key, value in entry.items() if key not in known}
    hint: dict[str, Json] = {"keys": [*sorted(known)]}
    if rest:
        hint["rest"] = rest
    return Split(known, hint)


def joined(step_values: Mapping[str, Json], hint: Mapping[str, Json], absent: Mapping[str, Json]) -> dict[str, Json]:
    """The entry again: a known key is written when the entry had it or its value is no longer that of absence."""
    rest, keys = hint.get("rest"), hint.get("keys")
    entry = dict(rest) if isinstance(rest, dict) else {}
    had = keys if isinstance(keys, list) else []
    for key, value in step_values.items():
        if key in had or value != absent.get(key):
            entry[key] = value
    return entry


def hint_of(step: Step) -> Mapping[str, Json]:
    hint = step.extra.get(HINT)
    return hint if isinstance(hint, dict) else {}


def action_from(entry: Mapping[str, Json], step_id: StepId, x: float, y: float, index: int) -> Step:
    taken = split(entry, _ACTION_KEYS)
    known = taken.known
    return Step(
        id=step_id,
        provider=known.get("provider", ""),
        action=known.get("action_id", known.get("action", "")),
        title=known.get("action_name", ""),
        notes=known.get("description", ""),
        params=known.get("params", {}),
        retry=Retry(tries=known.get("retries", 0) + 1),
        x=x,
        y=y,
        extra={HINT: {**taken.hint, "form": "action", "index": index}},
    )


def condition_from(entry: Mapping[str, Json], step_id: StepId, x: float, y: float, index: int) -> Step:
    taken = split(entry, _CONDITION_KEYS)
    return Step(
        id=step_id,
        provider="flow",
        action="condition",
        title=taken.known.get("action_name", ""),
        notes=taken.known.get("description", ""),
        params={key: taken.known[key] for key in ("condition",) if key in taken.known},
        x=x,
        y=y,
        extra={HINT: {**taken.hint, "form": "condition", "index": index}},
    )


def loop_from(
    entry: Mapping[str, Json], step_id: StepId, body_id: StepId, x: float, y: float, index: int
) -> list[Step]:
    """The container and the one step in its body. Title and notes stand on the container."""
    body = action_from(entry, body_id, x + BODY_X, y + BODY_Y, index)
    hint: dict[str, Json] = {**hint_of(body), "form": "loop"}
    params: dict[str, Json] = {"max_iterations": LOOP_LIMIT}
    config = entry.get("loop_config")
    if isinstance(config, dict):
        taken = split(config, _LOOP_CONFIG_KEYS)
        rest = hint["rest"]
        assert isinstance(rest, dict)
        hint["rest"] = {key: value for key, value in rest.items() if key != "loop_config"}
        source = taken.known.get("items_source")
        is_braced = source is not None and _items_to(source) != source
        hint["loop_config"] = {**taken.hint, **({"braced": True} if is_braced else {})}
        params.update({"max_iterations": taken.known.get("max_iterations", LOOP_LIMIT)})
        if "items_source" in taken.known:
            params["items"] = _items_from(source)
    loop = Step(step_id, "flow", "loop", body.title, params, x, y, notes=body.notes, extra={HINT: hint})
    return [loop, Step(body_id, body.provider, body.action, "", body.params, body.x, body.y, step_id, retry=body.retry)]


BODY_X, BODY_Y = 60.0, 100.0
"""Where a body starts inside its container, as the canvas draws it (scene pixels)."""


def _items_from(source: Json) -> Json:
    """A bare reference becomes an expression; anything else is taken as it is."""
    return "{{" + source + "}}" if isinstance(source, str) and _BARE_REFERENCE.fullmatch(source) else source


def _items_to(items: Json) -> Json:
    inner = items[2:-2] if isinstance(items, str) and items.startswith("{{") and items.endswith("}}") else ""
    return inner if _BARE_REFERENCE.fullmatch(inner) else items


_NEW_ENTRY: Mapping[str, Json] = {"keys": ["provider", "action_id", "action_name", "params"]}
_ABSENT: Mapping[str, Json] = {
    "provider": "",
    "action_id": "",
    "action": "",
    "action_name": "",
    "description": "",
    "params": {},
    "retries": 0,
}


def action_entry(step: Step) -> dict[str, Json]:
    """An action step, or a keyword the old array has no type for."""
    hint = hint_of(step)
    entry = _call(step, hint or _NEW_ENTRY, step.title if hint else step.label, step.notes)
    return entry if hint else {**entry, "type": "action"}


def condition_entry(step: Step, jump: int | None) -> dict[str, Json]:
    """jump: index of the entry its `false` port leads to, None when that ends the run."""
    hint = hint_of(step)
    values: dict[str, Json] = {"action_name": step.title if hint else step.label, "description": step.notes}
    if "condition" in step.params:
        values["condition"] = step.params["condition"]
    entry = joined(values, hint or {"keys": ["action_name"]}, _ABSENT)
    if not hint:
        entry.update(provider=step.provider, action_id=step.action, params={}, type="condition")
    if jump is not None:
        entry["else_jump"] = jump
    return entry


def loop_entry(loop: Step, body: Step | None) -> dict[str, Json]:
    """A loop with the one action of its body, or alone (None) when its body holds more."""
    hint = hint_of(loop)
    title = loop.title if hint else loop.label
    entry = _call(body or replace(loop, params={}), hint or _NEW_ENTRY, title, loop.notes)
    kept = hint.get("loop_config")
    config_hint: Mapping[str, Json] = kept if isinstance(kept, dict) else {}
    values: dict[str, Json] = {"max_iterations": loop.params.get("max_iterations", LOOP_LIMIT)}
    if "items" in loop.params:
        items = loop.params["items"]
        values["items_source"] = items if config_hint.get("braced") else _items_to(items)
    absent: dict[str, Json] = {"max_iterations": LOOP_LIMIT}
    config = joined(values, config_hint, absent)
    if config or kept is not None:
        entry["loop_config"] = config
    return entry if hint else {**entry, "type": "loop"}


def _call(step: Step, hint: Mapping[str, Json], title: str, notes: str) -> dict[str, Json]:
    keys = hint.get("keys")
    is_old = isinstance(keys, list) and "action" in keys
    values: dict[str, Json] = {
        "provider": step.provider,
        "action" if is_old else "action_id": step.action,
        "action_name": title,
        "description": notes,
        "params": dict(step.params),
        "retries": step.retry.tries - 1,
    }
    return joined(values, hint, _ABSENT)


def form_of(step: Step) -> str:
    """How the step is written: "action", "condition" or "loop"."""
    form = hint_of(step).get("form", step.kind)
    return str(form) if form == step.kind else "action"
