"""A whole engine in a test: a real SQLite file, real threads, actions written as functions."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from flowstudio.engine.engine import Engine
from flowstudio.engine.events import RunEvent
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import IterationPath, Run, RunState, StepRun, TriggerEvent
from flowstudio.engine.payloads import InRows, PayloadStore
from flowstudio.engine.ports import Invocation
from flowstudio.plan.model import Edge, Json, Plan, Step
from flowstudio.plan.rules import FieldInfo
from flowstudio.providers.ratelimit import CallLimit
from flowstudio.providers.result import ProviderResult, ResultError

PATIENCE_S = 10.0


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()


@dataclass(frozen=True)
class Info:
    """What a table knows of an action. header: in which its vendor takes an idempotency key."""

    provider: str
    id: str
    effect: str
    header: str = ""
    title: str = ""
    fields: tuple[FieldInfo, ...] = ()

    def effect_with(self, params: Mapping[str, Json]) -> str:
        return self.effect

    def idempotency_header_with(self, params: Mapping[str, Json]) -> str:
        return self.header


class Actions:
    """`test.write` writes, `test.keyed` too, with an idempotency key; `test.pure` is pure, all else of `test` reads."""

    def find(self, provider: str, action: str) -> Info | None:
        if provider != "test":
            return None
        effect = {"write": "write", "keyed": "write", "pure": "pure"}.get(action, "read")
        return Info(provider, action, effect, "Idempotency-Key" if action == "keyed" else "")

    def suggest(self, provider: str, action: str) -> str:
        return ""


class Functions:
    """Invokes `test.<name>` by calling the function of that name with the Invocation; its value is the output."""

    def __init__(self, **functions: Callable[[Invocation], Any]) -> None:
        self.functions: dict[str, Callable[[Invocation], Any]] = {"echo": echo, "pure": echo, "fail": fail, **functions}
        self.limits: dict[str, CallLimit] = {}
        self.calls: list[Invocation] = []
        self._lock = threading.Lock()

    def limit(self, user_id: str, provider: str, credential: str | None) -> CallLimit | None:
        return self.limits.get(provider)

    def invoke(self, call: Invocation) -> Any:
        with self._lock:
            self.calls.append(call)
        answer = self.functions[call.action](call)
        return answer if isinstance(answer, ProviderResult) else ProviderResult(True, answer)

    def preview(self, call: Invocation) -> ProviderResult:
        return ProviderResult(True, {"action": call.action, "params": dict(call.params)})

    def masked(self, call: Invocation) -> Mapping[str, Json]:
        return call.params

    def called(self) -> list[str]:
        return [call.step_id for call in self.calls]


def echo(call: Invocation) -> Json:
    return call.params.get("value")


def fail(call: Invocation) -> ProviderResult:
    return refusal(retryable=bool(call.params.get("retryable")))


def refusal(*, retryable: bool = False, retry_after_s: float | None = None) -> ProviderResult:
    error = ResultError("provider.vendor", "The vendor said no.", retryable=retryable, retry_after_s=retry_after_s)
    return ProviderResult(False, None, error.sentence, {}, error)


def step(step_id: str, action: str = "test.echo", params: Mapping[str, Json] | None = None, **fields: Any) -> Step:
    provider, name = action.split(".")
    return Step(step_id, provider, name, params=params or {}, **fields)


def edge(text: str) -> Edge:
    """ "a > b" by the port out, "a.true > b" by another."""
    source, target = text.split(" > ")
    name, _, port = source.partition(".")
    return Edge(name, port or "out", target)


def plan(*steps: Step, edges: str = "", **fields: Any) -> Plan:
    """edges: "a > b, b.true > c"."""
    wires = tuple(edge(text.strip()) for text in edges.split(",") if text.strip())
    return Plan("p", "Test plan", steps=steps, edges=wires, **fields)


def new_run(plan: Plan, run_id: str = "r1", data: Json = None) -> Run:
    return Run(run_id, "local", plan, RunState.QUEUED, TriggerEvent(data=data), datetime.now(UTC))


ACTIONS = Actions()


@dataclass
class Workbench:
    """An engine at work and what it told. `open` makes another one over the same store, as a restart does."""

    store: Any
    invoker: Functions
    limits: EngineLimits = field(default_factory=EngineLimits)
    events: list[RunEvent] = field(default_factory=list)
    payloads: PayloadStore = field(default_factory=InRows)
    plans: dict[str, Plan] = field(default_factory=dict)
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> Engine:
        self.engine = Engine(
            self.store,
            self.invoker,
            lambda _user: ACTIONS,
            self.events.append,
            SystemClock(),
            self.limits,
            plans=self,
            payloads=self.payloads,
        )
        self.engine.start()
        return self.engine

    def find(self, user_id: str, plan_id: str) -> Plan | None:
        """The plans that steps can run, by id."""
        return self.plans.get(plan_id)

    def run(self, plan: Plan, run_id: str = "r1", data: Json = None) -> Run:
        """Submits a run and waits for its end."""
        assert self.engine.submit(new_run(plan, run_id, data))
        ended = self.engine.wait(run_id, PATIENCE_S)
        assert ended is not None, f"the run did not end: {self.store.step_runs(run_id)}"
        return ended

    def rows(self, run_id: str = "r1") -> dict[tuple[str, IterationPath], StepRun]:
        return {(row.step_id, row.iteration): row for row in self.store.step_runs(run_id)}

    def row(self, step_id: str, iteration: IterationPath = (), run_id: str = "r1") -> StepRun:
        return self.rows(run_id)[step_id, iteration]

    def outputs(self, run_id: str = "r1") -> dict[str, Json]:
        """Of the top level's steps."""
        return {step_id: row.output for (step_id, path), row in self.rows(run_id).items() if path == ()}
