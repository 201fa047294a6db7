import json
import socket
import subprocess
import sys
import threading
import time

import pytest
from werkzeug import Response

from flowstudio.providers.errors import (
    ActionCancelledError,
    ActionTimeoutError,
    AuthRejectedError,
    BadAnswerError,
    BadParamError,
    ConnectionFailedError,
    CredentialMissingError,
    RateLimitedError,
    VendorError,
)
from flowstudio.providers.network import Network
from flowstudio.providers.ports import Limits

KEY = "sk-very-secret"
ENVIRONMENT = {
    "OPENAI_API_KEY": "sk-env",
    "OPENAI_ADMIN_KEY": "sk-env-admin",
    "OPENAI_BASE_URL": "http://127.0.0.1:1/env",
    "OPENAI_ORG_ID": "org-env",
    "OPENAI_PROJECT_ID": "proj-env",
    "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer sk-env\nX-Env: leaked",
}


@pytest.fixture
def act(act):
    act.http = Network()
    yield act
    act.http.close()


@pytest.fixture
def credential(httpserver):
    return {"api_key": KEY, "base_url": httpserver.url_for("/v1")}


def completion(content="Hello", **choice):
    message = {"role": "assistant", "content": content, **choice.pop("message", {})}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-test-1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


def ask(act, credential, provider="openai", limits=None, **params):
    return act(provider, "chat_completion", {"prompt": "Hi", **params}, credential=credential, limits=limits)


def sent(httpserver):
    request, _ = httpserver.log[-1]
    return request


@pytest.mark.parametrize("provider", ["openai", "groq"])
def test_a_prompt_is_answered(act, httpserver, credential, provider) -> None:
    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_json(completion())
    result = ask(act, credential, provider)
    assert result.output == {
        "text": "Hello",
        "model": "gpt-test-1",
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        "finish_reason": "stop",
    }
    assert sent(httpserver).headers["authorization"] == f"Bearer {KEY}"


def test_optional_params_are_sent_only_when_given(act, httpserver, credential) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(completion())
    ask(act, credential)
    assert set(sent(httpserver).json) == {"model", "messages"}
    ask(act, credential, system="Be brief", model="m", temperature=0, max_tokens=9)
    assert sent(httpserver).json == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}],
        "temperature": 0,
        "max_tokens": 9,
    }


def test_json_is_asked_for_and_parsed(act, httpserver, credential) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(completion('```json\n{"a": 1}\n```'))
    assert ask(act, credential, json=True).output["json"] == {"a": 1}
    body = sent(httpserver).json
    assert body["response_format"] == {"type": "json_object"}
    assert "JSON" in body["messages"][0]["content"]


def test_text_instead_of_json_is_a_sentence(act, httpserver, credential) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(completion("Sorry"))
    with pytest.raises(BadAnswerError, match="asked for JSON but answered something else: 'Sorry'"):
        ask(act, credential, json=True)


