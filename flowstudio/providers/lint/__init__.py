"""Rules a manifest should keep beyond being loadable, one module each: `rule.check(manifests)` yields problems."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from flowstudio.providers.lint import (
    auth_fields,
    default_fits,
    fields_used,
    names_unique,
    secrets_secret,
    sources_named,
)
from flowstudio.providers.lint.problem import LintProblem
from flowstudio.providers.manifest import Manifest

__all__ = ["LintProblem", "check"]

Rule = Callable[[Sequence[Manifest]], Iterator[LintProblem]]

_RULES: Final[tuple[Rule, ...]] = (
    auth_fields.check,
    default_fits.check,
    fields_used.check,
    names_unique.check,
    secrets_secret.check,
    sources_named.check,
)


def check(manifests: Iterable[Manifest]) -> list[LintProblem]:
    """Everything every rule finds."""
    given = list(manifests)
    return [problem for rule in _RULES for problem in rule(given)]
