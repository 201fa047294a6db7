"""Providers are found by id, alias and search."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flowstudio.providers.manifest import Manifest
from flowstudio.providers.registry import Registry

LEGACY = Path(__file__).parents[3] / "shared" / "legacy" / "catalog.json"


def test_an_action_is_found_by_id_and_alias(registry: Registry) -> None:
    found = registry.find("github", "create_issue")
    assert found is not None
    assert registry.find("github", "issue") is found
    assert registry.find("github", "nothing") is None
    assert registry.find("nothing", "create_issue") is None


def test_an_alias_of_a_provider_finds_its_actions(catalog: list[Manifest]) -> None:
    slack = next(manifest for manifest in catalog if manifest.id == "slack")
    registry = Registry([replace(slack, aliases=("team_chat",))])
    assert registry.provider("team_chat") is registry.provider("slack")
    assert registry.find("team_chat", "post_message") is not None


@pytest.mark.parametrize(
    ("provider", "action", "expected"),
    [
        ("slak", "post_message", "Did you mean slack.post_message?"),
        ("slack", "post_mesage", "Did you mean slack.post_message?"),
        ("githb", "isue", "Did you mean github.create_issue?"),
        ("zzzzzz", "post", ""),
    ],
)
def test_a_wrong_name_suggests_the_right_one(registry: Registry, provider: str, action: str, expected: str) -> None:
    assert registry.suggest(provider, action) == expected


@pytest.mark.parametrize(
    ("text", "first"),
    [("slack post", "slack.post_message"), ("create issue", "github.create_issue"), ("repeat each", "flow.loop")],
)
def test_search_puts_the_best_first(registry: Registry, text: str, first: str) -> None:
    hit = registry.search(text)[0]
    assert f"{hit.manifest.id}.{hit.action.id}" == first


def test_search_needs_every_word(registry: Registry) -> None:
    assert registry.search("slack xylophone") == []
    assert len(registry.search("", limit=7)) == 7


def test_a_second_provider_of_an_id_is_a_problem(catalog: list[Manifest]) -> None:
    registry = Registry([catalog[0], replace(catalog[0], title="Other")])
    assert registry.manifests == (catalog[0],)
    assert f"the id “{catalog[0].id}”" in registry.problems[0].sentence


def test_a_custom_provider_hides_no_built_in_one(registry: Registry, catalog: list[Manifest]) -> None:
    own = replace(catalog[0], id="custom_7", title="Mine", aliases=("slack", "mine"))
    with_own = registry.with_custom([own])
    assert with_own.provider("slack") is registry.provider("slack")
    assert with_own.provider("mine") is own
    assert registry.provider("mine") is None


@pytest.mark.skipif(not LEGACY.exists(), reason="the legacy catalogue is not on this machine")
def test_legacy_names_and_params_hold(registry: Registry) -> None:
    for legacy in json.loads(LEGACY.read_text()):
        if registry.provider(legacy["provider"]) is None:
            continue
        for action in legacy["actions"]:
            found = registry.find(legacy["provider"], action["id"])
            assert found is not None, (legacy["provider"], action["id"])
            assert set(action["params"]) <= {field.name for field in found.fields}
        for alias in legacy["client_action_ids"]:
            assert registry.find(legacy["provider"], alias) is not None, (legacy["provider"], alias)
