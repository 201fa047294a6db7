"""A field's default is a value of its kind, and a choice has choices."""

from collections.abc import Iterator, Sequence

from flowstudio.providers.fields import Unfit, coerce
from flowstudio.providers.lint.problem import LintProblem
from flowstudio.providers.manifest import FieldKind, Manifest
from flowstudio.providers.template import is_empty

RULE = "default_fits"


def check(manifests: Sequence[Manifest]) -> Iterator[LintProblem]:
    for manifest in manifests:
        for action in manifest.actions:
            for field in action.fields:
                key = f"actions.{action.id}.fields.{field.name}"
                if (field.kind is FieldKind.CHOICE) != bool(field.choices):
                    yield LintProblem(manifest.id, key, "A choice field has choices, no other field has.", RULE)
                if is_empty(field.default):
                    continue
                try:
                    fits = coerce(field, field.default) == field.default
                except Unfit as unfit:
                    yield LintProblem(manifest.id, key, f"The default has to be {unfit}.", RULE)
                else:
                    if not fits:
                        yield LintProblem(manifest.id, key, f"The default is no {field.kind} as it is written.", RULE)
