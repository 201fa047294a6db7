"""ProviderResult: what every action answers. Satisfies engine.ports.ActionResult by its shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flowstudio.plan.model import Json
from flowstudio.providers.errors import ProviderError


@dataclass(frozen=True, slots=True)
class ResultError:
    """A failure as data: ProviderError's code, sentence, fix and facts, and whether trying again can help."""

    code: str
    sentence: str
    fix: str = ""
    facts: Mapping[str, Json] = field(default_factory=dict)
    retryable: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """success decides; output is JSON; message is one line for the log; metadata holds status, request id, sizes."""

    success: bool
    output: Json = None
    message: str = ""
    metadata: Mapping[str, Json] = field(default_factory=dict)
    error: ResultError | None = None

    @classmethod
    def failed(cls, error: ProviderError, *, output: Json = None) -> "ProviderResult":
        facts = json_facts(error.facts)
        reason = ResultError(error.code, error.sentence, error.fix, facts, error.retryable, error.retry_after_s)
        return cls(success=False, output=output, message=error.sentence, error=reason)


def json_facts(facts: Mapping[str, object]) -> dict[str, Json]:
    """The facts fit for storage: scalars as they are, everything else as text."""
    return {
        key: value if value is None or isinstance(value, str | int | float | bool) else str(value)
        for key, value in facts.items()
    }