def test_nothing_of_the_process_environment_reaches_the_request(act, httpserver, credential, monkeypatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    httpserver.expect_request("/v1/chat/completions").respond_with_json(completion())
    ask(act, credential)
    everything = f"{sent(httpserver).headers} {sent(httpserver).data!r}"
    assert not [value for value in ("env", "leaked") if value in everything]
    assert sent(httpserver).headers["authorization"] == f"Bearer {KEY}"


def test_without_a_key_nothing_is_sent_even_when_the_environment_has_one(act, httpserver, monkeypatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CredentialMissingError, match="needs a credential for OpenAI"):
        ask(act, {"base_url": httpserver.url_for("/v1")})
    assert not httpserver.log


def test_organization_and_project_come_from_the_credential(act, httpserver, credential) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(completion())
    ask(act, credential | {"organization": "org-1", "project": "proj-1"})
    headers = sent(httpserver).headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj-1")


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (401, AuthRejectedError, False),
        (403, AuthRejectedError, False),
        (429, RateLimitedError, True),
        (500, VendorError, True),
        (503, VendorError, True),
        (400, VendorError, False),
    ],
)
def test_a_refusal_is_told_in_the_vendors_words(act, httpserver, credential, status, kind, retryable) -> None:
    body = {"error": {"message": "No, because of reasons.", "type": "x", "code": None}}
    headers = {"retry-after": "7", "x-request-id": "req-1"}
    httpserver.expect_request("/v1/chat/completions").respond_with_json(body, status=status, headers=headers)
    with pytest.raises(kind, match="No, because of reasons") as caught:
        ask(act, credential)
    assert caught.value.retryable is retryable
    assert caught.value.facts["request_id"] == "req-1"
    assert KEY not in str(caught.value)
    if retryable:
        assert caught.value.retry_after_s == 7
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<html>Welcome</html>", "text/html"),
        ("{broken", "application/json"),
        ('{"choices": []}', "application/json"),
        ("{}", "application/json"),
        ("[]", "application/json"),
        ("null", "application/json"),
        ('"text"', "application/json"),
        ('{"choices": [{}], "model": "m"}', "application/json"),
        ("", "application/json"),
    ],
)
def test_an_answer_of_another_shape_is_a_sentence(act, httpserver, credential, body, content_type) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_response(Response(body, content_type=content_type))
    with pytest.raises(BadAnswerError, match="The answer of OpenAI cannot be used"):
        ask(act, credential)


def test_a_model_that_declines_is_a_sentence(act, httpserver, credential) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(
        completion("", message={"refusal": "I cannot."})
    )
    with pytest.raises(BadAnswerError, match=r"declined: I cannot\.$"):
        ask(act, credential)


def test_an_answer_cut_off_is_said_in_the_log(act, httpserver, credential) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(completion(finish_reason="length"))
    assert ask(act, credential).success
    assert act.lines == [("warning", "The answer was cut off at the limit of tokens.")]


@pytest.mark.parametrize("params", [{"prompt": "  "}, {"temperature": 3}])
def test_params_that_do_not_fit_are_refused_before_any_request(act, httpserver, credential, params) -> None:
    with pytest.raises(BadParamError):
        ask(act, credential, **params)
    assert not httpserver.log


def test_a_base_url_that_is_no_address_is_refused(act) -> None:
    with pytest.raises(BadParamError, match="base URL"):
        ask(act, {"api_key": KEY, "base_url": "localhost:11434"})


def test_a_server_that_is_not_there_is_a_sentence(act, unused_port) -> None:
    with pytest.raises(ConnectionFailedError, match="refused the connection"):
        ask(act, {"api_key": KEY, "base_url": f"http://127.0.0.1:{unused_port}/v1"})


@pytest.fixture
def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Silent:
    """Accepts a connection and reads the request; then never answers, or drips an answer byte by byte for ever."""

    def __init__(self, drips: bool) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(5)
        self._drips, self._done = drips, threading.Event()
        self.reached = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def credential(self):
        return {"api_key": KEY, "base_url": f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"}

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65536)
            if self._drips:
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
            self.reached.set()
            while not self._done.wait(0.01):
                try:
                    if self._drips:
                        connection.sendall(b" ")
                except OSError:
                    return

    def close(self) -> None:
        self._done.set()
        self._thread.join()
        self._listener.close()


@pytest.fixture(params=[False, True], ids=["silent", "dripping"])
def stuck(request):
    server = Silent(request.param)
    yield server
    server.close()


def test_cancel_ends_a_blocked_call_within_100_ms(act, stuck) -> None:
    cancelled_at = []

    def cancel() -> None:
        stuck.reached.wait(10)
        cancelled_at.append(time.monotonic())
        act.cancel.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(ActionCancelledError):
        ask(act, stuck.credential)
    assert time.monotonic() - cancelled_at[0] < 0.1
    thread.join()


def test_the_total_time_limit_holds(act, stuck) -> None:
    started = time.monotonic()
    with pytest.raises(ActionTimeoutError):
        ask(act, stuck.credential, limits=Limits(total_s=0.3))
    assert time.monotonic() - started < 1.5


def test_the_library_is_not_loaded_before_the_first_call() -> None:
    program = (
        "import sys, flowstudio.providers.coded.table; print([m for m in ('openai', 'feedparser') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []
