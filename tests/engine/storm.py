"""Many random runs at once on few threads, steered at random and killed at random; then a look at what is left.

`python -m tests.engine.storm SECONDS [SEED]` goes on for that long.
"""

import itertools
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from flowstudio.engine.errors import NotWaitingError
from flowstudio.engine.limits import EngineLimits
from flowstudio.engine.model import Run, RunState, StepState
from flowstudio.engine.ports import Invocation
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Json, Plan, PlanSettings, WhenBusy
from flowstudio.providers.ratelimit import CallLimit
from flowstudio.storage.database import Database
from flowstudio.storage.run_store import SqlRunStore
from tests.engine import random_plans
from tests.engine.reference import Refused
from tests.engine.test_against_reference import ACTIONS, compare
from tests.engine.test_state_machine import Watched
from tests.engine.workbench import Functions, Workbench, new_run, plan, refusal, step

PATIENCE_S = 30.0
LIMITS = EngineLimits(threads=8, grace_s=0.3)
CHILDREN = {
    "child": replace(
        plan(
            step("nap", "wait.duration", {"seconds": 0.002}),
            step("echo", params={"value": "{{ trigger.v }}"}),
            edges="nap > echo",
        ),
        id="child",
    ),
    "deep": replace(plan(step("call", "flow.subplan", {"plan": "child", "inputs": "{{ trigger }}"})), id="deep"),
}
ENDED_FROM_OUTSIDE = {"engine.replaced", "engine.skipped"}
STORM_ACTIONS = {**ACTIONS, "flaky": ACTIONS["echo"]}
counter = itertools.count()


@dataclass(frozen=True)
class Weather:
    """settings: of the plans, in turn. at_once: calls the provider takes; deaths: how often the process is killed."""

    seed: int
    settings: Sequence[PlanSettings] = (PlanSettings(),)
    at_once: int = 3
    deaths: int = 0
    steerers: int = 2


class Storm:
    def __init__(self, folder: Path) -> None:
        self._database = Database(f"sqlite:///{folder / 'storm.db'}", "NORMAL")
        self._database.upgrade()
        self._random = Random(0)
        self._lock = threading.Lock()
        self._deaths = 0
        self.cancelled: set[str] = set()
        self.ended = 0
        self.states: Counter[RunState] = Counter()
        self.bench = self._open()

    def close(self) -> None:
        self.bench.engine.close(PATIENCE_S)
        self._database.close()

    def _open(self) -> Workbench:
        functions = Functions(**{name: self._dawdling(action) for name, action in ACTIONS.items()}, flaky=self._flaky)
        bench = Workbench(Watched(SqlRunStore(self._database), {}), functions, LIMITS, plans=CHILDREN)
        bench.engine.recover()
        return bench

    def _dawdling(self, action: Callable[[Json], Json]) -> Callable[[Invocation], object]:
        def call(invocation: Invocation) -> object:
            self._dawdle(invocation)
            try:
                return action(invocation.params.get("value"))
            except Refused:
                return refusal()

        return call

    def _flaky(self, invocation: Invocation) -> object:
        self._dawdle(invocation)
        if invocation.attempt == 1 and self._random.random() < 0.5:
            return refusal(retryable=True)
        return invocation.params.get("value")

    def _dawdle(self, invocation: Invocation) -> None:
        if self._random.random() < 0.5:
            invocation.cancel.wait(self._random.random() * 0.003)

    def rage(self, plans: Sequence[Plan], weather: Weather) -> None:
        """Runs every plan, through all that comes; checks what came of them and that nothing is left over."""
        self._random = Random(weather.seed)
        self._deaths = weather.deaths
        self.cancelled.clear()
        self.bench.events.clear()
        self.bench.invoker.limits["test"] = CallLimit("test", "Test", concurrent=weather.at_once)
        settings = itertools.cycle(weather.settings)
        plans = [replace(each, id=f"p{number % 3}", settings=next(settings)) for number, each in enumerate(plans)]
        runs = {f"run{next(counter)}": each for each in plans}
        is_over = threading.Event()
        steerers = [
            threading.Thread(target=self._steer, args=(list(runs), weather.seed + number, is_over), daemon=True)
            for number in range(weather.steerers)
        ]
        for thread in steerers:
            thread.start()
        for run_id, each in runs.items():
            assert self.bench.engine.submit(new_run(each, run_id))
        for _ in range(weather.deaths):
            threading.Event().wait(self._random.random() * 0.05)
            self._die(weather)
        threading.Event().wait(self._random.random() * 0.1)
        is_over.set()
        for thread in steerers:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "a steering call does not come back"
        self._calm_down()
        for run_id, each in runs.items():
            self._check(run_id, each)
        self._check_nothing_is_left()

    def _die(self, weather: Weather) -> None:
        dead = self.bench
        with self._lock:
            dead.store.die()
            for runner in list(dead.engine._runners.values()):
                runner.halt()
            self.bench = self._open()
            self.bench.invoker.limits["test"] = CallLimit("test", "Test", concurrent=weather.at_once)

    def _steer(self, runs: Sequence[str], seed: int, is_over: threading.Event) -> None:
        random = Random(seed)
        while not is_over.wait(random.random() * 0.003):
            engine, run_id = self.bench.engine, random.choice(runs)
            what = random.choice(["pause", "pause", "resume", "resume", "over", "over", "break", "deliver", "cancel"])
            with suppress(NotWaitingError):
                if what == "pause":
                    engine.pause(run_id)
                elif what == "resume":
                    engine.resume(run_id)
                elif what == "over":
                    threading.Thread(target=engine.step_over, args=(run_id,), daemon=True).start()
                elif what == "break":
                    steps = [f"s{number}" for number in range(random.randint(0, 2))]
                    args = (engine, run_id, steps)
                    threading.Thread(target=_set_breakpoints, args=args, daemon=True).start()
                elif what == "deliver":
                    threading.Thread(
                        target=_deliver, args=(engine, self.bench.store, run_id, random.randint(0, 3)), daemon=True
                    ).start()
                elif random.random() < 0.15 and engine.cancel(run_id):
                    self.cancelled.add(run_id)

    def _calm_down(self) -> None:
        """Lets all go on that waits for a person or a call, until every run has ended."""
        deadline = monotonic() + PATIENCE_S
        while left := self.bench.store.unfinished():
            assert monotonic() < deadline, self._told(left)
            for run in left:
                if run.parent is None:
                    with suppress(FlowStudioError):
                        self.bench.engine.set_breakpoints(run.id, {})
                    self.bench.engine.resume(run.id)
                    _deliver(self.bench.engine, self.bench.store, run.id, 1)
            threading.Event().wait(0.005)

    def _told(self, left: Sequence[Run]) -> str:
        runners = self.bench.engine._runners
        return "\n".join(
            f"{run.id} {run.state} {_inside(runners.get(run.id))} "
            f"{[(row.step_id, row.iteration, row.state, row.metadata) for row in self.bench.store.step_runs(run.id)]}"
            f" {run.plan.settings} {run.plan.steps} {run.plan.edges}"
            for run in left
        )

    def _check(self, run_id: str, plan: Plan) -> None:
        run, rows = self.bench.store.get(run_id), self.bench.rows(run_id)
        assert run is not None
        for row in rows.values():
            assert row.state not in (StepState.RUNNING, StepState.WAITING), (run_id, run.state, row)
        code = run.failure.code if run.failure is not None else ""
        self.ended += 1
        self.states[run.state] += 1
        if run.state is RunState.CANCELLED:
            assert run_id in self.cancelled or code in ENDED_FROM_OUTSIDE, (run_id, run.failure)
            return
        assert self._deaths or run_id not in self.cancelled, run
        assert code != "engine.bug", run.failure
        compare(plan, run, rows, STORM_ACTIONS)

    def _check_nothing_is_left(self) -> None:
        engine = self.bench.engine
        for what, is_so in self._leftovers().items():
            deadline = monotonic() + PATIENCE_S
            while not is_so():
                assert monotonic() < deadline, (what, vars(engine._pool), vars(engine._calls), vars(engine._admission))
                threading.Event().wait(0.002)

    def _leftovers(self) -> dict[str, Callable[[], bool]]:
        engine = self.bench.engine
        pool, calls, line, gates = engine._pool, engine._calls, engine._admission, engine._works.gates._gates
        return {
            "no run": lambda: engine.active() == [],
            "every thread idle": lambda: pool._free == len(pool._threads) - len(pool._stuck),
            "no permit": lambda: all(gate._under_way == 0 and not gate._line for gate in gates.values()),
            "no caller": lambda: not calls._callers and not calls._children,
            "no place": lambda: not line._lines and not line._runs and not line._called,
            "nothing for the journal": lambda: not engine._journal._inbox and not engine._journal._backlog,
            "no appointment": lambda: all(entry[2].call is None for entry in engine._timers._heap),
        }


def _inside(runner: Any) -> str:
    if runner is None:
        return "no runner"
    attempts = runner._attempts
    names = {
        k: [a.node.step.id for a in v]
        for k, v in (
            ("flight", attempts.in_flight),
            ("parked", attempts._parked),
            ("held", attempts._held),
            ("standing", runner._standing_by),
        )
    }
    flags = {k: v for k, v in vars(runner).items() if k.startswith(("_is", "_has", "_verdict"))}
    return f"{runner._record.state} {names} {flags}"


def _set_breakpoints(engine: Any, run_id: str, steps: Sequence[str]) -> None:
    with suppress(FlowStudioError):
        engine.set_breakpoints(run_id, dict.fromkeys(steps, ""))


def _deliver(engine: Any, store: Any, run_id: str, call: Json) -> None:
    for row in store.step_runs(run_id):
        if row.state is StepState.WAITING and row.metadata.get("awaits") == "call":
            with suppress(FlowStudioError):
                engine.deliver(run_id, call, row.step_id, row.iteration)


def main(seconds: str = "60", seed: str = "") -> None:
    first = int(seed) if seed else Random().randrange(2**32)
    deadline, rounds = monotonic() + float(seconds), 0
    with tempfile.TemporaryDirectory() as folder:
        storm = Storm(Path(folder))
        while monotonic() < deadline:
            one = Random(first + rounds)
            storm.rage(draw(first + rounds), weather(first + rounds, deaths=one.choice([0, 0, 1, 3])))
            rounds += 1
        print(
            f"{rounds} rounds from seed {first}; {threading.active_count()} threads; {storm.ended} runs: {storm.states}"
        )
        storm.close()


def weather(seed: int, deaths: int = 0) -> Weather:
    random = Random(seed)
    settings = [PlanSettings(random.randint(1, 3), random.choice(list(WhenBusy))) for _ in range(3)]
    return Weather(seed, settings, random.randint(1, 4), deaths)


def draw(seed: int, count: int = 12) -> list[Plan]:
    """Plans that the seed stands for."""
    found: list[list[Plan]] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=2, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    @hypothesis.given(st.lists(random_plans.plans(random_plans.PARKED), min_size=count, max_size=count))
    def keep(plans: list[Plan]) -> None:
        found.append(plans)

    keep()
    return found[-1]


if __name__ == "__main__":
    main(*sys.argv[1:])
