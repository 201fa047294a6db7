"""An auth scheme has the credential fields it works with."""

from collections.abc import Iterator, Sequence

from flowstudio.plan.model import Json
from flowstudio.providers.lint.problem import LintProblem
from flowstudio.providers.manifest import AuthKind, Manifest
from flowstudio.providers.template import placeholders

RULE = "auth_fields"


def check(manifests: Sequence[Manifest]) -> Iterator[LintProblem]:
    for manifest in manifests:
        names = [field.name for field in manifest.auth.fields]
        kind = manifest.auth.kind
        if kind is AuthKind.NONE and names:
            yield LintProblem(manifest.id, "auth.kind", "Without a kind the credential fields go nowhere.", RULE)
        if kind in (AuthKind.BEARER, AuthKind.HEADER, AuthKind.QUERY) and not names:
            yield LintProblem(manifest.id, "auth.fields", f"{kind} needs a field that holds the secret.", RULE)
        if kind is AuthKind.BASIC and not {"username", "password"} <= set(names):
            yield LintProblem(manifest.id, "auth.fields", "basic needs the fields username and password.", RULE)
        if kind is AuthKind.URL_SECRET:
            used = _used_in_addresses(manifest)
            for name in names:
                if name not in used:
                    yield LintProblem(manifest.id, f"auth.fields.{name}", "This field is in no address.", RULE)


def _used_in_addresses(manifest: Manifest) -> set[str]:
    texts: list[Json] = [manifest.base_url]
    texts += [action.request.path for action in manifest.actions if action.request]
    return {name for name, _ in placeholders(texts)}
