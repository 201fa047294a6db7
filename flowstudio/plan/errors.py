"""Why a plan, or a change to one, is not legal.

PlanError                    plan.error            (flowstudio.errors.FlowStudioError)
├── CycleError               plan.cycle            steps would feed themselves
├── DanglingEdgeError        plan.dangling_edge    an edge names a step that does not exist
├── UnknownPortError         plan.unknown_port     a step has no such way out
├── BorderError              plan.border           an edge would cross the border of a loop
├── BodyError                plan.body             a loop's body edge would leave its own body
├── DuplicateEdgeError       plan.duplicate_edge
├── DuplicateIdError         plan.duplicate_id
├── BadIdError               plan.bad_id
├── NoSuchPartError          plan.no_part          a step, edge, note, frame or trigger that is not there
├── ParentError              plan.parent           a step cannot live inside that other step
├── PinError                 plan.pin              an output cannot be pinned to that step
├── BadEditError             plan.bad_edit         an edit cannot be read or makes no sense
└── DocumentError            plan.document         a file is not a plan
"""

from collections.abc import Mapping, Sequence

from flowstudio.errors import FlowStudioError

_SHOWN = 6
"""Steps of a long cycle that are named; the rest is "…"."""


class PlanError(FlowStudioError):
    """The plan, or a change to it, is not legal."""

    code = "plan.error"


class CycleError(PlanError):
    """An edge lets a step feed itself. path: step titles in order, the first repeated last."""

    code = "plan.cycle"

    def __init__(self, path: Sequence[str]) -> None:
        names = [f"“{label}”" for label in path]
        shown = names if len(names) <= _SHOWN + 1 else [*names[:_SHOWN], "…", names[-1]]
        super().__init__(
            f"These connections make a circle: {' → '.join(shown)}.",
            fix="Remove one of them; to repeat steps use a loop step.",
        )
        self.path = tuple(path)


class DanglingEdgeError(PlanError):
    code = "plan.dangling_edge"

    def __init__(self, source: str, port: str, target: str, missing: str) -> None:
        super().__init__(
            f"The connection {source}.{port} → {target} names the step “{missing}”, which does not exist.",
            fix="Remove the connection or add the step.",
            facts={"missing": missing},
        )


class UnknownPortError(PlanError):
    code = "plan.unknown_port"

    def __init__(self, label: str, port: str, ports: Sequence[str]) -> None:
        known = f"It leaves by {', '.join(ports)}." if ports else "Nothing can follow it."
        super().__init__(f"“{label}” has no way out named “{port}”.", fix=known, facts={"port": port})


class BorderError(PlanError):
    code = "plan.border"

    def __init__(self, source: str, target: str) -> None:
        super().__init__(
            f"The connection from “{source}” to “{target}” would cross the border of a loop.",
            fix="Connect steps of the same loop, or continue from the loop's “Done” port.",
        )


class BodyError(PlanError):
    code = "plan.body"

    def __init__(self, loop: str, target: str) -> None:
        super().__init__(
            f"“{loop}” runs its own body for each item, and “{target}” is not inside it.",
            fix=f"Move “{target}” into the loop, or connect it to “Done”.",
        )


class DuplicateEdgeError(PlanError):
    code = "plan.duplicate_edge"

    def __init__(self, source: str, target: str) -> None:
        super().__init__(f"“{source}” and “{target}” are connected this way already.")


class DuplicateIdError(PlanError):
    code = "plan.duplicate_id"

    def __init__(self, what: str, part_id: str) -> None:
        super().__init__(f"There are two {what}s with the id “{part_id}”.", fix="Give one of them another id.")


class BadIdError(PlanError):
    code = "plan.bad_id"

    def __init__(self, step_id: str) -> None:
        super().__init__(
            f"“{step_id[:80]}” cannot be the id of a step.",
            fix="An id starts with a small letter and holds small letters, digits and _ only.",
        )


class NoSuchPartError(PlanError):
    """what: "step", "connection", "note", "frame", "trigger", "variable" or "parameter"."""

    code = "plan.no_part"

    def __init__(self, what: str, part_id: str) -> None:
        super().__init__(f"The plan has no {what} “{part_id}”.", fix="It may have been removed meanwhile.")


class ParentError(PlanError):
    code = "plan.parent"

    def __init__(self, label: str, parent: str, reason: str) -> None:
        super().__init__(f"“{label}” cannot be inside “{parent}”: {reason}.")


class PinError(PlanError):
    code = "plan.pin"


class BadEditError(PlanError):
    code = "plan.bad_edit"


class DocumentError(PlanError):
    """A document is not a plan. where: the place inside it, e.g. "steps[2].retry.tries".

    line, column count from 1 and are 0 when the fault is not one of JSON itself.
    """

    code = "plan.document"

    def __init__(self, sentence: str, *, fix: str = "", where: str = "", line: int = 0, column: int = 0) -> None:
        facts: Mapping[str, object] = {"where": where, "line": line, "column": column}
        super().__init__(sentence, fix=fix, facts={name: value for name, value in facts.items() if value})
        self.where = where
        self.line = line
        self.column = column
