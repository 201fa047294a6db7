"""Credential fields that sound secret are secret, so that vault, window and messages hide them."""

import re
from collections.abc import Iterator, Sequence

from flowstudio.providers.lint.problem import LintProblem
from flowstudio.providers.manifest import Manifest

RULE = "secrets_secret"

_SOUNDS_SECRET = re.compile(r"(^|_)(token|password|secret|private_key|api_key|key|webhook_url|dsn)$")


def check(manifests: Sequence[Manifest]) -> Iterator[LintProblem]:
    for manifest in manifests:
        for field in manifest.auth.fields:
            if not field.secret and _SOUNDS_SECRET.search(field.name):
                key = f"auth.fields.{field.name}"
                yield LintProblem(manifest.id, key, "This sounds like a secret but is not marked as one.", RULE)
