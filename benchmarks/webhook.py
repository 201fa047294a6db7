"""The real server in a process of its own: webhook-10, 100-concurrent, a thousand waiting runs.

The same work that the peers were measured with. Clients keep their connections; every webhook request is one run,
durable before its answer.
"""

import http.client
import json
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from benchmarks.load import burst, load, slow_vendor
from benchmarks.peers import beside
from benchmarks.process import cpu_s, memory_mb, serving, threads_of
from benchmarks.report import Row

SECONDS = 4.0
ROUNDS = 3
WAITING = 1000
ADDRESS = "/api/webhook/"


def rows() -> Iterator[Row]:
    yield from webhook_10()
    yield from concurrent_100()
    yield from thousand_waiting()


def webhook_10() -> Iterator[Row]:
    with serving() as (port, process):
        store(port, "bench", transforms(10))
        path = f"{ADDRESS}bench?name=ada"
        load(port, path, clients=2, seconds=1.0)
        for clients, goal in ((1, None), (10, 1000), (50, None)):
            spent_s = cpu_s(process.pid)
            taken = load(port, path, clients, SECONDS, b'"success"')
            spent_s = cpu_s(process.pid) - spent_s
            rate = len(taken) / SECONDS
            yield Row(
                f"webhook-10, {clients} clients, FULL",
                rate,
                "requests/s",
                goal,
                True,
                beside(f"webhook-10, {clients}"),
            )
            if clients == 10:
                p99 = sorted(taken)[int(len(taken) * 0.99)] * 1000
                yield Row("webhook-10, 10 clients, p99", p99, "ms", 30, False, beside("webhook-10, p99"))
                yield Row("webhook-10, 10 clients, CPU a request", spent_s / len(taken) * 1000, "ms")


def concurrent_100() -> Iterator[Row]:
    with slow_vendor() as vendor, serving() as (port, _):
        store(port, "gets", gets(5, f"http://127.0.0.1:{vendor}/"))
        burst(port, f"{ADDRESS}gets", 10)
        found = [burst(port, f"{ADDRESS}gets", 100, b'"success"') for _ in range(ROUNDS)]
    taken_s, failures = median(seconds for seconds, _ in found), sum(count for _, count in found)
    yield Row("100-concurrent, five 50 ms GETs each", taken_s, "s", 0.47, False, beside("100-concurrent"))
    yield Row("100-concurrent, failures", failures, "", 0, False)


def thousand_waiting() -> Iterator[Row]:
    """A thousand runs that wait an hour: what they take beyond the idle server."""
    with serving() as (port, process):
        wait = {"order": 1, "provider": "wait", "action_id": "duration", "params": {"seconds": 3600}}
        order = {"execution_plan_id": store(port, "wait", [wait])}
        connection = http.client.HTTPConnection("127.0.0.1", port)
        idle_mb, idle_threads = memory_mb(process.pid), threads_of(process.pid)
        for _ in range(WAITING):
            post(connection, "/api/execute-plan?wait=false", order, 202)
        connection.request("GET", "/api/monitoring/status")
        assert connection.getresponse().read().count(b'"running"') > 1
        connection.close()
        yield Row("1,000 runs waiting, threads over idle", threads_of(process.pid) - idle_threads, "", 40, False)
        yield Row("1,000 runs waiting, memory over idle", memory_mb(process.pid) - idle_mb, "MB", 100, False)


def transforms(count: int) -> Sequence[dict[str, Any]]:
    first = {"order": 1, "provider": "logic", "action_id": "transform", "params": {"template": "{{ trigger.query }}"}}
    others = [
        {
            "order": n,
            "provider": "logic",
            "action_id": "transform",
            "params": {"template": f"{{{{ step_{n - 1}.output }}}}"},
        }
        for n in range(2, count + 1)
    ]
    return [first, *others]


def gets(count: int, url: str) -> Sequence[dict[str, Any]]:
    return [{"order": n, "provider": "http", "action_id": "get", "params": {"url": url}} for n in range(1, count + 1)]


def store(port: int, path: str, steps: Sequence[dict[str, Any]]) -> str:
    """Stores a plan that answers a webhook; its id."""
    trigger = {"type": "webhook", "config": {"webhook_path": path}}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    stored = post(connection, "/api/execution-plans", {"name": path, "plan_json": steps, "trigger": trigger}, 201)
    connection.close()
    return str(stored["id"])


def post(connection: http.client.HTTPConnection, path: str, document: dict[str, Any], *statuses: int) -> Any:
    connection.request("POST", path, json.dumps(document), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status in statuses, body
    return json.loads(body)
