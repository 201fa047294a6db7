"""The sample plans, run by the whole application: real engine, database and files, loopback servers."""

import csv
import json
from collections.abc import Iterator

import pytest

from flowstudio import app, paths
from flowstudio.engine.model import RunState, TriggerEvent
from flowstudio.plan.document import dumps, loads
from flowstudio.settings import load_settings

USER = "local"
FOLDER = paths.resources() / "samples"
NAMES = ("01_world_digits", "02_news_digest", "03_urgent_messages")
FEED = """<rss version="2.0"><channel><title>Space &amp; news</title><link>https://example.com/</link>
<item><title>Moon &lt;one&gt;</title><link>https://example.com/1</link><description>A long way up</description>
<pubDate>Mon, 02 Jun 2025 10:00:00 GMT</pubDate></item>
<item><title>Mars, too</title><link>javascript:alert(1)</link><description>About the moon, no: Mars</description>
<pubDate>Tue, 03 Jun 2025 10:00:00 GMT</pubDate></item>
<item><title>Bread</title><link>https://example.com/3</link><description>Baking</description></item>
</channel></rss>"""


def sample(name: str):
    return loads((FOLDER / f"{name}.flow").read_bytes())


@pytest.fixture
def application(tmp_path, monkeypatch) -> Iterator[app.Application]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    settings = load_settings({"FLOWSTUDIO_DATA_DIR": str(tmp_path / "data"), "ENCRYPTION_KEY": "A" * 43 + "="})
    built = app.build(settings)
    yield built
    built.close()


@pytest.fixture
def run(application):
    runs = application.services.runs

    def run(name: str, **trigger):
        run_id = runs.start(USER, sample(name), TriggerEvent(data=trigger or None))
        done = runs.wait(run_id, timeout_s=30)
        assert done
        return done, {each.step_id: each for each in runs.steps(USER, run_id) if not each.iteration}

    return run


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_written_canonically(name) -> None:
    data = (FOLDER / f"{name}.flow").read_bytes()
    assert dumps(loads(data)) == data


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_has_no_problem(application, name) -> None:
    problems = application.services.plans.check(USER, sample(name))
    assert [each for each in problems if each.code != "provider.credential_missing"] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_card_of_a_sample_has_a_title_and_a_place_on_the_grid(name) -> None:
    plan = sample(name)
    places = [(step.x, step.y) for step in plan.steps]
    assert all(step.title for step in plan.steps)
    assert len(set(places)) == len(places)
    assert all(x % 20 == 0 and y % 20 == 0 for x, y in places)
    assert plan.notes
    assert plan.description


def test_all_samples_are_tested() -> None:
    assert sorted(each.name.removesuffix(".flow") for each in FOLDER.iterdir()) == list(NAMES)


def test_the_digits_are_written_to_the_home_folder_by_default(run, tmp_path) -> None:
    done, steps = run("01_world_digits")
    assert done.state is RunState.SUCCEEDED, done.failure
    folder = tmp_path / "FlowStudio" / "digits"
    with (folder / "digits.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["script"]: row for row in csv.DictReader(file)}
    assert rows["Thai"]["first"] == "U+0E50"
    assert json.loads(rows["Thai"]["signs"]) == list("๐๑๒๓๔๕๖๗๘๙")
    assert {row["digits"] for row in rows.values()} == {"10"}
    assert not [script for script in rows if "Mathematical" in script]
    page = (folder / "digits.html").read_text(encoding="utf-8")
    assert f"{len(rows)} writing systems" in page
    assert "๐๑๒๓๔๕๖๗๘๙" in page
    assert steps["nothing"].state == "skipped"


def test_the_digits_can_be_narrowed_and_put_elsewhere_by_the_input(run, tmp_path) -> None:
    done, _ = run("01_world_digits", folder=str(tmp_path / "other"), script="*arabic*")
    assert done.state is RunState.SUCCEEDED, done.failure
    lines = (tmp_path / "other" / "digits.csv").read_text(encoding="utf-8").splitlines()
    assert [line.partition(",")[0] for line in lines] == ["script", "Arabic-Indic", "Extended Arabic-Indic"]


def test_no_matching_digits_take_the_other_branch(run, tmp_path) -> None:
    done, steps = run("01_world_digits", script="klingon")
    assert done.state is RunState.SUCCEEDED, done.failure
    assert (steps["nothing"].state, steps["table"].state) == ("succeeded", "skipped")
    assert not (tmp_path / "FlowStudio").exists()


def test_a_feed_becomes_a_table_and_a_page(run, httpserver, tmp_path) -> None:
    httpserver.expect_request("/feed").respond_with_data(FEED, content_type="application/rss+xml")
    done, steps = run(
        "02_news_digest", feed_url=httpserver.url_for("/feed"), words="moon", folder=str(tmp_path / "out")
    )
    assert done.state is RunState.SUCCEEDED, done.failure
    with (tmp_path / "out" / "digest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["title"] for row in rows] == ["Mars, too", "Moon <one>"]
    assert rows[1]["published"] == "2025-06-02T10:00:00+00:00"
    page = (tmp_path / "out" / "digest.html").read_text(encoding="utf-8")
    assert "Moon &lt;one&gt;" in page
    assert "javascript:" not in page
    assert "Space &amp; news" in page
    assert steps["each"].output["count"] == 2


def test_a_feed_that_cannot_be_fetched_fails_the_run_with_a_sentence(run, httpserver) -> None:
    httpserver.expect_request("/feed").respond_with_data("gone", status=404)
    done, _ = run("02_news_digest", feed_url=httpserver.url_for("/feed"))
    assert done.state is RunState.FAILED
    assert "404" in done.failure.sentence


@pytest.fixture
def chat_model(application, httpserver):
    choice = {"index": 0, "message": {"role": "assistant", "content": "We are on it."}, "finish_reason": "stop"}
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "m-1", "choices": [choice]}
    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_json(answer)
    fields = {"api_key": "sk-sample", "base_url": httpserver.url_for("/v1")}
    application.services.credentials.save(USER, "openai", fields)


def posted(httpserver) -> list:
    return [request.json for request, _ in httpserver.log if request.path == "/hook"]


def test_an_urgent_message_is_answered_by_the_model_and_posted(run, httpserver, chat_model) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_json({"ok": True})
    done, _ = run("03_urgent_messages", webhook_url=httpserver.url_for("/hook"))
    assert done.state is RunState.SUCCEEDED, done.failure
    assert posted(httpserver) == [{"to": "Ada", "urgent": True, "answer": "We are on it.", "model": "m-1"}]
    asked = next(request.json for request, _ in httpserver.log if request.path.endswith("completions"))
    assert "arrived without its lamp" in asked["messages"][-1]["content"]


def test_a_calm_message_is_thanked_for_without_a_model(run, httpserver) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_json({"ok": True})
    message = {"from": "Bo", "text": "When do you open?"}
    done, steps = run("03_urgent_messages", webhook_url=httpserver.url_for("/hook"), body=message)
    assert done.state is RunState.SUCCEEDED, done.failure
    assert [(each["to"], each["urgent"]) for each in posted(httpserver)] == [("Bo", False)]
    assert steps["answer"].state == "skipped"


def test_an_urgent_message_without_a_key_fails_before_any_request(run, httpserver) -> None:
    done, _ = run("03_urgent_messages", webhook_url=httpserver.url_for("/hook"))
    assert done.state is RunState.FAILED
    assert "OpenAI" in done.failure.sentence
    assert not httpserver.log
