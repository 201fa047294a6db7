"""The three sample plans that ship, from window, terminal and API, on the same input with the same result.

What is proven here, in the product's words: three sample plans ship in resources/ and run from window, CLI and API: one
offline over real data that is on every machine, one that fetches a feed over HTTP, filters, loops over the entries and
writes a CSV and an HTML digest, one that branches on a condition, calls an AI model and posts to a webhook.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from faces import CommandLine, Server
from pytest_httpserver import HTTPServer
from pytestqt.qtbot import QtBot

SAMPLES = Path(__file__).parents[2] / "resources" / "samples"
TITLES = {
    "world-digits": "How the world writes its digits",
    "news-digest": "News digest",
    "urgent-messages": "Answer urgent messages",
}
FEED = """<rss version="2.0"><channel><title>Space &amp; news</title><link>https://news.example/</link>
<item><title>Moon &lt;one&gt;</title><link>https://news.example/1</link><description>A long way up</description>
<pubDate>Mon, 02 Jun 2025 10:00:00 GMT</pubDate></item>
<item><title>Mars, too</title><link>https://news.example/2</link><description>Past the moon</description></item>
<item><title>Bread</title><link>https://news.example/3</link><description>Baking</description></item>
</channel></rss>"""


@dataclass(frozen=True)
class Outcome:
    """What a run left behind, whichever face it was started from."""

    states: dict[str, str]
    files: dict[str, bytes]
    posted: list[Any]


Face = Callable[[str, dict[str, Any]], dict[str, str]]
"""Runs a sample by name with input; step id -> state."""


@pytest.fixture
def world(httpserver: HTTPServer) -> HTTPServer:
    """A feed, a chat model, and somebody's webhook."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "We are on it."}, "finish_reason": "stop"}
    reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "m-1", "choices": [choice]}
    signed = {"Authorization": "Bearer sk-sample"}
    httpserver.expect_request("/feed").respond_with_data(FEED, content_type="application/rss+xml")
    chat = httpserver.expect_request("/v1/chat/completions", method="POST", headers=signed)
    chat.respond_with_json(reply)
    httpserver.expect_request("/hook", method="POST").respond_with_json({"ok": True})
    return httpserver


@pytest.fixture
def home(keyed: CommandLine, tmp_path: Path, world: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A command line with a home folder of its own and the model's key in the vault."""
    monkeypatch.setenv("HOME", str(tmp_path))
    command = CommandLine(keyed.data_dir, keyed.environment)
    values = f"sk-sample\n{world.url_for('/v1')}\n"
    stored = command("credentials", "set", "openai", "--field", "api_key", "--field", "base_url", stdin=values)
    assert stored.code == 0, stored.text
    return command


def terminal(home: CommandLine) -> Face:
    def run(name: str, data: dict[str, Any]) -> dict[str, str]:
        answer = home("sample", name, "--input", json.dumps(data), "--json")
        assert answer.code == 0, answer.text
        return _states(answer.json)

    return run


def api(server: Server) -> Face:
    def run(name: str, data: dict[str, Any]) -> dict[str, str]:
        (file,) = SAMPLES.glob(f"*{name.replace('-', '_')}.flow")
        stored = server.post("/api/execution-plans", json.loads(file.read_bytes()), 201)
        execution = server.post("/api/execute-plan", {"execution_plan_id": stored["id"], "trigger_data": data})
        assert execution["status"] == "success", execution
        return _states(execution)

    return run


def _states(execution: dict[str, Any]) -> dict[str, str]:
    """Of a step in a loop the last iteration counts, as on its card."""
    return {line["step_id"]: line["status"] for line in execution["logs"]}


WORDS = {"ok": "success", "skipped": "skipped", "failed": "failed"}


@pytest.fixture
def window(home: CommandLine, qtbot: QtBot) -> Iterator[Face]:
    """Opens the sample from the menu, types the input, and reads the cards."""
    from PySide6.QtCore import Qt
    from windows import CTRL, window_on

    with window_on(home.data_dir, home.environment, qtbot) as person:

        def run(name: str, data: dict[str, Any]) -> dict[str, str]:
            entries = dict(person.window.documents.sample_entries())
            entries[TITLES[name]]()

            def fill() -> None:
                person.type(json.dumps(data))
                person.click("Run")

            person.in_dialog(fill)
            person.key(Qt.Key.Key_F5, CTRL)
            assert person.sees_end() == "Succeeded", person.log()
            steps = [step.id for step in person.plan.steps]
            person.sees(lambda: all(person.card(each) in WORDS for each in steps))
            return {each: WORDS[person.card(each)] for each in steps}

        yield run


def outcome(run: Face, name: str, data: dict[str, Any], world: HTTPServer, folder: Path) -> Outcome:
    world.clear_log()
    states = run(name, {"folder": str(folder), **data})
    files = {each.name: each.read_bytes() for each in sorted(folder.glob("*"))}
    posted = [request.json for request, _ in world.log if request.path == "/hook"]
    return Outcome(states, files, posted)


@pytest.mark.parametrize("name", TITLES)
def test_a_sample_comes_to_the_same_in_every_face(
    name: str, home: CommandLine, window: Face, world: HTTPServer, tmp_path: Path
) -> None:
    inputs: dict[str, dict[str, Any]] = {
        "world-digits": {"script": "*arabic*"},
        "news-digest": {"feed_url": world.url_for("/feed"), "words": "moon"},
        "urgent-messages": {"webhook_url": world.url_for("/hook"), "text": "Urgent: no lamp!", "from": "Ada"},
    }
    server = Server(home)
    try:
        faces: dict[str, Face] = {"window": window, "terminal": terminal(home), "api": api(server)}
        came = {face: outcome(run, name, inputs[name], world, tmp_path / face) for face, run in faces.items()}
    finally:
        server.stop()
    assert came["window"] == came["terminal"] == came["api"]
    _is_right(name, came["window"])


def _is_right(name: str, came: Outcome) -> None:
    match name:
        case "world-digits":
            assert b"Extended Arabic-Indic" in came.files["digits.csv"]
            assert "٠١٢٣٤٥٦٧٨٩".encode() in came.files["digits.html"]
            assert came.states["nothing"] == "skipped"
        case "news-digest":
            assert came.files["digest.csv"].count(b"https://news.example/") == 2
            assert b"Moon &lt;one&gt;" in came.files["digest.html"]
            assert b"Bread" not in came.files["digest.html"]
        case "urgent-messages":
            assert came.posted == [{"to": "Ada", "urgent": True, "answer": "We are on it.", "model": "m-1"}]
            assert (came.states["answer"], came.states["thanks"]) == ("success", "skipped")
