"""What a call would send, shown instead of sent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flowstudio.providers.dispatch import Dispatcher
from flowstudio.providers.redaction import MASK
from flowstudio.providers.registry import Registry
from flowstudio.providers.result import ProviderResult

TOKEN = "xoxb-very-secret"
STORED = {("slack", None): {"token": TOKEN}, ("smtp", None): {"host": "mail.test", "password": "pw"}}


class NoSender:
    """Nothing may reach it."""

    def send(self, *_: object, **__: object) -> None:
        raise AssertionError("a preview sent something")


@pytest.fixture
def dispatcher(registry: Registry, credentials_of: Callable) -> Dispatcher:
    def code(_: object) -> ProviderResult:
        raise AssertionError("a preview ran the action's code")

    return Dispatcher(lambda user: registry, credentials_of(STORED), NoSender(), {("files", "write"): code})


def test_a_request_is_shown_whole_with_its_secrets_masked(dispatcher: Dispatcher, call_of: Callable) -> None:
    shown = dispatcher.preview(call_of(params={"channel": "#a", "text": f"my token is {TOKEN}"})).output
    assert shown["method"] == "POST"
    assert shown["url"] == "https://slack.com/api/chat.postMessage"
    assert shown["headers"]["Authorization"] == MASK
    assert shown["headers"]["User-Agent"].startswith("FlowStudio")
    assert shown["headers"]["Content-Length"]
    assert shown["body"]["channel"] == "#a"
    assert shown["body"]["text"] == f"my token is {MASK}"
    assert TOKEN not in str(shown)


def test_a_query_is_part_of_the_address_and_a_form_stays_text(dispatcher: Dispatcher, call_of: Callable) -> None:
    params = {"method": "PUT", "url": "http://vendor.test/x?a=1", "query": {"b": "ü"}, "form": {"c": "2"}}
    shown = dispatcher.preview(call_of("http", "request", params)).output
    assert shown["url"] == "http://vendor.test/x?a=1&b=%C3%BC"
    assert (shown["method"], shown["body"]) == ("PUT", "c=2")


def test_an_action_that_is_code_is_shown_by_its_params(
    dispatcher: Dispatcher, call_of: Callable, tmp_path: Path
) -> None:
    path = str(tmp_path / "a.txt")
    shown = dispatcher.preview(call_of("files", "write", {"path": path, "content": "hello"})).output
    assert (shown["provider"], shown["action"], shown["params"]["path"]) == ("files", "write", path)
    assert shown["params"]["content"] == "hello"


def test_what_would_fail_before_it_is_sent_fails_in_the_preview(dispatcher: Dispatcher, call_of: Callable) -> None:
    result = dispatcher.preview(call_of("github", "create_issue", {"owner": "a", "repo": "b", "title": "c"}))
    assert result.error is not None
    assert result.error.code == "provider.credential_missing"


def test_params_are_shown_without_the_credential_even_when_there_is_none(
    dispatcher: Dispatcher, call_of: Callable
) -> None:
    assert dispatcher.masked(call_of(params={"text": f"{TOKEN}!"})) == {"text": f"{MASK}!"}
    assert dispatcher.masked(call_of("github", "create_issue", {"title": "c"})) == {"title": "c"}
