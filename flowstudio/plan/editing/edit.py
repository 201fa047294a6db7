"""Edit: one change of a plan as a value, with its JSON form; and the cuts and splices all edits are made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

from flowstudio.plan.changes import Change
from flowstudio.plan.errors import BadEditError, DocumentError, NoSuchPartError
from flowstudio.plan.model import Json, Plan, Step, StepId

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
P = TypeVar("P", Plan, Step)


@dataclass(frozen=True, slots=True)
class Edited:
    """The plan after an edit, the edit that takes it back exactly, and what changed."""

    plan: Plan
    inverse: "Edit"
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Codec:
    """How a field of one type goes to JSON and back. read(value, where) raises DocumentError."""

    write: Callable[[Any], Json]
    read: Callable[[Any, str], Any]


class Edit(ABC):
    """A change of a plan. name: its name in the journal, stable for ever."""

    __slots__ = ()
    name: ClassVar[str]
    codecs: ClassVar[Mapping[str, Codec]]

    @property
    @abstractmethod
    def text(self) -> str:
        """What the undo menu calls it: "Move 3 steps"."""

    @abstractmethod
    def apply(self, plan: Plan) -> Edited:
        """Raises PlanError; the plan given is never touched."""

    def merge_with(self, following: "Edit") -> "Edit | None":
        """One edit that does both, when they are one gesture (typing, dragging); else None."""
        return None

    def as_json(self) -> dict[str, Json]:
        document: dict[str, Json] = {"edit": self.name}
        for each in fields(self):  # type: ignore[arg-type]  # every concrete edit is a dataclass
            document[each.name] = self.codecs[each.name].write(getattr(self, each.name))
        return document


def read_edit(kinds: Mapping[str, type[Edit]], document: object) -> Edit:
    """The edit a document describes. Raises BadEditError naming what is wrong."""
    if not isinstance(document, Mapping):
        raise BadEditError("An edit must be a JSON object.")
    kind = kinds.get(str(document.get("edit")))
    if kind is None:
        raise BadEditError(f"There is no edit named “{document.get('edit')}”.")
    values = {}
    for each in fields(kind):  # type: ignore[arg-type]
        if each.name in document:
            try:
                values[each.name] = kind.codecs[each.name].read(document[each.name], f"{kind.name}.{each.name}")
            except DocumentError as error:
                raise BadEditError(error.sentence) from error
    try:
        return kind(**values)
    except TypeError as error:
        raise BadEditError(f"The edit “{kind.name}” is incomplete.") from error


def with_field(value: P, field: str, new: Any) -> P:
    """A copy of a plan or a step with one field, named at run time, set."""
    return replace(value, **{field: new})


def step_index(plan: Plan, step_id: StepId) -> int:
    for index, step in enumerate(plan.steps):
        if step.id == step_id:
            return index
    raise NoSuchPartError("step", step_id)


def replaced(parts: tuple[T, ...], index: int, part: T) -> tuple[T, ...]:
    return (*parts[:index], part, *parts[index + 1 :])


def put_back(parts: tuple[T, ...], places: Iterable[tuple[int, T]]) -> tuple[T, ...]:
    """Inserts each part so that it ends at its index; places in ascending order of index."""
    result: list[T] = []
    rest = iter(parts)
    for index, part in places:
        while len(result) < index:
            try:
                result.append(next(rest))
            except StopIteration:
                break
        result.append(part)
    result.extend(rest)
    return tuple(result)


def take_out(
    parts: tuple[T, ...], keys: Iterable[K], what: str, key_of: Callable[[T], K]
) -> tuple[tuple[T, ...], tuple[tuple[int, T], ...]]:
    """(what stays, what leaves with its index); put_back joins them again. Raises NoSuchPartError for a strange key."""
    wanted = set(keys)
    if not wanted:
        return parts, ()
    gone = tuple((index, part) for index, part in enumerate(parts) if key_of(part) in wanted)
    missing = wanted - {key_of(part) for _, part in gone}
    if missing:
        raise NoSuchPartError(what, str(min(missing, key=str)))
    places = {index for index, _ in gone}
    return tuple(part for index, part in enumerate(parts) if index not in places), gone
