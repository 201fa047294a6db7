from importlib.resources import files

import pytest

from flowstudio.providers.coded.table import CODED
from flowstudio.providers.loader import load_catalog

OURS = {provider for provider, _ in CODED}
MANIFESTS, PROBLEMS = load_catalog(files("flowstudio.providers") / "catalog")


def test_the_manifests_of_coded_providers_have_no_fault() -> None:
    assert not [problem for problem in PROBLEMS if problem.file.removesuffix(".yaml") in OURS]


def test_every_coded_action_is_described_by_a_manifest() -> None:
    described = {(manifest.id, action.id) for manifest in MANIFESTS for action in manifest.actions}
    assert set(CODED) <= described


@pytest.mark.parametrize("manifest", [each for each in MANIFESTS if each.id in OURS], ids=lambda each: each.id)
def test_every_action_of_a_coded_provider_without_a_request_has_code(manifest) -> None:
    missing = [
        action.id for action in manifest.actions if action.request is None and (manifest.id, action.id) not in CODED
    ]
    assert not missing
