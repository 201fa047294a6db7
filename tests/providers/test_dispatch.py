"""One call from params to result: looked up, checked, authorised, limited; secrets stay inside."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from flowstudio.errors import FlowStudioError
from flowstudio.providers.dispatch import Dispatcher
from flowstudio.providers.errors import BadParamError
from flowstudio.providers.manifest import Action, Category, Field, FieldKind, Manifest
from flowstudio.providers.network import Network
from flowstudio.providers.ports import ActionContext
from flowstudio.providers.registry import Registry
from flowstudio.providers.result import ProviderResult
from flowstudio.providers.runtime import read_uploads

TOKEN = "xoxb-very-secret"
POST = {"channel": "#a", "text": "hi"}


@pytest.fixture
def dispatcher_of(registry: Registry, credentials_of: Callable, recorder_of: Callable) -> Callable[..., Dispatcher]:
    def make(
        stored: dict | None = None, sender: object = None, coded: dict | None = None, **more: object
    ) -> Dispatcher:
        known = more.get("registry", registry)
        return Dispatcher(lambda user: known, credentials_of(stored or {}), sender or recorder_of(), coded or {})

    return make


def refused(result: ProviderResult, code: str) -> str:
    assert not result.success
    assert result.error is not None
    assert result.error.code == code
    return f"{result.error.sentence} {result.error.fix}"


def test_an_unknown_action_suggests_the_right_one(dispatcher_of: Callable, call_of: Callable) -> None:
    result = dispatcher_of().invoke(call_of(action="post_mesage"))
    text = refused(result, "provider.unknown_action")
    assert text == "Slack has no action “post_mesage”. Did you mean slack.post_message?"


def test_a_missing_credential_is_named_before_any_request(
    dispatcher_of: Callable, call_of: Callable, recorder_of: Callable
) -> None:
    sender = recorder_of()
    dispatcher = dispatcher_of(sender=sender)
    text = refused(dispatcher.invoke(call_of(params=POST)), "provider.credential_missing")
    assert text == "Slack needs a credential. Add it in the vault (Bot token)."
    text = refused(dispatcher.invoke(call_of(params=POST, credential="work")), "provider.credential_missing")
    assert text.startswith("Slack needs the credential “work”.")
    assert sender.calls == []


def test_a_credential_without_its_field_is_incomplete(dispatcher_of: Callable, call_of: Callable) -> None:
    dispatcher = dispatcher_of({("slack", None): {"bot_token": "", "other": "x", "more": "y"}})
    text = refused(dispatcher.invoke(call_of(params=POST)), "provider.credential_missing")
    assert "lacks “Bot token”" in text


def test_the_step_s_credential_is_the_one_used(
    dispatcher_of: Callable, call_of: Callable, recorder_of: Callable
) -> None:
    sender = recorder_of()
    stored = {("slack", None): {"bot_token": "default"}, ("slack", "work"): {"bot_token": "work-token"}}
    dispatcher_of(stored, sender).invoke(call_of(params=POST, credential="work"))
    assert sender.calls[0].headers["Authorization"] == "Bearer work-token"


def test_a_lone_value_of_the_old_service_is_the_secret(
    dispatcher_of: Callable, call_of: Callable, recorder_of: Callable
) -> None:
    sender = recorder_of()
    dispatcher_of({("slack", None): {"api_key": "old"}}, sender).invoke(call_of(params=POST))
    assert sender.calls[0].headers["Authorization"] == "Bearer old"


def test_a_generic_request_gets_no_credential_it_does_not_name(
    dispatcher_of: Callable, call_of: Callable, recorder_of: Callable
) -> None:
    sender = recorder_of()
    dispatcher = dispatcher_of({("http", None): {"token": TOKEN}}, sender)
    dispatcher.invoke(call_of(provider="http", action="get", params={"url": "https://anywhere.test"}))
    assert TOKEN not in str(sender.calls)


def test_a_bad_param_is_told_before_any_request(
    dispatcher_of: Callable, call_of: Callable, recorder_of: Callable
) -> None:
    sender = recorder_of()
    result = dispatcher_of(sender=sender).invoke(call_of(params={"channel": "#a"}))
    assert "Slack, “Post a message”: “Text” is missing." in refused(result, "provider.bad_param")
    assert sender.calls == []


def test_an_unknown_param_is_logged(dispatcher_of: Callable, call_of: Callable) -> None:
    call = call_of(params={**POST, "chanel": "x"})
    dispatcher_of({("slack", None): {"bot_token": TOKEN}}).invoke(call)
    [(level, text)] = call.logged
    assert level == "warning"
    assert "Did you mean “channel”?" in text


def test_a_fault_of_the_vault_is_a_result(registry: Registry, call_of: Callable, recorder_of: Callable) -> None:
    class Expired:
        def fields(self, *args: object) -> None:
            raise FlowStudioError("The credential has expired.", fix="Renew it.")

    result = Dispatcher(lambda user: registry, Expired(), recorder_of(), {}).invoke(call_of(params=POST))
    assert refused(result, "flowstudio.error") == "The credential has expired. Renew it."


def test_a_coded_action_gets_coerced_params(
    dispatcher_of: Callable, call_of: Callable, catalog: list[Manifest]
) -> None:
    slack = next(manifest for manifest in catalog if manifest.id == "slack")
    action = replace(slack.actions[3], request=None)
    seen: list[ActionContext] = []

    def code(context: ActionContext) -> ProviderResult:
        seen.append(context)
        return ProviderResult(True, 1)

    dispatcher = dispatcher_of(
        {("slack", None): {"bot_token": TOKEN}},
        coded={("slack", "list_channels"): code},
        registry=Registry([replace(slack, actions=(action,))]),
    )
    result = dispatcher.invoke(call_of(action="list_channels", params={"limit": "5"}, timeout_s=3.0))
    assert result.output == 1
    assert seen[0].params["limit"] == 5
    assert seen[0].credential == {"bot_token": TOKEN}
    assert (seen[0].limits.total_s, seen[0].limits.read_s) == (3.0, 3.0)


def test_a_keyword_cannot_be_called(dispatcher_of: Callable, call_of: Callable) -> None:
    result = dispatcher_of().invoke(call_of(provider="flow", action="merge"))
    assert "cannot be called by itself" in refused(result, "provider.unknown_action")


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_no_secret_leaves_a_failed_call(
    status: int,
    catalog: list[Manifest],
    network: Network,
    httpserver: HTTPServer,
    call_of: Callable,
    credentials_of: Callable,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A vendor that repeats the token in its error, in an address and in a header."""
    caplog.set_level(logging.DEBUG)
    token = "123:very-secret-token"
    body = {"ok": False, "description": f"bad token {token} at https://api.test/bot{token.replace(':', '%3A')}/x"}
    answer = {"status": status, "headers": {"X-Request-Id": token}}
    httpserver.expect_request(f"/bot{token}/sendMessage").respond_with_json(body, **answer)
    telegram = next(manifest for manifest in catalog if manifest.id == "telegram")
    local = Registry([replace(telegram, base_url=httpserver.url_for("/bot{bot_token}"))])
    dispatcher = Dispatcher(lambda user: local, credentials_of({("telegram", None): {"bot_token": token}}), network, {})

    call = call_of(provider="telegram", action="send_message", params={"chat_id": "1", "text": "x"})
    result = dispatcher.invoke(call)

    assert not result.success
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("werkzeug"))
    for shown in (repr(result), ours, json.dumps(call.logged)):
        assert "very-secret" not in shown
    assert result.error is not None
    assert "bad token ••••" in result.error.sentence


