"""Every provider that ships, called once for real through the terminal.

What is proven here, in the product's words: providers in this issue, all real: webhook, custom_api, custom_tool, http
(any method, headers, query, JSON/form/multipart/raw, auth), logic, rss, files, sqlite, openai and groq with any
base_url, slack, telegram, discord, github, notion, smtp, python_code, wait · action ids and params of the legacy names.
What speaks to a fixed address on the internet is answered by `world.py` under that very address.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY
from faces import CommandLine, Server
from plans import Document, chain, save, step
from postbox import AnyPort, Postbox
from pytest_httpserver import HTTPServer
from world import World, world_on_loopback

FEED = """<rss version="2.0"><channel><title>News</title><link>http://news.example/</link>
<item><title>One</title><link>http://news.example/1</link><pubDate>Mon, 02 Jun 2025 10:00:00 GMT</pubDate></item>
<item><title>Two</title><link>http://news.example/2</link></item></channel></rss>"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_on_loopback(tmp_path) as running:
        yield running


@pytest.fixture
def out_there(cli: CommandLine, world: World) -> CommandLine:
    """A command line whose internet is the world of this test."""
    return CommandLine(cli.data_dir, {"ENCRYPTION_KEY": KEY, **world.environment})


def outputs(cli: CommandLine, folder: Path, *steps: Document) -> list[Any]:
    """Runs the steps one after the other; what each one gave."""
    answer = cli("run", save(folder, chain("p", *steps)), "--json")
    assert answer.code == 0, answer.text
    return [line["output"] for line in answer.json["logs"]]


def store(cli: CommandLine, provider: str, /, **fields: str) -> None:
    flags = [part for name in fields for part in ("--field", name.rstrip("_"))]
    answer = cli("credentials", "set", provider, *flags, stdin="".join(f"{value}\n" for value in fields.values()))
    assert answer.code == 0, answer.text


def test_http_sends_every_kind_of_body(cli: CommandLine, tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/echo").respond_with_json({"ok": True})
    url = httpserver.url_for("/echo")
    upload = tmp_path / "a.txt"
    upload.write_text("file's text", "utf-8")
    asking: dict[str, Document] = {
        "nothing": {"method": "GET", "query": {"q": "ä b"}, "headers": {"X-Mine": "1"}},
        "json": {"method": "POST", "json": {"n": [1, None, "ü"]}},
        "form": {"method": "PUT", "form": {"a": "1 2", "b": "&"}},
        "multipart": {"method": "POST", "multipart": {"word": "hello"}, "file": str(upload)},
        "raw": {"method": "PATCH", "raw": "<x/>", "headers": {"Content-Type": "application/xml"}},
        "gone": {"method": "DELETE"},
    }
    gave = outputs(cli, tmp_path, *(step(name, "http", "request", url=url, **keys) for name, keys in asking.items()))
    assert [each["status"] for each in gave] == [200] * 6
    nothing, as_json, form, multipart, raw, gone = (request for request, _ in httpserver.log)
    assert (nothing.args["q"], nothing.headers["X-Mine"]) == ("ä b", "1")
    assert (as_json.json, as_json.mimetype) == ({"n": [1, None, "ü"]}, "application/json")
    assert (form.method, form.mimetype) == ("PUT", "application/x-www-form-urlencoded")
    assert b"a=1+2&b=%26" in form.get_data()
    assert multipart.mimetype == "multipart/form-data"
    assert all(part in multipart.get_data() for part in (b"hello", b'filename="a.txt"', b"file's text"))
    assert (raw.method, raw.mimetype, raw.get_data()) == ("PATCH", "application/xml", b"<x/>")
    assert gone.method == "DELETE"


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"token": "t-1"}, {"headers": {"Authorization": "Bearer t-1"}}),
        ({"username": "ann", "password": "pw"}, {"headers": {"Authorization": "Basic YW5uOnB3"}}),
        ({"header_name": "X-Key", "header_value": "k-1"}, {"headers": {"X-Key": "k-1"}}),
        ({"query_name": "key", "query_value": "q-1"}, {"query_string": {"key": "q-1"}}),
    ],
    ids=["bearer", "basic", "header", "query"],
)
def test_http_signs_in(
    keyed: CommandLine, tmp_path: Path, httpserver: HTTPServer, fields: dict[str, str], where: dict[str, Any]
) -> None:
    httpserver.expect_request("/in", **where).respond_with_json({"welcome": True})
    store(keyed, "http", **fields)
    ask = step("ask", "http", "get", url=httpserver.url_for("/in"), credential="default")
    assert outputs(keyed, tmp_path, ask) == [{"welcome": True}]


