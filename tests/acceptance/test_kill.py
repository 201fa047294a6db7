"""`kill -9` at random moments under a load of fifty runs, compared with the ledger of the vendor they write to.

What is proven here, in the product's words: no durable result is lost, no completed write is repeated, a write whose
vendor takes no key is never sent a second time unless a person said so, and every run ends or is interrupted with a
reason.
"""

import json
import multiprocessing
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from crash_child import live
from plans import flow, step

LONGEST_LIFE_S = 0.6
ENDS_IN_S = 120
LASTING = ("succeeded", "failed", "skipped")
Key = tuple[str, str, str]


class Ledger:
    """A vendor that counts what it has done. Each twelfth call fails for the moment; a key is honoured once."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.asked = 0
        self._keys: set[str] = set()
        self._rng = random.Random(7)
        self._lock = threading.Lock()
        self._pause = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._requests())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def ask(self, body: dict[str, Any], key: str) -> int:
        with self._lock:
            self.asked += 1
            delay_s, fails = self._rng.random() * 0.01, self._rng.random() < 1 / 12
            if not fails and "write" in body and not (key and key in self._keys):
                self.done[body["write"]] += 1
                self._keys.add(key)
        self._pause.wait(delay_s)
        return 503 if fails else 200

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _requests(self) -> type[BaseHTTPRequestHandler]:
        ledger = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status = ledger.ask(json.loads(text or b"{}"), self.headers.get("Idempotency-Key", ""))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True  # the client was killed: that is what this test does

        return Request


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger()
    yield ledger
    ledger.close()


def document(address: str) -> str:
    """Pure steps, reads, a branch, writes with and without a key, a loop of both, retries and a wait."""

    def call(step_id: str, method: str, **keys: Any) -> dict[str, Any]:
        retry = {"tries": 12, "delay_s": 0.01, "max_delay_s": 0.05}
        return step(step_id, "http", "request", method=method, url=address, retry=retry, **keys)

    def write(step_id: str, path: str = "", **keys: Any) -> dict[str, Any]:
        return call(step_id, "POST", json={"write": f"{{{{ run.id }}}}:{step_id}:{path}"}, **keys)

    steps = [
        step("seed", "logic", "transform", template="{{ run.id }}"),
        call("read", "GET"),
        step("which", "flow", "condition", condition="{{ steps.read.output.status == 200 }}"),
        write("plain"),
        write("keyed", idempotency_header="Idempotency-Key"),
        write("never"),
        step("each", "flow", "loop", items=[0, 1, 2, 3], parallel=2),
        step("pure", "logic", "transform", template="{{ item }}", parent="each"),
        write("one", "{{ index }}", parent="each"),
        write("two", "{{ index }}", parent="each", idempotency_header="Idempotency-Key"),
        step("nap", "wait", "duration", seconds=0.05),
        write("last"),
    ]
    wires = [
        "seed > read", "read > which", "which.true > plain", "which.true > keyed", "which.false > never",
        "plain > each", "each.body > pure", "pure > one", "one > two", "each.done > nap", "nap > last", "keyed > last",
    ]  # fmt: skip
    return json.dumps(flow("crash", steps, *wires))


@pytest.mark.parametrize(("kills", "load"), [(8, 15), pytest.param(200, 50, marks=pytest.mark.slow)])
def test_a_process_may_be_killed_at_any_moment(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int, load: int
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # for the server that forks: it knows no other way
    world = World(tmp_path, ledger, load)
    for life in range(kills):
        world.live_and_die(life)
    world.live_to_the_end(kills)

    runs = world.runs()
    assert len(runs) >= load
    assert set(runs.values()) == {"succeeded"}, Counter(runs.values())
    world.compare()
    answers = Counter(line.split()[0] for line in world.answers().elements())
    print(f"\n{kills} kills, {len(runs)} runs, {ledger.asked} calls, {len(world.durable)} results kept, {answers}")


class World:
    def __init__(self, folder: Path, ledger: Ledger, load: int) -> None:
        self.load = load
        self.ledger = ledger
        self.data_dir = folder / "data"
        self.told = folder / "answers"
        self.told.touch()
        self.durable: dict[Key, tuple[str, str | None]] = {}
        self.sent: dict[str, int] = {}
        self._rng = random.Random(4711)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["crash_child", "requests", "flowstudio.providers.network"])

    def live_and_die(self, life: int) -> None:
        process = self._start(life, is_last=False)
        threading.Event().wait(self._rng.random() * LONGEST_LIFE_S)
        process.kill()  # SIGKILL
        process.join()
        self._look()

    def live_to_the_end(self, life: int) -> None:
        process = self._start(life, is_last=True)
        process.join(ENDS_IN_S)
        assert process.exitcode == 0, f"the last life does not end: {Counter(self.runs().values())}"

    def _start(self, life: int, *, is_last: bool) -> Any:
        at_work = self._context.Event()
        arguments = (
            str(self.data_dir),
            document(self.ledger.address),
            str(self.told),
            self.load,
            life,
            is_last,
            at_work,
        )
        process = self._context.Process(target=live, args=arguments)
        process.start()
        assert at_work.wait(60), "the program does not start"
        return process

    def _look(self) -> None:
        """What is durable now stays so, and what of it was written is not written again."""
        for key, (state, output) in self._results().items():
            if key not in self.durable:
                self.durable[key] = (state, output)
                if state == "succeeded":
                    self.sent[":".join(key)] = self.ledger.done[":".join(key)]

    def compare(self) -> None:
        results = self._results()
        lost = [key for key, kept in self.durable.items() if results.get(key) != kept]
        assert lost == [], "a durable result is not what it was"
        again = [key for key, times in self.sent.items() if self.ledger.done[key] != times]
        assert again == [], "a completed write was repeated"
        allowed = self.answers()
        unasked = {key: times for key, times in self.ledger.done.items() if times > 1 + allowed[f"retry {key}"]}
        assert unasked == {}, "a write was sent twice, and nobody said so"
        undone = {
            ":".join(key): self.ledger.done[":".join(key)]
            for key, (state, _) in results.items()
            if key[1] in ("plain", "keyed", "one", "two", "last") and state == "succeeded"
        }
        by_hand = {line.partition(" ")[2] for line in allowed if line.startswith("done")}
        assert {key for key, times in undone.items() if times == 0} <= by_hand, "a write counts as done and is not"

    def answers(self) -> Counter[str]:
        return Counter(self.told.read_text("utf-8").splitlines())

    def runs(self) -> dict[str, str]:
        return dict(self._rows("SELECT id, state FROM execution_logs"))

    def _results(self) -> dict[Key, tuple[str, str | None]]:
        rows = self._rows("SELECT run_id, step_id, iteration, state, output FROM step_runs")
        return {(run, step, path): (state, output) for run, step, path, state, output in rows if state in LASTING}

    def _rows(self, query: str) -> list[Any]:
        (file,) = self.data_dir.glob("*.db")
        connection = sqlite3.connect(file)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
