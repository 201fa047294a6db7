"""A credential's value is nowhere but in the vault, whichever face it came through and however careless the vendor is.

What is proven here, in the product's words: vault: Fernet · secrets never in logs, errors, events · plans, journals,
events and logs hold references · the API never echoes a value. The vendors here repeat the whole request, with its
authorisation and address, in their error; the SMTP server repeats what it was given to sign in.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from aiosmtpd.smtp import AuthResult
from conftest import KEY, Serve
from faces import CommandLine, Server
from plans import Document, flow, save, step
from postbox import AnyPort, Postbox
from pytest_httpserver import HTTPServer
from pytestqt.qtbot import QtBot
from werkzeug import Request, Response
from world import World, world_on_loopback

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

BEARER = "Tok3n-of/the+http~credential=="
PASSWORD = "corr3ct h0rse/battery+staple"
QUERY = "qu3ry key&with signs"
SLACK = "xoxb-4711-s1ack-token-for-tests"
TELEGRAM = "123456:AAE-t3legram_token_for_tests"
DISCORD = "https://discord.com/api/webhooks/42/d1scord-part-that-is-secret"
API_KEY = "cust0m-api-key-for-tests"
MODEL_KEY = "sk-m0del-key-for-tests-0123"
MAIL = "m4il-password-for-tests"
ALL = (BEARER, PASSWORD, QUERY, SLACK, TELEGRAM, DISCORD, API_KEY, MODEL_KEY, MAIL)
PART = 12
"""A piece that long would be of use to a thief; a cut secret is still a leak."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_on_loopback(tmp_path) as running:
        running.echoes = True
        yield running


@pytest.fixture
def gossip(httpserver: HTTPServer) -> HTTPServer:
    """A vendor that refuses everything and repeats it, here as JSON, there as text that is too long to be shown."""

    def refuse(request: Request) -> Response:
        told = f"Not so: {request.method} {request.url} {dict(request.headers)} {request.get_data(as_text=True)}"
        if request.path.startswith("/text"):
            return Response("x" * int(request.args["lead"]) + told, 500, content_type="text/plain")
        return Response(json.dumps({"error": {"message": told}, "message": told}), 401, content_type="application/json")

    httpserver.expect_request("/").respond_with_handler(refuse)
    for path in ("/json", "/text", "/v1/chat/completions"):
        httpserver.expect_request(path).respond_with_handler(refuse)
    return httpserver


