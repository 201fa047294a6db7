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

from benchmarks.peers import beside
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
    """Invoker and table of `bench.write` and `bench.pure`. called_at: when each call came, once somebody asks."""

    def __init__(self) -> None:
        self.called_at: list[float] | None = None

    def limit(self, user_id: str, provider: str, credential: str | None) -> None:
        return None

    def invoke(self, call: Invocation) -> ProviderResult:
        if self.called_at is not None:
            self.called_at.append(time.perf_counter())
        return ProviderResult(True, call.params.get("value"))

    def find(self, provider: str, action: str) -> Echo | None:
        return Echo(action) if provider == "bench" else None

    def suggest(self, provider: str, action: str) -> str:
        return ""


@contextmanager
def engine(synchronous: str = "FULL", echoes: Echoes | None = None) -> Iterator[Engine]:
    folder = Path(tempfile.mkdtemp(prefix="flowstudio-bench-"))
    database = Database(f"sqlite:///{folder / 'bench.db'}", synchronous)
    database.upgrade()
    bus = Bus()
    bus.subscribe(lambda event: None)
    actions = echoes or Echoes()
    engine = Engine(SqlRunStore(database), actions, lambda _user: actions, bus.publish, SystemClock())
    engine.start()
    try:
        yield engine
    finally:
        engine.close()
        database.close()
        shutil.rmtree(folder)


def rows() -> Iterator[Row]:
    yield Row("durable steps/s, 1 run, FULL", durable_rate(1), "steps/s", peers=beside("durable steps"))
    yield Row("durable steps/s, 8 runs, FULL", durable_rate(8), "steps/s", 8_000)
    yield Row("durable steps/s, 64 runs, FULL", durable_rate(64), "steps/s", 12_000)
    yield Row("durable steps/s, 8 runs, NORMAL", durable_rate(8, "NORMAL"), "steps/s")
    yield Row("pure steps/s, 1 run, journaled, FULL", 1000 / pure_chain(1000), "steps/s", 20_000)
    yield Row("overhead of one pure step, p50", pure_overhead() * 1e6, "us", 40, is_least=False)
    yield Row(
        "loop-1000, one step an item, durable at its end, FULL", loop_1000(), "s", 0.06, False, beside("loop-1000")
    )
    yield Row("loop-1000, one write an item, each durable, FULL", loop_1000("write"), "s")
    yield Row("loop-1000, 8 items at once, FULL", loop_1000(parallel=8), "s")
    yield Row("1,000 runs waiting 0.5 s at once, FULL", thousand_waits(), "s")
    yield from growth()


def growth() -> Iterator[Row]:
    """What a plan of 10,000 steps takes, and against smaller ones."""
    yield Row("10,000 steps, compiled in", compile_10000(), "s", 1.0, is_least=False)
    hundred, thousand, ten_thousand = pure_chain(100, runs=100), pure_chain(1000, runs=10), pure_chain(10_000)
    yield Row("10,000 steps, time of a step against 100 steps", ten_thousand / hundred, "times", 1.1, is_least=False)
    yield Row("ten times the steps (10,000 for 1,000), cost", ten_thousand / thousand * 10, "times", 11, is_least=False)


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


def pure_chain(length: int, runs: int = 1) -> float:
    """Seconds for that many runs, one after the other, of a chain of pure steps."""
    plan = chain(length, "pure")

    def work(engine: Engine, round_id: str) -> None:
        for number in range(runs):
            run_all(engine, plan, [f"{round_id}-{number}"])

    return seconds(work)


def pure_overhead() -> float:
    """Seconds from one call of an action that does nothing to the next, in a chain; the median."""
    plan, echoes = chain(2000, "pure"), Echoes()
    with engine(echoes=echoes) as at_work:
        run_all(at_work, plan, ["warm"])
        echoes.called_at = []
        run_all(at_work, plan, ["measured"])
        return median(after - before for before, after in pairwise(echoes.called_at))


def thousand_waits() -> float:
    plan = Plan("bench", "Wait", steps=(Step("wait", "wait", "duration", params={"seconds": 0.5}),))
    return seconds(lambda engine, round_id: run_all(engine, plan, [f"{round_id}-{number}" for number in range(1000)]))


def compile_10000() -> float:
    plan = chain(10_000)
    started = time.perf_counter()
    compile_plan(plan, Echoes())
    return time.perf_counter() - started


def chain(length: int, effect: str = "write") -> Plan:
    ids = [f"s{number}" for number in range(length)]
    steps = [Step(ids[0], "bench", effect, params={"value": {"n": 1, "text": "x" * 100}})]
    steps += [Step(b, "bench", effect, params={"value": f"{{{{ steps.{a}.output }}}}"}) for a, b in pairwise(ids)]
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