def test_a_real_call_goes_over_the_wire(
    catalog: list[Manifest], network: Network, httpserver: HTTPServer, call_of: Callable, credentials_of: Callable
) -> None:
    httpserver.expect_request(
        "/chat.postMessage", method="POST", json=POST, headers={"Authorization": f"Bearer {TOKEN}"}
    ).respond_with_json({"ok": True, "ts": "1.2"})
    slack = next(manifest for manifest in catalog if manifest.id == "slack")
    local = Registry([replace(slack, base_url=httpserver.url_for("").rstrip("/"))])
    dispatcher = Dispatcher(lambda user: local, credentials_of({("slack", None): {"bot_token": TOKEN}}), network, {})
    result = dispatcher.invoke(call_of(params=POST))
    assert result.success, result.error
    assert result.output == {"ok": True, "ts": "1.2"}
    assert result.metadata["status"] == 200


def test_a_sentence_that_quotes_a_novel_is_cut(dispatcher_of: Callable, call_of: Callable) -> None:
    def refuse(context: ActionContext) -> ProviderResult:
        raise BadParamError(f"“{'x' * 100_000}” is not possible here.")

    dispatcher = dispatcher_of(coded={("logic", "transform"): refuse})
    result = dispatcher.invoke(call_of(provider="logic", action="transform", params={"template": "x"}))
    assert len(refused(result, "provider.bad_param")) < 1100
    assert len(result.message) == 1000


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/dev/zero", "a device or a pipe"), ("/", "a folder"), ("/nowhere", "cannot be read"), ("big", "larger than")],
)
def test_what_is_no_file_to_upload_is_told_and_not_read(path: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 11)
    field = Field("file", "File", FieldKind.FILE)
    action = Action("http", "send", "Send", fields=(field,))
    manifest = Manifest("http", "HTTP", Category.HTTP, "ph.globe", actions=(action,))
    with pytest.raises(BadParamError, match=reason):
        read_uploads(manifest, action, {"file": str(tmp_path / path)}, max_bytes=10)


def test_no_secret_leaves_by_the_log_or_the_data_of_a_call(
    dispatcher_of: Callable, call_of: Callable, catalog: list[Manifest]
) -> None:
    slack = next(manifest for manifest in catalog if manifest.id == "slack")

    def echo(context: ActionContext) -> ProviderResult:
        context.log("info", f"I was given {TOKEN}.")
        return ProviderResult(True, {"echo": [f"Bearer {TOKEN}"], "n": 1})

    dispatcher = dispatcher_of(
        {("slack", None): {"bot_token": TOKEN}},
        coded={("slack", "post_message"): echo},
        registry=Registry([replace(slack, actions=(replace(slack.actions[0], request=None),))]),
    )
    call = call_of(params=POST)
    assert dispatcher.invoke(call).output == {"echo": ["••••"], "n": 1}
    assert call.logged == [("info", "I was given ••••.")]
