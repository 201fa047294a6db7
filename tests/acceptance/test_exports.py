"""A run's data leaves the program: as JSON, as CSV, as an HTTP Archive. Its log stays readable; no secret is in any."""

import csv
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, Serve
from faces import CommandLine, Server
from plans import Document, chain, flow, save, step
from polling import until
from pytest_httpserver import HTTPServer
from vendor import Vendor
from werkzeug import Request, Response

IN_VAULT = "v4ult-token-for-exports"
IN_HEADER = "h3ader-key-for-exports"
IN_QUERY = "qu3ry-key-for-exports"
IN_BODY = "b0dy-password-for-exports"
SECRETS = (IN_VAULT, IN_HEADER, IN_QUERY, IN_BODY)
PAST = datetime(2026, 1, 1).astimezone()


def run(server: Server, plan: Document) -> str:
    """The id of the run, ended."""
    saved = server.post("/api/execution-plans", plan, 201)
    return server.post("/api/execute-plan", {"execution_plan_id": saved["id"]})["id"]


def exported(server: Server, run_id: str, kind: str, **more: str) -> str:
    answer = server.request("GET", f"/api/runs/{run_id}/export", params={"format": kind, **more})
    assert answer.status_code == 200, answer.text
    return answer.content.decode("utf-8-sig")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def talk(vendor: Vendor) -> Document:
    """A request that fails once, one that is answered at once, and text that a spreadsheet would take for a formula."""
    address = vendor.answers("flaky", (500, {"error": "busy"}), (200, {"people": [{"name": "=1+1", "age": -3}]}))
    retry = {"tries": 3, "delay_s": 0.01}
    first = step("flaky", "http", "request", url=address, method="POST", json={"hello": "wörld"}, retry=retry)
    return chain("talk", first, step("text", "logic", "transform", template="=cmd|'/C calc'!A0"))


def test_json_holds_the_run_its_plan_its_steps_and_its_log(shared: Server, talk: Document) -> None:
    run_id = run(shared, talk)
    document = json.loads(exported(shared, run_id, "json"))
    assert document["format"] == "flowstudio-run/1"
    assert (document["run"]["id"], document["run"]["state"]) == (run_id, "succeeded")
    assert [each["id"] for each in document["plan"]["steps"]] == ["flaky", "text"]
    assert [(each["step_id"], each["state"]) for each in document["steps"]] == [
        ("flaky", "succeeded"),
        ("text", "succeeded"),
    ]
    assert [(each["step_id"], each["level"]) for each in document["log"]] == [("flaky", "warning")]
    assert "busy" in document["log"][0]["text"]


def test_csv_has_a_row_for_each_step_and_no_formula(shared: Server, talk: Document) -> None:
    found = rows(exported(shared, run(shared, talk), "csv"))
    assert [(each["step_id"], each["attempt"], each["state"]) for each in found] == [
        ("flaky", "2", "succeeded"),
        ("text", "1", "succeeded"),
    ]
    assert found[1]["output"] == "'=cmd|'/C calc'!A0"


def test_a_steps_table_is_csv_of_its_own(shared: Server, talk: Document) -> None:
    run_id = run(shared, talk)
    assert rows(exported(shared, run_id, "csv", step="flaky")) == [{"name": "'=1+1", "age": "-3"}]
    refused = shared.request("GET", f"/api/runs/{run_id}/export?format=csv&step=nobody")
    assert (refused.status_code, "nobody" in refused.json()["error"]) == (400, True)


def test_har_holds_every_request_those_that_failed_too(shared: Server, talk: Document, vendor: Vendor) -> None:
    har = json.loads(exported(shared, run(shared, talk), "har"))
    check_har(har)
    entries = har["log"]["entries"]
    assert [(each["response"]["status"], each["_attempt"]) for each in entries] == [(500, 1), (200, 2)]
    sent = entries[0]["request"]
    assert (sent["method"], sent["url"]) == ("POST", vendor.url("flaky"))
    assert json.loads(sent["postData"]["text"]) == {"hello": "wörld"}
    assert json.loads(entries[1]["response"]["content"]["text"])["people"][0]["age"] == -3


def test_a_request_that_got_no_answer_is_in_the_archive_too(shared: Server) -> None:
    nobody = step("dead", "http", "get", url="http://127.0.0.1:9/")
    har = json.loads(exported(shared, run(shared, flow("dead", [nobody])), "har"))
    check_har(har)
    (entry,) = har["log"]["entries"]
    assert entry["response"]["status"] == 0
    assert "127.0.0.1" in entry["_error"]


