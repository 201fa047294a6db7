"""The engine over a real SQLite file: durable steps, pure loops, waiting runs, compiling.

Every run is submitted, executed and awaited as the application does it; its steps call a function that does nothing.
"""

import gc
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

from benchmarks.report import Row
from flowstudio.app import SystemClock
from flowstudio.bus import Bus
from flowstudio.engine.compile import compile_plan
from flowstudio.engine.engine import Engine
from flowstudio.engine.model import Run, RunState, TriggerEvent
from flowstudio.engine.ports import Invocation
from flowstudio.plan.model import Edge, Json, Plan, Step
from flowstudio.plan.rules import FieldInfo
from flowstudio.providers.result import ProviderResult
from flowstudio.storage.database import Database
from flowstudio.storage.run_store import SqlRunStore

ROUNDS = 3
CHAIN = 100
"""Steps in a run of the journal benchmark."""


@dataclass(frozen=True, slots=True)
class Echo:
    """An action that answers its param. Its id is its effect: before a write all results must be durable."""

    id: str
    provider: str = "bench"
    title: str = ""
    fields: tuple[FieldInfo, ...] = ()

    @property
    def effect(self) -> str:
        return self.id

    def effect_with(self, params: Mapping[str, Json]) -> str:
        return self.id

    def idempotency_header_with(self, params: Mapping[str, Json]) -> str:
        return ""


class Echoes:
    """Invoker and table of `bench.write` and `bench.pure`."""

    def invoke(self, call: Invocation) -> ProviderResult:
        return ProviderResult(True, call.params.get("value"))

    def find(self, provider: str, action: str) -> Echo | None:
        return Echo(action) if provider == "bench" else None

    def suggest(self, provider: str, action: str) -> str:
        return ""


@contextmanager
def engine(synchronous: str = "FULL") -> Iterator[Engine]:
    folder = Path(tempfile.mkdtemp(prefix="flowstudio-bench-"))
    database = Database(f"sqlite:///{folder / 'bench.db'}", synchronous)
    database.upgrade()
    bus = Bus()
    bus.subscribe(lambda event: None)
    engine = Engine(SqlRunStore(database), Echoes(), Echoes(), bus.publish, SystemClock())
    engine.start()
    try:
        yield engine
    finally:
        engine.close()
        database.close()
        shutil.rmtree(folder)


def rows() -> Iterator[Row]:
    yield Row("durable steps/s, 1 run, FULL", durable_rate(1), "steps/s")
    yield Row("durable steps/s, 8 runs, FULL", durable_rate(8), "steps/s", 5_000)
    yield Row("durable steps/s, 64 runs, FULL", durable_rate(64), "steps/s")
    yield Row("durable steps/s, 8 runs, NORMAL", durable_rate(8, "NORMAL"), "steps/s")
    yield Row("loop-1000, one step an item, durable at its end, FULL", loop_1000(), "s", 0.2, is_least=False)
    yield Row("loop-1000, one write an item, each durable, FULL", loop_1000("write"), "s")
    yield Row("loop-1000, 8 items at once, FULL", loop_1000(parallel=8), "s")
    yield Row("1,000 runs waiting 0.5 s at once, FULL", thousand_waits(), "s")
    yield Row("compile 10,000 steps", compile_10000(), "s", 1.0, is_least=False)


def durable_rate(runs: int, synchronous: str = "FULL") -> float:
    """Steps of chains per second over all runs; each result on disk before the next step starts."""
    plan = chain(CHAIN)
    repeats = max(1, 32 // runs)

    def work(engine: Engine, round_id: str) -> None:
        for repeat in range(repeats):
            run_all(engine, plan, [f"{round_id}-{repeat}-{number}" for number in range(runs)])

    return runs * repeats * CHAIN / seconds(work, synchronous)


def loop_1000(effect: str = "pure", parallel: int = 1) -> float:
    loop = Step("loop", "flow", "loop", params={"items": "{{ trigger }}", "parallel": parallel})
    body = Step("body", "bench", effect, params={"value": "{{ item }}"}, parent="loop")
    plan = Plan("bench", "Loop", steps=(loop, body), edges=(Edge("loop", "body", "body"),))
    items = [{"id": number, "name": f"item {number}"} for number in range(1000)]
    trigger = TriggerEvent(data=list(items))
    return seconds(lambda engine, round_id: run_all(engine, plan, [round_id], trigger))


def thousand_waits() -> float:
    plan = Plan("bench", "Wait", steps=(Step("wait", "wait", "duration", params={"seconds": 0.5}),))
    return seconds(lambda engine, round_id: run_all(engine, plan, [f"{round_id}-{number}" for number in range(1000)]))


def compile_10000() -> float:
    plan = chain(10_000)
    started = time.perf_counter()
    compile_plan(plan, Echoes())
    return time.perf_counter() - started


def chain(length: int) -> Plan:
    ids = [f"s{number}" for number in range(length)]
    steps = [Step(ids[0], "bench", "write", params={"value": {"n": 1, "text": "x" * 100}})]
    steps += [Step(b, "bench", "write", params={"value": f"{{{{ steps.{a}.output }}}}"}) for a, b in pairwise(ids)]
    return Plan("bench", "Chain", steps=tuple(steps), edges=tuple(Edge(a, "out", b) for a, b in pairwise(ids)))


def run_all(engine: Engine, plan: Plan, run_ids: list[str], trigger: TriggerEvent = TriggerEvent()) -> None:  # noqa: B008
    now = datetime.now(UTC)
    for run_id in run_ids:
        engine.submit(Run(run_id, "local", plan, RunState.QUEUED, trigger, now))
    for run_id in run_ids:
        run = engine.wait(run_id, 120.0)
        assert run is not None
        assert run.state is RunState.SUCCEEDED, run.failure


def seconds(work: Callable[[Engine, str], None], synchronous: str = "FULL") -> float:
    """Median of some rounds on one engine, after one round to warm up."""
    with engine(synchronous) as at_work:
        work(at_work, "warm")
        taken: list[float] = []
        for number in range(ROUNDS):
            gc.collect()
            started = time.perf_counter()
            work(at_work, f"round{number}")
            taken.append(time.perf_counter() - started)
    return median(taken)
