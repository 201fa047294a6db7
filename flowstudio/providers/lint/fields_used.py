"""Every field of a request's action goes into the request, and what the path needs is required."""

from collections.abc import Iterator, Sequence

from flowstudio.plan.model import Json
from flowstudio.providers.lint.problem import LintProblem
from flowstudio.providers.manifest import Action, Manifest
from flowstudio.providers.template import is_empty, placeholders

RULE = "fields_used"


def check(manifests: Sequence[Manifest]) -> Iterator[LintProblem]:
    for manifest in manifests:
        credential = {field.name for field in manifest.auth.fields}
        for action in manifest.actions:
            if action.request is None:
                continue
            used, in_path = _names(action), {name for name, _ in placeholders(action.request.path)}
            for field in action.fields:
                key = f"actions.{action.id}.fields.{field.name}"
                if field.name not in used:
                    yield LintProblem(manifest.id, key, "The request does not use this field.", RULE)
                if field.name in in_path - credential and not field.required and is_empty(field.default):
                    yield LintProblem(manifest.id, key, "The path needs this field, so it has to be required.", RULE)
            yield from _case_clashes(manifest, action)


def _names(action: Action) -> set[str]:
    request = action.request
    assert request is not None
    parts: list[Json] = [request.method, request.path, dict(request.query), dict(request.headers), request.body]
    parts.append(action.idempotency_header)
    return {name for name, _ in placeholders(parts)}


def _case_clashes(manifest: Manifest, action: Action) -> Iterator[LintProblem]:
    """People confuse fields whose titles look the same."""
    titles = [field.title.lower() for field in action.fields]
    for title in sorted({title for title in titles if titles.count(title) > 1}):
        yield LintProblem(manifest.id, f"actions.{action.id}.fields", f"Two fields have the title “{title}”.", RULE)
