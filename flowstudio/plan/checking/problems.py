"""What check_plan reports, and what it needs to know about actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from flowstudio.plan.errors import PlanError
from flowstudio.plan.model import Json, StepId


class Severity(StrEnum):
    """ERROR: the plan cannot run. WARNING: it can, but probably not as meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """step: where it is, None for the plan itself; field: name of the param or step field, None for the whole step."""

    step: StepId | None
    field: str | None
    sentence: str
    severity: Severity
    code: str

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR


class FieldInfo(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def required(self) -> bool: ...


class ActionInfo(Protocol):
    @property
    def provider(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def fields(self) -> Sequence[FieldInfo]: ...
    @property
    def effect(self) -> str: ...
    def effect_with(self, params: Mapping[str, Json]) -> str:
        """pure, read, write or costs, for a call with these params."""
        ...

    def idempotency_header_with(self, params: Mapping[str, Json]) -> str:
        """The header that makes a call with these params safe to repeat, "" when there is none."""
        ...


class ActionTable(Protocol):
    """Which actions exist; the providers' registry is one."""

    def find(self, provider: str, action: str) -> ActionInfo | None: ...

    def suggest(self, provider: str, action: str) -> str:
        """A sentence such as "Did you mean slack.post_message?", or ""."""
        ...


def from_error(fault: PlanError, step: StepId | None, field: str | None = None) -> Problem:
    return Problem(step, field, str(fault), Severity.ERROR, fault.code)


def error(step: StepId | None, field: str | None, sentence: str, code: str) -> Problem:
    return Problem(step, field, sentence, Severity.ERROR, code)


def warning(step: StepId | None, field: str | None, sentence: str, code: str) -> Problem:
    return Problem(step, field, sentence, Severity.WARNING, code)
