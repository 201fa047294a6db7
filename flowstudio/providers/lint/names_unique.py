"""No two providers answer to the same name."""

from collections.abc import Iterator, Sequence

from flowstudio.providers.lint.problem import LintProblem
from flowstudio.providers.manifest import Manifest

RULE = "names_unique"


def check(manifests: Sequence[Manifest]) -> Iterator[LintProblem]:
    owners: dict[str, str] = {}
    for manifest in manifests:
        for name in (manifest.id, *manifest.aliases):
            owner = owners.setdefault(name, manifest.id)
            if owner != manifest.id:
                yield LintProblem(manifest.id, "aliases", f"“{name}” already leads to {owner}.", RULE)
        repeated = len({manifest.id, *manifest.aliases}) <= len(manifest.aliases)
        if repeated:
            yield LintProblem(manifest.id, "aliases", "A name stands here twice.", RULE)
