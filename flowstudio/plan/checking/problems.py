"""What check_plan reports, and what it needs to know about actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from flowstudio.plan.model import StepId


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


class ActionTable(Protocol):
    """Which actions exist; the providers' registry is one."""

    def find(self, provider: str, action: str) -> ActionInfo | None: ...

    def suggest(self, provider: str, action: str) -> str:
        """A sentence such as "Did you mean slack.post_message?", or ""."""
        ...