def test_webhook_custom_api_and_custom_tool_call_what_they_are_given(
    keyed: CommandLine, tmp_path: Path, httpserver: HTTPServer
) -> None:
    marked = {"X-A": "b"}
    httpserver.expect_request("/hook", method="POST", json={"n": 1}, headers=marked).respond_with_json({"hook": 1})
    signed = {"Authorization": "Bearer k-2"}
    httpserver.expect_request("/api", method="PUT", json={"n": 2}, headers=signed).respond_with_json({"api": 2})
    httpserver.expect_request("/tool", method="POST", json={"n": 3}).respond_with_json({"tool": 3})
    store(keyed, "custom_api", api_key="k-2")
    store(keyed, "custom_tool", webhook_url=httpserver.url_for("/tool"))
    gave = outputs(
        keyed,
        tmp_path,
        step("a", "webhook", "post_request", url=httpserver.url_for("/hook"), payload={"n": 1}, headers=marked),
        step("b", "custom_api", "call_api", url=httpserver.url_for("/api"), method="PUT", body_json={"n": 2}),
        step("c", "custom_tool", "execute_webhook", payload_json={"n": 3}),
    )
    assert gave == [{"hook": 1}, {"api": 2}, {"tool": 3}]


def test_rss_reads_a_feed(cli: CommandLine, tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/feed").respond_with_data(FEED, content_type="application/rss+xml")
    (feed,) = outputs(cli, tmp_path, step("feed", "rss", "parse_feed", feed_url=httpserver.url_for("/feed")))
    assert feed["title"] == "News"
    assert [each["title"] for each in feed["items"]] == ["One", "Two"]
    assert feed["items"][0]["published"] == "2025-06-02T10:00:00+00:00"


def test_files_are_written_read_and_listed_in_every_format(cli: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    rows = [{"name": "Ada", "born": "1815"}, {"name": "Émilie, du", "born": "1706"}]
    values = {"a.txt": "grüße", "b.json": {"n": [1, 2]}, "c.csv": rows, "d.bin": "AAECAw=="}
    writes = [
        step(f"write_{name[0]}", "files", "write", path=str(folder / name), content=value, format=kind)
        for (name, value), kind in zip(values.items(), ("text", "json", "csv", "binary"), strict=True)
    ]
    reads = [step(f"read_{name[0]}", "files", "read", path=str(folder / name)) for name in values]
    reads[3]["params"]["format"] = "binary"
    listed = step("list", "files", "list", folder=str(folder), pattern="*")
    gave = outputs(cli, tmp_path, *writes, *reads, listed)
    assert gave[4:8] == [*values.values()]
    assert all(name in json.dumps(gave[8]) for name in values)
    assert (folder / "d.bin").read_bytes() == bytes([0, 1, 2, 3])
    with (folder / "c.csv").open(encoding="utf-8", newline="") as file:
        assert [*csv.DictReader(file)] == rows


def test_sqlite_is_written_and_asked(cli: CommandLine, tmp_path: Path) -> None:
    path = str(tmp_path / "shop.db")
    writing = {"path": path, "read_only": False, "create": True}
    gave = outputs(
        cli,
        tmp_path,
        step("make", "sqlite", "query", sql="CREATE TABLE orders (country TEXT, total REAL)", **writing),
        step("add", "sqlite", "query", sql="INSERT INTO orders VALUES ('NO', 7.5), ('SE', 2)", **writing),
        step(
            "ask", "sqlite", "query", path=path, sql="SELECT * FROM orders WHERE country = :c", parameters={"c": "NO"}
        ),
    )
    assert json.dumps(gave[2]).count('{"country": "NO", "total": 7.5}') == 1
    assert "SE" not in json.dumps(gave[2])


def test_logic_shapes_lists(cli: CommandLine, tmp_path: Path) -> None:
    people = [{"n": "a", "x": 3}, {"n": "b", "x": 1}, {"n": "b", "x": 1}, {"n": "c", "x": 9}]
    rules = [{"field": "x", "operator": "less", "value": 5}]
    gave = outputs(
        cli,
        tmp_path,
        step("kept", "logic", "filter", items=people, rules=rules),
        step("once", "logic", "dedupe", items="{{ steps.kept.output }}"),
        step("sorted", "logic", "sort", items="{{ steps.once.output }}", by=["x"]),
        step("sums", "logic", "aggregate", items=people, group_by=["n"], measures=[{"function": "sum", "field": "x"}]),
        step("words", "logic", "split", value="a, b,c"),
        step("line", "logic", "join", items="{{ steps.words.output }}", separator="-"),
        step("set", "logic", "set_fields", input={"a": 1}, fields={"b": "{{ steps.line.output }}"}),
        step("text", "logic", "transform", template="{{ steps.sorted.output[0].n | upper }}!"),
    )
    assert len(gave[0]) == 3
    assert gave[2] == [{"n": "b", "x": 1}, {"n": "a", "x": 3}]
    assert [each["n"] for each in gave[3]] == ["a", "b", "c"]
    assert gave[4:] == [["a", "b", "c"], "a-b-c", {"a": 1, "b": "a-b-c"}, "B!"]


def test_python_code_runs_and_prints_and_has_none_of_our_secrets(keyed: CommandLine, tmp_path: Path) -> None:
    code = "import os\nprint('working')\nresult = [sum(input), 'ENCRYPTION_KEY' in os.environ]"
    answer = keyed("run", save(tmp_path, chain("p", step("sum", "python_code", "run", code=code, input=[1, 2, 3]))))
    assert answer.code == 0, answer.text
    assert "working" in answer.out
    assert outputs(keyed, tmp_path, step("sum", "python_code", "run", code=code, input=[1, 2, 3])) == [[6, False]]


def test_wait_waits(cli: CommandLine, tmp_path: Path) -> None:
    past = "2020-01-01T00:00:00Z"
    naps = (step("a", "wait", "duration", seconds=0.2), step("b", "wait", "until", time=past))
    answer = cli("run", save(tmp_path, chain("p", *naps)), "--json")
    assert answer.code == 0, answer.text
    assert [line["status"] for line in answer.json["logs"]] == ["success", "success"]


@pytest.mark.parametrize("provider", ["openai", "groq"])
def test_a_chat_model_is_asked_wherever_its_base_url_points(
    keyed: CommandLine, tmp_path: Path, httpserver: HTTPServer, provider: str
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": '{"mood": "good"}'}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "m-1", "choices": [choice], "usage": usage}
    signed = {"Authorization": "Bearer sk-1"}
    httpserver.expect_request("/v1/chat/completions", method="POST", headers=signed).respond_with_json(reply)
    store(keyed, provider, api_key="sk-1", base_url=httpserver.url_for("/v1"))
    ask = step("ask", provider, "chat_completion", prompt="How are you?", system="Be brief.", model="m-1", json=True)
    (said,) = outputs(keyed, tmp_path, ask)
    assert (said["json"], said["model"], said["usage"]["total_tokens"]) == ({"mood": "good"}, "m-1", 7)
    sent = httpserver.log[0][0].json
    assert [each["content"] for each in sent["messages"]][-1] == "How are you?"


def test_smtp_sends_a_letter(keyed: CommandLine, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    report.write_text("a,b\n1,2\n", "utf-8")
    box = Postbox()
    controller = AnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        store(keyed, "smtp", host="127.0.0.1", port=str(controller.port), tls="none", from_="Ada <ada@example.org>")
        letter = {"to": ["bo@example.org"], "cc": ["cy@example.org"], "subject": "Grüße", "body": "Hello Bo"}
        outputs(keyed, tmp_path, step("send", "smtp", "send_email", attachments=[str(report)], **letter))
    finally:
        controller.stop()
    (sent,) = box.letters
    assert (sent["Subject"], sent["To"], sent["From"]) == ("Grüße", "bo@example.org", "Ada <ada@example.org>")
    assert box.recipients == ["bo@example.org", "cy@example.org"]
    assert "Hello Bo" in str(sent)
    assert "report.csv" in str(sent)


def test_slack_telegram_discord_github_and_notion_are_called_as_they_want_it(
    out_there: CommandLine, world: World, tmp_path: Path
) -> None:
    world.answers = {
        "slack.com/api/chat.postMessage": (200, {"ok": True, "ts": "1.2"}),
        "api.telegram.org/bot12:AB/sendMessage": (200, {"ok": True, "result": {"message_id": 7}}),
        "discord.com/api/webhooks/1/x": (200, {"id": "55"}),
        "api.github.com/repos/ada/engine/issues": (201, {"number": 3}),
        "api.notion.com/v1/pages": (200, {"id": "page"}),
    }
    store(out_there, "slack", bot_token="xoxb-1")
    store(out_there, "telegram", bot_token="12:AB")
    store(out_there, "discord", webhook_url="https://discord.com/api/webhooks/1/x")
    store(out_there, "github", personal_access_token="ghp-1")
    store(out_there, "notion", integration_token="ntn-1")
    gave = outputs(
        out_there,
        tmp_path,
        step("s", "slack", "post_message", channel="#a", text="hi"),
        step("t", "telegram", "send_message", chat_id="5", text="hi"),
        step("d", "discord", "post_webhook", content="hi"),
        with_title(step("g", "github", "create_issue", repo="ada/engine", body="It stopped."), "Bug"),
        with_title(step("n", "notion", "create_page", database_id="d1", content="Once"), "Tale"),
    )
    assert [gave[0]["ts"], gave[1], gave[2]["id"], gave[3]["number"]] == ["1.2", {"message_id": 7}, "55", 3]
    assert gave[4]["id"] == "page"
    slack, telegram, discord, github, notion = world.asked
    assert (slack.headers["Authorization"], slack.json) == ("Bearer xoxb-1", {"channel": "#a", "text": "hi"})
    assert telegram.json == {"chat_id": "5", "text": "hi"}
    assert discord.json == {"content": "hi"}
    assert github.headers["Authorization"] == "Bearer ghp-1"
    assert github.json == {"title": "Bug", "body": "It stopped."}
    assert (notion.headers["Authorization"], notion.json["parent"]) == ("Bearer ntn-1", {"database_id": "d1"})
    assert notion.headers["Notion-Version"]


def with_title(document: Document, title: str) -> Document:
    """A param that has the name of a step's own key."""
    document["params"]["title"] = title
    return document


def test_a_vendors_no_in_a_200_is_a_failure(out_there: CommandLine, world: World, tmp_path: Path) -> None:
    world.answers = {"slack.com/api/chat.postMessage": (200, {"ok": False, "error": "channel_not_found"})}
    store(out_there, "slack", bot_token="xoxb-1")
    plan = save(tmp_path, chain("p", step("s", "slack", "post_message", channel="#a", text="hi")))
    answer = out_there("run", plan)
    assert answer.code == 1
    assert "channel_not_found" in answer.text


def test_an_integration_of_ones_own_works_in_every_face(
    server: Server, cli: CommandLine, tmp_path: Path, httpserver: HTTPServer
) -> None:
    signed = {"X-Crm": "Token k-3"}
    httpserver.expect_request("/v2/leads/7", query_string={"deep": "1"}, headers=signed).respond_with_json(
        {"name": "Bo"}
    )
    httpserver.expect_request("/v2/leads", method="POST", headers=signed, json={"name": "Cy"}).respond_with_json(
        {"id": 8}
    )
    made = server.post(
        "/api/custom-integrations",
        {
            "name": "crm",
            "display_name": "Our CRM",
            "auth_type": "api_key",
            "oauth_config": {"base_url": httpserver.url_for("/v2"), "auth_header": "X-Crm", "auth_prefix": "Token"},
            "actions": [
                {
                    "id": "get_lead",
                    "name": "Read",
                    "method": "GET",
                    "endpoint": "/leads/{id}",
                    "params": ["id", "deep"],
                },
                {"id": "add_lead", "name": "Add", "endpoint": "/leads", "params": ["name"]},
            ],
        },
        201,
    )
    path = f"/api/custom-integrations/{made['id']}"
    server.post(f"{path}/credentials", {"type": "api_key", "value": "k-3"}, 201)
    tried = server.post(f"{path}/test", {"endpoint": "/leads/7?deep=1", "method": "GET"})
    assert (tried["status_code"], tried["response"]) == (200, {"name": "Bo"})
    assert "crm" in json.dumps(server.get("/api/providers?q=crm"))
    gave = outputs(
        cli, tmp_path, step("r", "crm", "get_lead", id="7", deep="1"), step("w", "crm", "add_lead", name="Cy")
    )
    assert gave == [{"name": "Bo"}, {"id": 8}]
