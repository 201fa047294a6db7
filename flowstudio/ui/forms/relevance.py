"""Which fields of the language's own steps matter with the values the others have. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from flowstudio.plan.model import Step, StepKind
from flowstudio.providers.manifest import Choice, Field

KEEP: Final[Mapping[str, frozenset[str]]] = {
    "combine_by_key": frozenset({"all", "matched"}),
    "combine_by_position": frozenset({"longest", "shortest"}),
}
"""What each mode of a merge can keep; the other modes keep nothing of that kind."""


def matters(step: Step, field: Field) -> bool:
    """Whether the step heeds the field now; a mode that an expression gives may be any."""
    mode = _mode(step)
    if step.kind is not StepKind.MERGE or field.name not in ("key", "keep") or "{{" in mode:
        return True
    return mode == "combine_by_key" or (field.name == "keep" and mode in KEEP)


def choices_now(step: Step, field: Field) -> Sequence[Choice]:
    """Those of the field's choices that mean something now; without the words that tell when they do."""
    mode = _mode(step)
    if step.kind is not StepKind.MERGE or field.name != "keep" or mode not in KEEP:
        return field.choices
    fitting = [choice for choice in field.choices if choice.value in KEEP[mode]]
    return [Choice(each.value, _plain(each.title)) for each in fitting]


def _mode(step: Step) -> str:
    return str(step.params.get("mode") or "all")


def _plain(title: str) -> str:
    """ "By key: all rows" -> "All rows"."""
    said = title.partition(": ")[2] or title
    return said[:1].upper() + said[1:]