def test_a_redirect_is_two_entries(shared: Server, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/old").respond_with_data("", 302, headers={"Location": httpserver.url_for("/new")})
    httpserver.expect_request("/new").respond_with_json({"ok": True})
    moved = step("moved", "http", "get", url=httpserver.url_for("/old"))
    entries = json.loads(exported(shared, run(shared, flow("moved", [moved])), "har"))["log"]["entries"]
    assert [(each["response"]["status"], each["request"]["url"][-4:]) for each in entries] == [
        (302, "/old"),
        (200, "/new"),
    ]
    assert entries[0]["response"]["redirectURL"].endswith("/new")


def test_a_long_body_is_cut_and_its_length_told(shared: Server, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/long").respond_with_data("ä" * 50_000, content_type="text/plain; charset=utf-8")
    httpserver.expect_request("/binary").respond_with_data(b"\x00\xff" * 100, content_type="image/png")
    steps = [step(name, "http", "get", url=httpserver.url_for(f"/{name}")) for name in ("long", "binary")]
    har = json.loads(exported(shared, run(shared, chain("long", *steps)), "har"))
    check_har(har)
    long, binary = (each["response"]["content"] for each in har["log"]["entries"])
    assert long["size"] == 100_000
    assert len(long["text"]) < 20_000
    assert long["text"].endswith("ä…")
    assert (binary["size"], "text" in binary) == (200, False)


def test_the_command_line_writes_a_file_at_once_or_not_at_all(
    cli: CommandLine, serve: Serve, talk: Document, tmp_path: Path
) -> None:
    run_id = run(serve(), talk)
    file = tmp_path / "run.har"
    assert cli("runs", "export", run_id, "--format", "har", "-o", str(file)).code == 0
    check_har(json.loads(file.read_text("utf-8")))
    assert cli("runs", "export", "nobody", "-o", str(file)).code == 2
    assert json.loads(file.read_text("utf-8"))["log"]["entries"]
    assert [path.name for path in tmp_path.glob("*.har*")] + [path.name for path in tmp_path.glob(".run*")] == [
        "run.har"
    ]
    assert len(rows(cli("runs", "export", run_id, "--format", "csv").out.lstrip("\ufeff"))) == 2


def test_the_log_is_read_by_level_and_page(cli: CommandLine, serve: Serve, talk: Document) -> None:
    server = serve()
    run_id = run(server, talk)
    page = server.get(f"/api/runs/{run_id}/log?level=warning&limit=1")
    assert [(line["step_id"], line["level"]) for line in page["lines"]] == [("flaky", "warning")]
    assert server.get(f"/api/runs/{run_id}/log?after={page['next']}") == {"lines": [], "next": None}
    assert server.get(f"/api/runs/{run_id}/log?level=error")["lines"] == []
    server.stop()
    assert "busy" in cli("runs", "log", run_id).out
    assert cli("runs", "log", run_id, "--level", "error").out == "The log has no such lines.\n"


def test_a_stranger_sees_neither_log_nor_export(shared: Server, talk: Document) -> None:
    run_id = run(shared, talk)
    for what in ("log", "export?format=har", "export?format=csv"):
        joint = "&" if "?" in what else "?"
        assert shared.request("GET", f"/api/runs/{run_id}/{what}{joint}user_id=eve").status_code == 404


@pytest.fixture
def echo(httpserver: HTTPServer) -> str:
    """A vendor that tells everything it was told: once refusing, then obliging."""
    told: list[int] = []

    def repeat(request: Request) -> Response:
        told.append(1)
        heard: dict[str, Any] = {
            "url": request.url,
            "headers": dict(request.headers),
            "body": request.get_data(as_text=True),
            "plain": " ".join([*request.headers.values(), *request.args.values()]),
        }
        document = {"message": f"Not yet: {heard}"} if len(told) == 1 else heard
        status = 500 if len(told) == 1 else 200
        return Response(
            json.dumps(document), status, content_type="application/json", headers={"Set-Cookie": IN_HEADER}
        )

    httpserver.expect_request("/echo").respond_with_handler(repeat)
    return httpserver.url_for("/echo")


def test_secrets_are_in_no_export_and_no_log(keyed: CommandLine, echo: str, tmp_path: Path) -> None:
    assert keyed("credentials", "set", "http", "--field", "token", "--name", "vendor", stdin=f"{IN_VAULT}\n").code == 0
    telling = step(
        "tell",
        "http",
        "request",
        url=echo,
        method="POST",
        credential="vendor",
        headers={"X-Api-Key": IN_HEADER},
        query={"api_key": IN_QUERY, "page": "7"},
        json={"user": "ann", "password": IN_BODY},
        retry={"tries": 3, "delay_s": 0.01},
    )
    file = save(
        tmp_path, chain("tell", telling, step("again", "logic", "transform", template="{{ steps.tell.output }}"))
    )
    assert keyed("run", file).code == 0
    (listed,) = keyed("runs", "list", "--json").json
    # The vault stays closed here: what is exported must be clean already.
    closed = CommandLine(keyed.data_dir, {"ENCRYPTION_KEY": KEY.swapcase()})
    for arguments in (
        ("export", listed["id"]),
        ("export", listed["id"], "--format", "csv"),
        ("export", listed["id"], "--format", "har"),
        ("export", listed["id"], "--format", "csv", "--step", "tell"),
        ("log", listed["id"]),
    ):
        said = closed("runs", *arguments)
        assert said.code == 0, said.text
        assert [secret for secret in SECRETS if secret in said.text] == [], arguments
    har = json.loads(closed("runs", "export", listed["id"], "--format", "har").out)
    assert len(har["log"]["entries"]) == 2
    assert {"name": "page", "value": "7"} in har["log"]["entries"][0]["request"]["queryString"]


def test_the_address_that_resumes_a_run_is_in_no_export_of_it_nor_of_whom_it_was_told(
    shared: Server, vendor: Vendor
) -> None:
    said = step("said", "logic", "transform", template="{{ trigger.link }}")
    called = shared.post("/api/execution-plans", chain("Called", said), 201)["id"]
    link = {"link": "{{ run.resume_url }}"}
    asking = chain(
        "Asking",
        step("ask", "http", "request", url=vendor.url("mail"), method="POST", json=link),
        step("call", "flow", "subplan", plan=called, inputs=link),
        step("hear", "wait", "webhook"),
    )
    asked = {"execution_plan_id": shared.post("/api/execution-plans", asking, 201)["id"]}
    run_id = shared.post("/api/runs", asked, 202)["id"]
    waiting = until(
        lambda: shared.get(f"/api/runs/{run_id}"), lambda run: run["state"] == "waiting" and held(shared, run_id)
    )
    key = waiting["resume_url"].rsplit("/", 1)[1]
    assert key.encode() in vendor.bodies[0][1]
    for each in (run_id, f"sub:{run_id}:call:"):
        for kind in ("json", "csv", "har"):
            assert key not in exported(shared, each, kind), (each, kind)
    shared.post(f"/api/runs/{run_id}/cancel", {})


def held(server: Server, run_id: str) -> bool:
    """Whether the step that waits for a call does."""
    return any(each["step_id"] == "hear" for each in server.get(f"/api/runs/{run_id}/steps")["steps"])


REQUIRED = {
    "log": ("version", "creator", "entries"),
    "creator": ("name", "version"),
    "page": ("startedDateTime", "id", "title", "pageTimings"),
    "entry": ("startedDateTime", "time", "request", "response", "cache", "timings"),
    "request": (
        "method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize",
    ),
    "response": (
        "status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize",
        "bodySize",
    ),
    "content": ("size", "mimeType"),
    "postData": ("mimeType", "params", "text"),
    "timings": ("send", "wait", "receive"),
}  # fmt: skip
"""What HAR 1.2 does not let out."""


def check_har(har: dict[str, Any]) -> None:
    def holds(what: str, document: dict[str, Any]) -> None:
        assert [name for name in REQUIRED[what] if name not in document] == [], what

    log = har["log"]
    holds("log", log)
    assert log["version"] == "1.2"
    holds("creator", log["creator"])
    ids = set()
    for page in log["pages"]:
        holds("page", page)
        ids.add(page["id"])
    for entry in log["entries"]:
        holds("entry", entry)
        assert entry["pageref"] in ids
        assert datetime.fromisoformat(entry["startedDateTime"]) > PAST
        timings = entry["timings"]
        holds("timings", timings)
        assert all(each >= 0 for each in timings.values())
        assert entry["time"] == pytest.approx(sum(timings.values()), abs=0.002)
        request, response = entry["request"], entry["response"]
        holds("request", request)
        holds("response", response)
        holds("content", response["content"])
        if "postData" in request:
            holds("postData", request["postData"])
        for pair in (*request["headers"], *response["headers"], *request["queryString"]):
            assert isinstance(pair["name"], str)
            assert isinstance(pair["value"], str)
        assert isinstance(response["status"], int)
