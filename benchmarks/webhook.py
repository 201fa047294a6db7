"""webhook-10: a webhook (GET), ten transforms, a JSON answer, through the real server in a process of its own.

The same work that FINDINGS' peers were measured with. Clients keep their connections; every request is one run, durable
before its answer.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.report import Row

SECONDS = 4.0
PATH = "/api/webhook/bench"


def rows() -> Iterator[Row]:
    with server() as port:
        store_plan(port)
        load(port, clients=2, seconds=1.0)
        for clients, goal in ((1, None), (10, 300), (50, None)):
            taken = load(port, clients, SECONDS)
            yield Row(f"webhook-10, {clients} clients, FULL", len(taken) / SECONDS, "requests/s", goal)
            if clients == 10:
                p99 = sorted(taken)[int(len(taken) * 0.99)] * 1000
                yield Row("webhook-10, 10 clients, p99", p99, "ms")


@contextmanager
def server() -> Iterator[int]:
    """`flowstudio serve` on a fresh data folder; its port."""
    folder = Path(tempfile.mkdtemp(prefix="flowstudio-bench-"))
    process = subprocess.Popen(
        [sys.executable, "-m", "flowstudio", "serve", "--port", "0"],
        env={**os.environ, "FLOWSTUDIO_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = next(found for line in process.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield int(address.group(1))
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def store_plan(port: int) -> None:
    transforms = [
        {
            "order": n,
            "provider": "logic",
            "action_id": "transform",
            "params": {"template": f"{{{{ step_{n - 1}.output }}}}"},
        }
        for n in range(2, 11)
    ]
    first = {"order": 1, "provider": "logic", "action_id": "transform", "params": {"template": "{{ trigger.query }}"}}
    trigger = {"type": "webhook", "config": {"webhook_path": "bench"}}
    plan = {"name": "webhook-10", "plan_json": [first, *transforms], "trigger": trigger}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/api/execution-plans", json.dumps(plan), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    connection.close()


def load(port: int, clients: int, seconds: float) -> list[float]:
    """Seconds each request took, from that many clients for that long; every answer is checked."""
    taken: list[float] = []
    end = time.perf_counter() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        mine: list[float] = []
        while (started := time.perf_counter()) < end:
            connection.request("GET", f"{PATH}?name=ada")
            answer: Any = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            assert b'"success"' in body
            mine.append(time.perf_counter() - started)
        connection.close()
        taken.extend(mine)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken
