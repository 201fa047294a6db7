"""Every action of the catalogue sends what the vendor's documentation asks for: golden/<provider>.yaml."""

import email
import email.policy
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
import qtawesome
import yaml

from flowstudio.plan.model import KEYWORDS
from flowstudio.providers import lint
from flowstudio.providers.coded.table import CODED
from flowstudio.providers.dispatch import Dispatcher
from flowstudio.providers.manifest import Manifest
from flowstudio.providers.network import full_url
from flowstudio.providers.ports import HttpCall
from flowstudio.providers.registry import Registry

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.yaml"))


def cases() -> list:
    found = []
    for file in GOLDEN:
        golden = yaml.safe_load(file.read_text(encoding="utf-8"))
        for number, case in enumerate(golden["cases"]):
            found.append(pytest.param(file.stem, golden, case, id=f"{file.stem}-{number}-{case['action']}"))
    return found


@pytest.mark.parametrize(("provider", "golden", "case"), cases())
def test_an_action_sends_its_golden_request(
    provider: str,
    golden: dict,
    case: dict,
    registry: Registry,
    call_of: Callable,
    credentials_of: Callable,
    recorder_of: Callable,
    tmp_path: Path,
) -> None:
    note = tmp_path / "note.txt"
    note.write_text("a note\n")
    params = {name: str(note) if value == "{file}" else value for name, value in case["params"].items()}
    name = golden.get("credential_name")
    stored = {(provider, name): golden["credential"]} if "credential" in golden else {}
    recorder = recorder_of()
    dispatcher = Dispatcher(lambda user: registry, credentials_of(stored), recorder, CODED)

    result = dispatcher.invoke(call_of(provider=provider, action=case["action"], params=params, credential=name))

    assert result.success, result.error
    [call] = recorder.calls
    assert f"{call.method} {full_url(call)}" == case["sends"]
    for header, value in {**golden.get("headers", {}), **case.get("headers", {})}.items():
        assert call.headers[header] == value
    assert_body(call, case)


def assert_body(call: HttpCall, case: dict) -> None:
    if "json" in case:
        assert call.headers["Content-Type"] == "application/json"
        assert json.loads(call.body or b"") == case["json"]
    elif "multipart" in case:
        assert parts_of(call) == case["multipart"]
    elif "text" in case:
        assert (call.body or b"").decode() == case["text"]
    else:
        assert call.body is None


def parts_of(call: HttpCall) -> dict:
    """name -> text, or name -> [file name, type, text]."""
    head = f"Content-Type: {call.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + (call.body or b""), policy=email.policy.HTTP)
    parts = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        text = part.get_payload(decode=True).decode()
        file = part.get_filename()
        parts[name] = [file, part.get_content_type(), text] if file else text
    return parts


def test_every_action_with_a_request_has_a_golden_one(catalog: list[Manifest], registry: Registry) -> None:
    proven = set()
    for file in GOLDEN:
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))["cases"]:
            action = registry.find(file.stem, case["action"])
            assert action is not None, case
            proven.add(f"{action.provider}.{action.id}")
    actions = {f"{each.provider}.{each.id}" for manifest in catalog for each in manifest.actions if each.request}
    assert actions - proven == set()


def test_every_action_without_a_request_is_code_or_a_keyword(catalog: list[Manifest]) -> None:
    without = {(each.provider, each.id) for manifest in catalog for each in manifest.actions if not each.request}
    assert without - set(CODED) - set(KEYWORDS) == set()
    assert set(CODED) - without == set()


def test_every_keyword_of_the_language_has_a_form(registry: Registry) -> None:
    assert [pair for pair in KEYWORDS if registry.find(*pair) is None] == []


def test_the_catalogue_keeps_the_rules(catalog: list[Manifest]) -> None:
    assert [str(problem) for problem in lint.check(catalog)] == []


def test_a_file_is_named_for_its_provider(catalog: list[Manifest]) -> None:
    names = {file.name for file in (files("flowstudio.providers") / "catalog").iterdir()}
    assert {name for name in names if name.endswith(".yaml")} == {f"{manifest.id}.yaml" for manifest in catalog}


def test_every_icon_exists(catalog: list[Manifest], qapp: object) -> None:
    icons = {
        icon for manifest in catalog for icon in (manifest.icon, *(each.icon for each in manifest.actions)) if icon
    }
    qtawesome.icon("fa5s.globe")
    charmap = qtawesome._resource["iconic"].charmap
    missing = [icon for icon in icons if icon.partition(".")[2] not in charmap.get(icon.partition(".")[0], {})]
    assert missing == []
