"""Edits of triggers, notes and frames: parts that are added, replaced and removed by id, all in the same way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from flowstudio.plan.changes import Change, FrameChanged, NoteChanged, PlanChanged
from flowstudio.plan.editing import codecs
from flowstudio.plan.editing.edit import Codec, Edit, Edited, put_back, replaced, with_field
from flowstudio.plan.errors import BadEditError, DuplicateIdError, NoSuchPartError
from flowstudio.plan.model import Frame, Note, Plan, Trigger

Part: TypeAlias = Trigger | Note | Frame


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where parts of one sort stand in a plan. field: the plan's field; change(id, part now or None)."""

    field: str
    what: str
    sort: type[Part]
    change: Callable[[str, Part | None], Change]

    def parts(self, plan: Plan) -> tuple[Part, ...]:
        parts: tuple[Part, ...] = getattr(plan, self.field)
        return parts

    def index(self, plan: Plan, part_id: str) -> int:
        for index, part in enumerate(self.parts(plan)):
            if part.id == part_id:
                return index
        raise NoSuchPartError(self.what, part_id)

    def with_parts(self, plan: Plan, parts: tuple[Part, ...]) -> Plan:
        return with_field(plan, self.field, parts)


def _note_changed(part_id: str, part: Part | None) -> Change:
    assert part is None or isinstance(part, Note)
    return NoteChanged(part_id, part)


def _frame_changed(part_id: str, part: Part | None) -> Change:
    assert part is None or isinstance(part, Frame)
    return FrameChanged(part_id, part)


_TRIGGERS = Shelf("triggers", "trigger", Trigger, lambda part_id, part: PlanChanged("triggers"))
_NOTES = Shelf("notes", "note", Note, _note_changed)
_FRAMES = Shelf("frames", "frame", Frame, _frame_changed)


@dataclass(frozen=True, slots=True)
class PartEdit(Edit):
    """An edit of one sort of part; the concrete ones say which shelf."""

    shelf: ClassVar[Shelf]
    verb: ClassVar[str]

    @property
    def text(self) -> str:
        return f"{self.verb} {self.shelf.what}"


@dataclass(frozen=True, slots=True)
class AddPart(PartEdit):
    """index: place among its equals, the end for None."""

    verb: ClassVar[str] = "Add"
    part: Part
    index: int | None = None

    def __post_init__(self) -> None:
        _check_sort(self.part, self.shelf)

    def apply(self, plan: Plan) -> Edited:
        parts = self.shelf.parts(plan)
        if any(part.id == self.part.id for part in parts):
            raise DuplicateIdError(self.shelf.what, self.part.id)
        after = put_back(parts, [(len(parts) if self.index is None else self.index, self.part)])
        inverse = _REMOVERS[self.shelf.field](self.part.id)
        return Edited(self.shelf.with_parts(plan, after), inverse, (self.shelf.change(self.part.id, self.part),))


@dataclass(frozen=True, slots=True)
class SetPart(PartEdit):
    """Replaces the part of the same id."""

    verb: ClassVar[str] = "Change"
    part: Part

    def __post_init__(self) -> None:
        _check_sort(self.part, self.shelf)

    def apply(self, plan: Plan) -> Edited:
        index = self.shelf.index(plan, self.part.id)
        parts = self.shelf.parts(plan)
        after = self.shelf.with_parts(plan, replaced(parts, index, self.part))
        return Edited(after, type(self)(parts[index]), (self.shelf.change(self.part.id, self.part),))

    def merge_with(self, following: Edit) -> Edit | None:
        is_same = type(following) is type(self) and isinstance(following, SetPart) and following.part.id == self.part.id
        return following if is_same else None


@dataclass(frozen=True, slots=True)
class RemovePart(PartEdit):
    verb: ClassVar[str] = "Remove"
    codecs: ClassVar[Mapping[str, Codec]] = {"part_id": codecs.TEXT}
    part_id: str

    def apply(self, plan: Plan) -> Edited:
        index = self.shelf.index(plan, self.part_id)
        parts = self.shelf.parts(plan)
        after = self.shelf.with_parts(plan, parts[:index] + parts[index + 1 :])
        inverse = _ADDERS[self.shelf.field](parts[index], index)
        return Edited(after, inverse, (self.shelf.change(self.part_id, None),))


def _check_sort(part: Part, shelf: Shelf) -> None:
    if not isinstance(part, shelf.sort):
        raise BadEditError(f"A {type(part).__name__.lower()} is no {shelf.what}.")


class AddTrigger(AddPart):
    __slots__ = ()
    name = "add_trigger"
    shelf = _TRIGGERS
    codecs: ClassVar[Mapping[str, Codec]] = {"part": codecs.TRIGGER, "index": codecs.optional(codecs.INDEX)}


class SetTrigger(SetPart):
    __slots__ = ()
    name = "set_trigger"
    shelf = _TRIGGERS
    codecs: ClassVar[Mapping[str, Codec]] = {"part": codecs.TRIGGER}


class RemoveTrigger(RemovePart):
    __slots__ = ()
    name = "remove_trigger"
    shelf = _TRIGGERS


class AddNote(AddPart):
    __slots__ = ()
    name = "add_note"
    shelf = _NOTES
    codecs: ClassVar[Mapping[str, Codec]] = {"part": codecs.NOTE, "index": codecs.optional(codecs.INDEX)}


class SetNote(SetPart):
    __slots__ = ()
    name = "set_note"
    shelf = _NOTES
    codecs: ClassVar[Mapping[str, Codec]] = {"part": codecs.NOTE}


class RemoveNote(RemovePart):
    __slots__ = ()
    name = "remove_note"
    shelf = _NOTES


class AddFrame(AddPart):
    __slots__ = ()
    name = "add_frame"
    shelf = _FRAMES
    codecs: ClassVar[Mapping[str, Codec]] = {"part": codecs.FRAME, "index": codecs.optional(codecs.INDEX)}


class SetFrame(SetPart):
    __slots__ = ()
    name = "set_frame"
    shelf = _FRAMES
    codecs: ClassVar[Mapping[str, Codec]] = {"part": codecs.FRAME}


class RemoveFrame(RemovePart):
    __slots__ = ()
    name = "remove_frame"
    shelf = _FRAMES


_ADDERS: Mapping[str, type[AddPart]] = {"triggers": AddTrigger, "notes": AddNote, "frames": AddFrame}
_REMOVERS: Mapping[str, type[RemovePart]] = {"triggers": RemoveTrigger, "notes": RemoveNote, "frames": RemoveFrame}
