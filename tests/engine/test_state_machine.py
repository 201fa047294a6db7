"""Whatever is done to runs, and however often the process dies: stored states only make legal moves, every run ends."""

import tempfile
import threading
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from flowstudio.engine.errors import NotInterruptedError
from flowstudio.engine.model import FINAL_STATES, LEGAL_MOVES, Answer, RunState
from flowstudio.engine.ports import RunChange
from flowstudio.engine.recovery import questions
from flowstudio.plan.model import AfterCrash, Plan, PlanSettings, Retry
from flowstudio.storage.database import Database
from flowstudio.storage.run_store import SqlRunStore
from tests.engine.workbench import PATIENCE_S, Functions, Workbench, new_run, plan, refusal, step


class Watched:
    """A store that remembers every state it was given, and dies with its engine: then it takes nothing more."""

    def __init__(self, store: Any, moves: dict[str, list[RunState]]) -> None:
        self._store = store
        self._moves = moves
        self._lock = threading.Lock()
        self._is_dead = False

    def write(self, entries: Any, new_runs: Any = (), seeds: Any = ()) -> Any:
        with self._lock:
            if self._is_dead:
                threading.Event().wait()  # a dead process writes nothing, and nobody hears of it
            new = self._store.write(entries, new_runs, seeds)
            for run in new_runs:
                if run.id in new:
                    self._moves[run.id] = [run.state]
            for change in entries:
                if isinstance(change, RunChange):
                    self._moves.setdefault(change.run_id, []).append(change.state)
            return new

    def die(self) -> None:
        with self._lock:
            self._is_dead = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def plans() -> st.SearchStrategy[Plan]:
    write = step("w", "test.write")
    shapes = (
        (write, step("end")),
        (step("a"), write, step("end")),
        (step("nap", "wait.duration", {"seconds": 0.2}), write, step("end")),
        (step("a", "test.flaky", retry=Retry(5, 0.005)), write, step("end")),
        (step("bad", "test.fail"), write),
        (step("l", "flow.loop", {"items": [1, 2, 3], "parallel": 2}), step("end")),
    )
    return st.builds(_plan, st.sampled_from(shapes), st.sampled_from(AfterCrash))


def _plan(steps: Any, policy: AfterCrash) -> Plan:
    edges = ", ".join(f"{a.id}{'.done' if a.id == 'l' else ''} > {b.id}" for a, b in pairwise(steps))
    if steps[0].id == "l":
        steps, edges = (*steps, step("in", "test.write", parent="l")), f"{edges}, l.body > in"
    return plan(*steps, edges=edges, settings=PlanSettings(after_crash=policy))


class Runs(RuleBasedStateMachine):
    """A real engine over a real file. Dying is leaving the engine where it is, its store taking nothing more."""

    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._database = Database(f"sqlite:///{Path(self._folder.name) / 'test.db'}", "NORMAL")
        self._database.upgrade()
        self._count = 0
        self.moves: dict[str, list[RunState]] = {}
        self.bench = self._open()

    def _open(self) -> Workbench:
        functions = Functions(write=_dawdle, flaky=_flaky)
        bench = Workbench(Watched(SqlRunStore(self._database), self.moves), functions)
        bench.engine.recover()
        return bench

    @rule(target=runs, plan=plans())
    def submit(self, plan: Plan) -> str:
        self._count += 1
        assert self.bench.engine.submit(new_run(plan, f"r{self._count}"))
        return f"r{self._count}"

    @rule(run=runs)
    def cancel(self, run: str) -> None:
        self.bench.engine.cancel(run)

    @rule(run=runs)
    def pause(self, run: str) -> None:
        self.bench.engine.pause(run)

    @rule(run=runs)
    def resume(self, run: str) -> None:
        self.bench.engine.resume(run)

    @rule(seconds=st.sampled_from([0.002, 0.02]))
    def let_time_pass(self, seconds: float) -> None:
        threading.Event().wait(seconds)

    @rule(answer=st.sampled_from(Answer))
    def answer_what_is_asked(self, answer: Answer) -> None:
        self._answer(answer, most=1)

    @rule()
    def die(self) -> None:
        dead = self.bench
        dead.store.die()
        for runner in list(dead.engine._runners.values()):
            runner.halt()
        self.bench = self._open()

    @rule()
    def close_and_start(self) -> None:
        self.bench.engine.close(PATIENCE_S)
        self.bench = self._open()

    @invariant()
    def stored_states_make_legal_moves(self) -> None:
        for run_id, states in list(self.moves.items()):
            told = list(states)
            for before, after in pairwise(told):
                assert after is before or after in LEGAL_MOVES[before], (run_id, told)

    def _answer(self, answer: Answer, most: int) -> int:
        store, given = self.bench.store, 0
        for run in store.unfinished():
            for row in questions(store.step_runs(run.id)):
                if given == most:
                    return given
                try:
                    self.bench.engine.answer(run.id, row.step_id, row.iteration, answer, "by hand")
                except NotInterruptedError:
                    continue  # it is still on its way to standing still, or was cancelled meanwhile
                given += 1
        return given

    def teardown(self) -> None:
        deadline = monotonic() + PATIENCE_S
        while left := self.bench.store.unfinished():
            assert monotonic() < deadline, [(run.id, run.state, self.moves[run.id]) for run in left]
            for run in left:
                self.bench.engine.resume(run.id)
            self._answer(Answer.DONE, most=1000)
            threading.Event().wait(0.005)
        self.stored_states_make_legal_moves()
        assert all(states[-1] in FINAL_STATES for states in self.moves.values()), self.moves
        self.bench.engine.close(PATIENCE_S)
        self._database.close()
        self._folder.cleanup()


def _dawdle(call: Any) -> str:
    call.cancel.wait(0.003)
    return "sent"


def _flaky(call: Any) -> Any:
    if call.attempt >= 3:
        return "at last"
    return refusal(retryable=True)


TestRuns = Runs.TestCase
TestRuns.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
