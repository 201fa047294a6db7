"""Values too large for the database, through the real server and command line.

What is proven here, in the product's words: values over 64 kB go to files by hash; a run that makes 1 GB of values
stays under 300 MB of memory, before a `kill -9` and after it; a 200 MB response is a sentence that names the step.
"""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve
from faces import CommandLine, Server
from plans import chain, flow, save, step
from polling import until
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

ROWS = [{"id": number, "name": f"name {number}", "text": "some text " * 5} for number in range(11_000)]
"""1 MB of JSON."""
MOST_MEMORY_MB = 300


def files_of(cli: CommandLine) -> list[Path]:
    return [path for path in (cli.data_dir / "payloads").rglob("*") if path.is_file()]


def peak_mb(server: Server) -> float:
    """The most memory the server's process ever had in use."""
    status = Path(f"/proc/{server.process.pid}/status").read_text("utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def hooked(server: Server, path: str, *steps: dict[str, Any]) -> str:
    plan = chain(path, *steps, triggers=[{"id": "hook", "kind": "webhook", "config": {"webhook_path": path}}])
    return str(server.post("/api/execution-plans", {"name": path, "plan_json": plan}, 201)["id"])


def test_a_large_request_goes_through_a_run_and_comes_back_whole(server: Server, cli: CommandLine) -> None:
    pick = step("pick", "logic", "transform", template="{{ trigger.body.rows[7].name }}")
    respond = step(
        "answer", "flow", "respond", body="{{ trigger.body }}", headers={"X-Name": "{{ steps.pick.output }}"}
    )
    plan_id = hooked(server, "mirror", pick, respond)
    sent = {"rows": ROWS, "count": len(ROWS)}

    answer = server.request("POST", "/api/webhook/mirror", json=sent)

    assert answer.status_code == 200
    assert answer.headers["X-Name"] == "name 7"
    assert answer.json() == sent
    assert len(files_of(cli)) == 1, "request and answer are the same value"
    assert (cli.data_dir / "flowstudio.db").stat().st_size < 500_000
    (run,) = server.get(f"/api/runs?plan_id={plan_id}")["runs"]
    assert run["trigger"]["data"]["body"] == run["answer"]["body"] == sent
    shown = server.get(f"/api/executions/{run['id']}")
    assert shown["trigger_data"]["body"] == sent
    assert shown["logs"][-1]["output"]["body"] == sent


def test_the_command_line_shows_large_values_whole(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text(json.dumps(ROWS), "utf-8")
    plan = chain("p", step("all", "logic", "transform", template="{{ trigger }}"))

    ran = cli("run", save(tmp_path, plan), "--input", f"@{tmp_path / 'data.json'}", "--json")

    assert ran.code == 0, ran.text[:2000]
    assert ran.json["logs"][0]["output"] == ROWS
    assert len(files_of(cli)) == 1


def test_a_lost_file_is_named_where_its_value_is_shown(server: Server, cli: CommandLine) -> None:
    plan_id = hooked(server, "lost", step("all", "logic", "transform", template="{{ trigger.body }}"))
    assert server.request("POST", "/api/webhook/lost", json=ROWS).status_code == 200
    (lost,) = files_of(cli)
    server.stop()
    lost.unlink()

    again = Server(cli)
    try:
        (run,) = again.get(f"/api/runs?plan_id={plan_id}")["runs"]
        assert run["state"] == "succeeded"
        assert str(lost) in run["trigger"]["data"]["body"]
        assert "is missing" in run["trigger"]["data"]["body"]
    finally:
        again.stop()


def test_a_response_of_200_mb_is_a_sentence_that_names_the_step(
    server: Server, cli: CommandLine, httpserver: HTTPServer
) -> None:
    piece = b"x" * 1024 * 1024
    httpserver.expect_request("/huge").respond_with_handler(
        lambda request: Response((piece for _ in range(200)), content_type="text/plain")
    )
    huge = step("huge", "http", "request", title="Fetch it all", method="GET", url=httpserver.url_for("/huge"))
    stored = server.post("/api/execution-plans", {"name": "huge", "plan_json": chain("huge", huge)}, 201)

    run = server.post("/api/execute-plan", {"execution_plan_id": stored["id"]})

    assert run["status"] == "failed"
    assert "Fetch it all" in run["error_message"]
    assert "MB" in run["error_message"]
    assert peak_mb(server) < MOST_MEMORY_MB
    hooked(server, "next", step("a", "logic", "transform", template="fine"))
    assert server.request("GET", "/api/webhook/next").json()["logs"][0]["output"] == "fine"


@pytest.mark.slow
def test_a_run_of_1_gb_stays_small_in_memory_and_goes_on_after_a_kill(
    serve: Serve, cli: CommandLine, httpserver: HTTPServer
) -> None:
    asked: Counter[int] = Counter()
    half_way = threading.Event()

    def answer(request: Request) -> Response:
        number = int(request.args["n"])
        asked[number] += 1
        if len(asked) >= 500:
            half_way.set()
        return Response(json.dumps({"n": number, "rows": [number, *ROWS]}), content_type="application/json")

    httpserver.expect_request("/item").respond_with_handler(answer)
    url = httpserver.url_for("/item")
    steps = [
        step("each", "flow", "loop", items=[*range(1000)], parallel=4),
        step("get", "http", "request", parent="each", method="GET", url=url + "?n={{ item }}"),
        step("again", "flow", "loop", items="{{ steps.each.output.results }}"),
        step(
            "name", "logic", "transform", parent="again", template="{{ item.body.rows[3].name }} of {{ item.body.n }}"
        ),
        step("count", "logic", "transform", template="{{ steps.each.output.results | length }}"),
    ]
    plan = flow("gigabyte", steps, "each.body > get", "again.body > name", "each.done > again", "again.done > count")
    first = serve()
    stored = first.post("/api/execution-plans", {"name": "gigabyte", "plan_json": plan}, 201)
    run_id = first.post("/api/execute-plan?wait=false", {"execution_plan_id": stored["id"]}, 202)["id"]
    assert half_way.wait(120)
    assert peak_mb(first) < MOST_MEMORY_MB
    first.kill()

    second = serve()
    run = until(lambda: second.get(f"/api/runs/{run_id}"), lambda run: run["state"] not in ("running", "waiting"), 240)

    assert run["state"] == "succeeded", run["failure"]
    assert sum(path.stat().st_size for path in files_of(cli)) > 1_000_000_000
    assert sum(asked.values()) <= 1004, "no durable result is asked for again"
    with second.request("GET", f"/api/executions/{run_id}", stream=True) as shown:
        tail, size = b"", 0
        for piece in shown.iter_content(1024 * 1024):
            tail, size = (tail + piece)[-1000:], size + len(piece)
    assert size > 1_000_000_000
    assert b'"output":1000' in tail or b'"output":"1000"' in tail
    assert peak_mb(second) < MOST_MEMORY_MB
