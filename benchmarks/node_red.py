"""The same work on Node-RED, when `node-red` is on the PATH."""

import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.load import ask, burst, load, slow_vendor
from benchmarks.process import memory_mb

COMMAND = "node-red"
SECONDS = 4.0
ROUNDS = 3
PATIENCE_S = 60.0

Nodes = Sequence[dict[str, Any]]


def is_installed() -> bool:
    return shutil.which(COMMAND) is not None


def measure() -> Mapping[str, float]:
    """Figures by work, in the units of our own rows."""
    found: dict[str, float] = {}
    with slow_vendor() as vendor, _node_red(vendor) as (port, process, started_s):
        found["start"] = started_s
        found["memory"] = memory_mb(process.pid)
        load(port, "/bench", clients=2, seconds=1.0)
        for clients in (1, 10, 50):
            taken = load(port, "/bench?name=ada", clients, SECONDS, b"ada")
            found[f"webhook-10, {clients}"] = len(taken) / SECONDS
            if clients == 10:
                found["webhook-10, p99"] = sorted(taken)[int(len(taken) * 0.99)] * 1000
        found["loop-1000"] = median(burst(port, "/loop", 1)[0] for _ in range(ROUNDS))
        found["100-concurrent"] = median(burst(port, "/gets", 100)[0] for _ in range(ROUNDS))
    return found


@contextmanager
def _node_red(vendor: int) -> Iterator[tuple[int, "subprocess.Popen[bytes]", float]]:
    """Node-RED with our flows: its port, its process, seconds until its first answer."""
    folder = Path(tempfile.mkdtemp(prefix="flowstudio-bench-"))
    (folder / "flows.json").write_text(json.dumps(_flows(vendor)))
    port = _free_port()
    started = time.perf_counter()
    arguments = [COMMAND, "--userDir", str(folder), "--port", str(port), "-D", "uiHost=127.0.0.1", "flows.json"]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_answer(port)
        yield port, process, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def _flows(vendor: int) -> Nodes:
    transforms = [_function("msg.payload = {...msg.payload}; return msg;") for _ in range(10)]
    gets = [{"type": "http request", "method": "GET", "ret": "obj", "url": f"http://127.0.0.1:{vendor}/"}] * 5
    items = _function("msg.payload = Array.from({length: 1000}, (_, n) => ({id: n, name: `item ${n}`})); return msg;")
    split = {"type": "split", "arraySplt": 1, "arraySpltType": "len", "splt": "\\n", "spltType": "str"}
    looping = [items, split, _function("return msg;"), {"type": "join", "mode": "auto"}]
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        *_chain("bench", transforms),
        *_chain("gets", gets),
        *_chain("loop", looping),
    ]


def _function(code: str) -> dict[str, Any]:
    return {"type": "function", "func": code, "outputs": 1}


def _chain(path: str, work: Nodes) -> Nodes:
    """A webhook, nodes one after the other, an answer."""
    nodes = [{"type": "http in", "url": f"/{path}", "method": "get"}, *work, {"type": "http response"}]
    last = len(nodes) - 1
    return [
        {**node, "id": f"{path}{index}", "z": "tab", "wires": [[f"{path}{index + 1}"]] if index < last else []}
        for index, node in enumerate(nodes)
    ]


def _await_answer(port: int) -> None:
    deadline = time.perf_counter() + PATIENCE_S
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            ask(connection, "/bench")
            return
        except (OSError, AssertionError, http.client.HTTPException):
            if time.perf_counter() > deadline:
                raise
            time.sleep(0.02)
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
