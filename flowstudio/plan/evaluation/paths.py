"""Plain paths such as `steps.fetch.output.items[0].name`: parsed once, read without Jinja.

`step_2.output` (from 1) and `steps.0.output` (from 0) are the old service's names for steps by their place.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from flowstudio.plan.checking.spelling import closest
from flowstudio.plan.evaluation.deferred import Deferred, opened
from flowstudio.plan.evaluation.expression_errors import MissingValueError, UnknownNameError
from flowstudio.plan.evaluation.scope import STEP_FIELDS, Scope, StepView
from flowstudio.plan.model import Json, StepId

Key: TypeAlias = str | int
Read: TypeAlias = Callable[[Scope], Json]

ROOTS = ("steps", "trigger", "vars", "item", "index", "loops", "run")

_PATH = re.compile(r"""\s*([A-Za-z_]\w*)((?:\.\w+|\[-?\d{1,9}\]|\[(?:"[^"\\]*"|'[^'\\]*')\])*)\s*""")
_KEY = re.compile(r"""\.(?P<name>\w+)|\[(?P<index>-?\d+)\]|\[["'](?P<quoted>[^"'\\]*)["']\]""")
_OLD_NAME = re.compile(r"step_(\d{1,9})")
_INDEX = re.compile(r"-?[0-9]{1,9}")
_DIGITS = re.compile(r"[0-9]{1,9}")
_WORDS = frozenset({"true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if", "else"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """How old references count. ordinals: step ids in that order; trigger_offset: `step_1` is the trigger's data
    when the run has some. has_data: whether it has; None while only the run will tell."""

    ordinals: Sequence[StepId] = ()
    trigger_offset: bool = False
    has_data: bool | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """root is one of ROOTS. shown: as its author wrote it. shifted: what it means instead when the run has trigger
    data and the plan counts that as step 1."""

    root: str
    keys: tuple[Key, ...]
    shown: str
    shifted: "Path | None" = None

    @property
    def references(self) -> frozenset[StepId]:
        own = {self.keys[0]} if self.root == "steps" and self.keys else set()
        return frozenset(str(key) for key in own) | (self.shifted.references if self.shifted else frozenset())


def split_path(source: str) -> tuple[str, tuple[Key, ...]] | None:
    """(root, keys) when the source is nothing but a path, else None."""
    found = _PATH.fullmatch(source)
    if found is None or found[1] in _WORDS:
        return None
    keys: list[Key] = []
    for key in _KEY.finditer(found[2]):
        if key["name"] is not None:
            keys.append(int(key["name"]) if _DIGITS.fullmatch(key["name"]) else key["name"])
        else:
            keys.append(key["quoted"] if key["index"] is None else int(key["index"]))
    return found[1], tuple(keys)


def path_of(root: str, keys: tuple[Key, ...], dialect: Dialect) -> Path:
    """The path, old names resolved. Raises UnknownNameError when the root is no name or the place no step's."""
    shown = shown_path(root, keys)
    old = _OLD_NAME.fullmatch(root)
    if old is not None:
        return _counted(int(old[1]), keys, dialect, shown)
    if root not in ROOTS:
        raise UnknownNameError(
            f"There is nothing named “{root[:80]}” here.",
            fix=closest(root, list(ROOTS)) or f"An expression can read {', '.join(ROOTS)}.",
            facts={"name": root},
        )
    if root == "steps" and keys and isinstance(keys[0], int):
        return Path("steps", (_at(keys[0], dialect, shown), *keys[1:]), shown)
    return Path(root, keys, shown)


def _counted(number: int, keys: tuple[Key, ...], dialect: Dialect, shown: str) -> Path:
    if not dialect.trigger_offset or dialect.has_data is False:
        return Path("steps", (_at(number - 1, dialect, shown), *keys), shown)
    if number == 1:
        shifted = Path("trigger", keys[1:] if keys[:1] == ("output",) else keys, shown)
    else:
        shifted = Path("steps", (_at(number - 2, dialect, shown), *keys), shown)
    if dialect.has_data or number - 1 == len(dialect.ordinals):
        return shifted  # the last is only ever meant with trigger data; without, it would name no step
    return Path("steps", (_at(number - 1, dialect, shown), *keys), shown, shifted)


def _at(index: int, dialect: Dialect, shown: str) -> StepId:
    if 0 <= index < len(dialect.ordinals):
        return dialect.ordinals[index]
    count = len(dialect.ordinals)
    raise UnknownNameError(
        f"{shown} names no step: the plan has {count} step{'' if count == 1 else 's'} to count.",
        fix="Refer to the step by its id: {{ steps.<id>.output }}.",
    )


def shown_path(root: str, keys: Sequence[Key]) -> str:
    return root + "".join(f"[{key}]" if isinstance(key, int) or not key.isidentifier() else f".{key}" for key in keys)


def reader(path: Path) -> Read:
    """A function that reads the path from a scope, 0.2 us a call; raises MissingValueError naming path and place.

    On the way deferred values are opened; what the path leads to is left as it is, maybe deferred.
    """
    if path.shifted is not None:
        plain, shifted = reader(_unshifted(path)), reader(path.shifted)
        return lambda scope: plain(scope) if scope.trigger is None else shifted(scope)
    if path.root == "steps" and len(path.keys) >= 2 and path.keys[1] == "output":
        return _output_reader(path)
    if path.root in ("trigger", "vars", "run"):
        return _member_reader(path)
    if path.root == "item":
        return _item_reader(path)
    return lambda scope: walk(path, scope)


def _unshifted(path: Path) -> Path:
    return Path(path.root, path.keys, path.shown)


def _output_reader(path: Path) -> Read:
    step_id, keys = path.keys[0], path.keys[2:]

    def read(scope: Scope) -> Json:
        try:
            value: Any = scope.steps[step_id].output  # type: ignore[index]
            for key in keys:
                value = value[key]
        except (KeyError, IndexError, TypeError):
            return walk(path, scope)
        return value  # type: ignore[no-any-return]

    return read


def _member_reader(path: Path) -> Read:
    root, keys = path.root, path.keys

    def read(scope: Scope) -> Json:
        try:
            value: Any = getattr(scope, root)
            for key in keys:
                value = value[key]
        except (KeyError, IndexError, TypeError):
            return walk(path, scope)
        return value  # type: ignore[no-any-return]

    return read


def _item_reader(path: Path) -> Read:
    keys = path.keys

    def read(scope: Scope) -> Json:
        if scope.index is None:
            return walk(path, scope)
        try:
            value: Any = scope.item
            for key in keys:
                value = value[key]
        except (KeyError, IndexError, TypeError):
            return walk(path, scope)
        return value  # type: ignore[no-any-return]

    return read


def walk(path: Path, scope: Scope) -> Json:
    """The path key by key: forgiving about how a key is written, exact about what is missing."""
    if path.shifted is not None:
        return walk(_unshifted(path) if scope.trigger is None else path.shifted, scope)
    value, taken = _root_value(path, scope)
    for position in range(taken, len(path.keys)):
        value = opened(value)
        try:
            value = child(value, path.keys[position])
        except LookupError:
            shown = shown_path(path.root, path.keys[:position])
            raise missing(path.shown, path.keys[position], shown, value) from None
    return value


def _root_value(path: Path, scope: Scope) -> tuple[Json, int]:
    """The value a path starts from, and how many of its keys are used up."""
    if path.root in ("item", "index") and scope.index is None:
        raise MissingValueError(f"{path.shown} has no value here: “{path.root}” exists inside a loop only.")
    if path.root != "steps":
        value = getattr(scope, path.root)
        return (dict(value) if path.root in ("vars", "run", "loops") and not path.keys else value), 0
    if not path.keys:
        return {step_id: view.as_json() for step_id, view in scope.steps.items()}, 0
    step_id = str(path.keys[0])
    try:
        view: StepView = scope.steps[step_id]
    except KeyError:
        raise MissingValueError(
            f"{path.shown} has no value: the step “{step_id}” has no result here.",
            fix="It must come before this step on the same branch, or in a loop around it.",
            facts={"path": path.shown},
        ) from None
    if len(path.keys) == 1:
        return view.as_json(), 1
    name = path.keys[1]
    if name not in STEP_FIELDS:
        raise missing(path.shown, name, f"steps.{step_id}", dict.fromkeys(STEP_FIELDS))
    return getattr(view, str(name)), 2


def child(value: Any, key: Any) -> Any:
    """A member of a JSON value; keys and indexes only, never an attribute. Raises LookupError."""
    if isinstance(value, dict):
        if key in value:
            return value[key]
        if isinstance(key, int) and str(key) in value:
            return value[str(key)]
    elif isinstance(value, list | tuple | str):
        if isinstance(key, str) and _INDEX.fullmatch(key):
            key = int(key)
        if isinstance(key, int) and not isinstance(key, bool):
            return value[key]
    elif isinstance(value, Deferred):
        return child(value.load(), key)
    elif hasattr(value, "keys"):
        return value[key]  # vars, run and loops may be any mapping
    raise LookupError(key)


def missing(shown: str, key: Key, place: str, value: Any) -> MissingValueError:
    """A path that leads to nothing: what is there instead. Keys are named, values never."""
    return MissingValueError(
        f"{shown} has no value: {place} {_contents(value)}.",
        fix=_nearest(key, value) or "Correct the path, or give a default: {{ … | default('') }}.",
        facts={"path": shown},
    )


def _contents(value: Any) -> str:
    if value is None:
        return "is empty (null)"
    if isinstance(value, list | tuple):
        return f"is a list of {len(value)}"
    if isinstance(value, str):
        return "is a text"
    if not hasattr(value, "keys"):
        return "is true or false" if isinstance(value, bool) else "is a number"
    names = [str(name)[:40] for name in list(value)[:9]]
    if not names:
        return "is an empty object"
    return f"has {', '.join(names[:8])}{' …' if len(names) > 8 else ''}"


def _nearest(key: Key, value: Any) -> str:
    is_named = isinstance(key, str) and isinstance(value, dict) and len(value) <= 500
    return closest(str(key), [str(name) for name in value]) if is_named else ""
