"""A vendor's manifest says where its facts come from and where its documentation is."""

from collections.abc import Iterator, Sequence

from flowstudio.providers.lint.problem import LintProblem
from flowstudio.providers.manifest import Manifest

RULE = "sources_named"


def check(manifests: Sequence[Manifest]) -> Iterator[LintProblem]:
    for manifest in manifests:
        if not manifest.description:
            yield LintProblem(manifest.id, "description", "One sentence for the palette is missing.", RULE)
        if not any(action.request for action in manifest.actions):
            continue
        if not manifest.source:
            yield LintProblem(manifest.id, "source", "Say where the facts come from, and when.", RULE)
        if manifest.base_url and not manifest.docs.startswith("https://"):
            yield LintProblem(manifest.id, "docs", "The vendor's documentation has to be an https address.", RULE)