@pytest.fixture
def mail() -> Iterator[AnyPort]:
    def repeat(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        said, coded = data.password.decode(), base64.b64encode(data.password).decode()
        return AuthResult(success=False, handled=False, message=f"535 5.7.8 Not {said}, {coded}")

    controller = AnyPort(
        Postbox(), hostname="127.0.0.1", port=0, authenticator=repeat, auth_require_tls=False, auth_required=True
    )
    controller.start()
    yield controller
    controller.stop()


def credentials(gossip: HTTPServer, mail: AnyPort) -> list[tuple[str, str, dict[str, str]]]:
    """Provider, name, fields."""
    return [
        ("http", "bearer", {"token": BEARER}),
        ("http", "basic", {"username": "ann", "password": PASSWORD}),
        ("http", "query", {"query_name": "key", "query_value": QUERY}),
        ("slack", "default", {"bot_token": SLACK}),
        ("telegram", "default", {"bot_token": TELEGRAM}),
        ("discord", "default", {"webhook_url": DISCORD}),
        ("custom_api", "default", {"api_key": API_KEY}),
        ("openai", "default", {"api_key": MODEL_KEY, "base_url": gossip.url_for("/v1")}),
        ("smtp", "default", {"host": "127.0.0.1", "port": str(mail.port), "tls": "none", **SIGN_IN}),
    ]


SIGN_IN = {"username": "ann@example.org", "password": MAIL}


def using_all(gossip: HTTPServer) -> Document:
    """A step for each credential; all of them fail, and the run goes on."""
    leads = range(0, 300, 30)
    steps = [
        step("bearer", "http", "request", url=gossip.url_for("/json"), credential="bearer"),
        step("basic", "http", "request", url=gossip.url_for("/json"), credential="basic"),
        step("query", "http", "request", url=gossip.url_for("/json"), credential="query"),
        *(
            step(f"cut{lead}", "http", "get", url=gossip.url_for("/text"), query={"lead": str(lead)}, credential=name)
            for lead, name in zip(leads, ("bearer", "basic", "query") * len(leads), strict=False)
        ),
        step("slack", "slack", "post_message", channel="#a", text="hi"),
        step("telegram", "telegram", "send_message", chat_id="1", text="hi"),
        step("discord", "discord", "post_webhook", content="hi"),
        step("custom", "custom_api", "call_api", url=gossip.url_for("/json"), method="POST", body_json={"a": 1}),
        step("model", "openai", "chat_completion", prompt="hi"),
        step("letter", "smtp", "send_email", to=["bo@example.org"], subject="s", body="b"),
    ]
    return flow("gossip", [each | {"on_error": "continue"} for each in steps])


def leaks(text: str | bytes, *secrets: str) -> list[str]:
    """What of the secrets stands in a text, whole or cut, plain or as a request spells it."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    found = []
    for secret in secrets or ALL:
        for spelled in _spellings(secret):
            chunks = (spelled[at : at + PART] for at in range(max(1, len(spelled) - PART + 1)))
            found += [chunk.decode() for chunk in chunks if chunk in data]
    return found


def _spellings(secret: str) -> set[bytes]:
    raw = secret.removeprefix("https://discord.com/api/webhooks/").encode()
    coded = base64.b64encode(raw).rstrip(b"=")
    pair = base64.b64encode(b"ann:" + raw).rstrip(b"=")[8:]
    in_address = {quote(raw, safe="").encode(), quote_plus(raw).encode()}
    return {raw, raw.decode().encode("utf-16-le"), coded, pair, *in_address}


def leaks_in(folder: Path) -> dict[str, list[str]]:
    """Per file of a folder."""
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert [each.name for each in files if each.suffix == ".db"]
    assert [each.name for each in files if each.suffix == ".log"]
    return {each.name: found for each in files if (found := leaks(each.read_bytes()))}


def test_planted_through_the_api_a_secret_is_in_no_answer_and_in_no_file(
    cli: CommandLine, tmp_path: Path, world: World, gossip: HTTPServer, mail: AnyPort
) -> None:
    server = Server(CommandLine(cli.data_dir, {"ENCRYPTION_KEY": KEY, **world.environment}))
    try:
        said = [
            server.request(
                "POST", f"/api/provider-credentials/{provider}", json={"name": name, "credentials": fields}
            ).text
            for provider, name, fields in credentials(gossip, mail)
        ]
        plan = server.post("/api/execution-plans", {"name": "Gossip", "plan_json": using_all(gossip)}, 201)
        run = server.post("/api/execute-plan", {"execution_plan_id": plan["id"]})
        failed = {line["step_id"]: line["output"]["error"]["sentence"] for line in run["logs"]}
        paths = ("provider-credentials", "execution-plans", "execution-logs", f"executions/{run['id']}", "providers")
        said += [server.request("GET", f"/api/{path}").text for path in paths]
        assert leaks("".join(said)) == []
        assert leaks_in(cli.data_dir) == {}
    finally:
        server.stop()
    assert leaks_in(cli.data_dir) == {}
    assert len(failed) == len(run["logs"]) == 19
    _the_vendors_were_really_given_them(world, gossip)
    for step_id in ("bearer", "slack", "telegram", "custom", "model", "letter"):
        assert "•" in failed[step_id], failed[step_id]


def _the_vendors_were_really_given_them(world: World, gossip: HTTPServer) -> None:
    heard = "".join(f"{request.url} {dict(request.headers)}" for request, _ in gossip.log)
    heard += "".join(f"{asked.url} {asked.headers}" for asked in world.asked)
    assert not [secret for secret in ALL if secret != MAIL and not leaks(heard, secret)]


def test_planted_through_the_terminal_a_secret_is_not_printed_and_in_no_file(
    keyed: CommandLine, tmp_path: Path, gossip: HTTPServer
) -> None:
    for name, field, value in (("bearer", "token", BEARER), ("query", "query_value", QUERY)):
        stored = keyed("credentials", "set", "http", "--name", name, "--field", field, stdin=f"{value}\n")
        assert stored.code == 0, stored.text
        assert leaks(stored.text) == []
    asking = [
        step(name, "http", "request", url=gossip.url_for("/json"), credential=name) for name in ("bearer", "query")
    ]
    plan = save(tmp_path, flow("gossip", asking))
    answers = [
        keyed("run", plan),
        keyed("run", plan, "--json"),
        keyed("credentials", "list"),
        keyed("plan", "check", plan),
    ]
    assert [answer.code for answer in answers] == [1, 1, 0, 0]
    assert leaks("".join(answer.text for answer in answers)) == []
    assert leaks_in(keyed.data_dir) == {}


def test_planted_through_the_window_a_secret_is_not_shown_and_in_no_file(
    keyed: CommandLine, qtbot: QtBot, tmp_path: Path, gossip: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QPlainTextEdit
    from windows import CTRL, window_on

    file = tmp_path / "gossip.flow"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_keys: (str(file), ""))
    with window_on(keyed.data_dir, {"ENCRYPTION_KEY": KEY}, qtbot) as person:
        person.key(Qt.Key.Key_N, CTRL)
        call = person.drag_from_palette("call an api", 0, 0)
        person.write("Address", gossip.url_for("/json"))
        person.click("Add a credential for Custom API Tool (Auth Required)")
        person.write("API key (optional)", API_KEY)
        person.click("Save")
        person.sees(lambda: not person.has("API key (optional)"))
        person.run()
        assert person.sees_end() == "Failed"
        person.pick(call)
        log = person.log()
        person.key(Qt.Key.Key_S, CTRL)
        shown = [log, file.read_text("utf-8")]
        shown += [each.text() for kind in (QLabel, QLineEdit) for each in person.window.findChildren(kind)]
        shown += [each.toPlainText() for each in person.window.findChildren(QPlainTextEdit)]
        assert "•" in log
        assert leaks(person.document) == []
    assert leaks("".join(shown)) == []
    assert leaks_in(keyed.data_dir) == {}
    assert leaks(str(gossip.log[0][0].headers), API_KEY)


def test_a_plan_that_was_given_a_secret_still_runs_after_a_restart(serve: Serve, httpserver: HTTPServer) -> None:
    """It is encrypted, not lost."""
    signed = {"Authorization": f"Bearer {API_KEY}"}
    httpserver.expect_request("/in", headers=signed).respond_with_json({"welcome": True})
    first = serve()
    first.post("/api/provider-credentials", {"provider": "custom_api", "value": API_KEY}, 201)
    plan = flow("p", [step("ask", "custom_api", "call_api", url=httpserver.url_for("/in"))])
    stored = first.post("/api/execution-plans", {"name": "Ask", "plan_json": plan}, 201)
    first.stop()
    run = serve().post("/api/execute-plan", {"execution_plan_id": stored["id"]})
    assert run["logs"][0]["output"] == {"welcome": True}
