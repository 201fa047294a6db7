"""Random plans give what the reference interpreter says, in a legal order; taken up after a crash, they do so again."""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowstudio.engine.model import IterationPath, Run, RunState, StepRun, StepState
from flowstudio.engine.ports import Invocation
from flowstudio.engine.progress import ITEM_ENDED, RUN_ENDED
from flowstudio.plan.model import Edge, Json, Plan, StepId, StepKind
from flowstudio.storage.database import Database
from flowstudio.storage.run_store import SqlRunStore
from tests.engine.random_plans import plans
from tests.engine.reference import CUT, Account, Action, Place, Reference, Refused
from tests.engine.workbench import PATIENCE_S, Functions, Workbench, new_run, refusal

EXAMPLES = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
numbers = itertools.count()


def echo(value: Json) -> Json:
    return value


def size(value: Json) -> Json:
    return len(str(value)) % 4


def picky(value: Json) -> Json:
    if len(str(value)) % 2:
        raise Refused("The vendor said no.")
    return "fine"


ACTIONS: dict[str, Callable[[Json], Json]] = {"echo": echo, "size": size, "picky": picky}


@dataclass(frozen=True)
class Span:
    """When an action began and ended, in ticks."""

    began: int
    ended: int


class Ledger:
    """The actions as the engine calls them: they take a moment of random length, and note when."""

    def __init__(self) -> None:
        self.spans: dict[Place, Span] = {}
        self._ticks = itertools.count()
        self._random = Random(4711)

    def functions(self) -> Functions:
        return Functions(**{name: self._noting(action) for name, action in ACTIONS.items()})

    def _noting(self, action: Callable[[Json], Json]) -> Callable[[Invocation], object]:
        def call(invocation: Invocation) -> object:
            began = next(self._ticks)
            if self._random.random() < 0.3:
                threading.Event().wait(self._random.random() * 0.002)
            try:
                return action(invocation.params.get("value"))
            except Refused:
                return refusal()
            finally:
                self.spans[invocation.step_id, invocation.iteration] = Span(began, next(self._ticks))

        return call


class Observed:
    """The engine's choices, read from what it wrote down."""

    def __init__(self, plan: Plan, rows: dict[Place, StepRun]) -> None:
        self._rows = rows
        self._started: dict[Place, int] = {}
        parents = {step.id: step.parent for step in plan.steps}
        for step_id, path in rows:
            loop = parents[step_id]
            while loop is not None:
                self._started[loop, path[:-1]] = max(self._started.get((loop, path[:-1]), 0), path[-1] + 1)
                loop, path = parents[loop], path[:-1]

    def is_cut(self, place: Place) -> bool:
        row = self._rows.get(place)
        return row is None or row.state is StepState.CANCELLED or row.message in (RUN_ENDED, ITEM_ENDED)

    def first_arrival(self, sources: "list[Place]") -> Place:  # type: ignore[override]
        return min(sources, key=lambda source: self._rows[source].sequence)

    def items_started(self, loop: Place) -> int:
        return self._started.get(loop, 0)

    def brought(self, place: Place) -> Json:
        return self._rows[place].output


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, ledger: Ledger) -> Iterator[Workbench]:
    path: Path = tmp_path_factory.mktemp("reference") / "runs.db"
    database = Database(f"sqlite:///{path}", "NORMAL")
    database.upgrade()
    bench = Workbench(SqlRunStore(database), ledger.functions())
    yield bench
    bench.engine.close()
    database.close()


@EXAMPLES
@given(plans())
def test_a_plan_gives_what_the_reference_says_in_a_legal_order(bench: Workbench, ledger: Ledger, plan: Plan) -> None:
    ledger.spans.clear()
    bench.events.clear()
    run = bench.run(plan, f"run{next(numbers)}")
    rows = bench.rows(run.id)
    account = compare(plan, run, rows)
    assert account.entries.keys() == rows.keys()
    Order(plan, account, rows, ledger.spans).check()


@EXAMPLES
@given(plans(), st.floats(0, 1))
def test_a_plan_taken_up_after_a_crash_gives_what_the_reference_says(
    bench: Workbench, ledger: Ledger, plan: Plan, fraction: float
) -> None:
    first = bench.run(plan, f"run{next(numbers)}")
    rows = sorted(bench.rows(first.id).values(), key=lambda row: row.sequence)
    durable = rows[: round(fraction * len(rows))]
    run = replace(new_run(plan, f"run{next(numbers)}"), state=RunState.RUNNING)
    bench.store.write([replace(row, run_id=run.id) for row in durable], [run])
    bench.invoker.calls.clear()
    bench.events.clear()
    bench.engine.recover()
    ended = bench.engine.wait(run.id, PATIENCE_S)
    assert ended is not None
    after = bench.rows(run.id)
    known = {(row.step_id, row.iteration): row for row in durable if row.state is not StepState.CANCELLED}
    assert all(after[place].sequence == row.sequence for place, row in known.items()), "a durable result was replaced"
    called = {(call.step_id, call.iteration) for call in bench.invoker.calls}
    assert not called & known.keys(), "a step with a durable result was done again"
    compare(plan, ended, after)


def compare(plan: Plan, run: Run, rows: dict[Place, StepRun], actions: Mapping[str, Action] = ACTIONS) -> Account:
    account = Reference(plan, actions, Observed(plan, rows)).run()
    turns = Turns(plan, account)
    assert rows.keys() <= account.entries.keys()
    for place, entry in account.entries.items():
        row = rows.get(place)
        if row is None:  # in a loop cut off by the run's end, which the next life did not open again
            assert account.enders, place
            assert entry.state in (CUT, "skipped"), place
        elif entry.state == CUT:
            assert turns.is_within_left(place) if row.message == ITEM_ENDED else account.enders, place
        elif not (plan.step(place[0]).kind.holds_steps and turns.is_within_left(place)):
            assert (row.state, row.ports, row.output) == (entry.state, entry.ports, entry.output), place
    assert all(account.enders or turns.is_within_left(place) for place in account.shortened)
    assert run.state is expected_end(account, rows)
    return account


def expected_end(account: Account, rows: dict[Place, StepRun]) -> RunState:
    if not account.enders:
        return RunState.SUCCEEDED
    first = min(account.enders, key=lambda place: rows[place].sequence)
    return RunState.FAILED if account.entries[first].state == "failed" else RunState.SUCCEEDED


class Turns:
    """Which turns of loops are around a place."""

    def __init__(self, plan: Plan, account: Account) -> None:
        self._parents = {step.id: step.parent for step in plan.steps}
        self._left = account.left

    def around(self, place: Place) -> Iterator[tuple[StepId, IterationPath]]:
        step_id, path = place
        while (loop := self._parents[step_id]) is not None:
            yield loop, path
            step_id, path = loop, path[:-1]

    def is_within_left(self, place: Place) -> bool:
        return any(turn in self._left for turn in self.around(place))


class Order:
    """Whether everything happened after what it depends on."""

    def __init__(self, plan: Plan, account: Account, rows: dict[Place, StepRun], spans: dict[Place, Span]) -> None:
        self._plan = plan
        self._account = account
        self._rows = rows
        self._spans = spans
        self._turns = Turns(plan, account)
        self._steps = {step.id: step for step in plan.steps}

    def check(self) -> None:
        for place, entry in self._account.entries.items():
            if entry.state in ("succeeded", "failed"):
                self._check_start(place)
        for step in self._plan.steps:
            if step.kind is StepKind.LOOP:
                self._check_parallel(step.id)

    def _check_start(self, place: Place) -> None:
        """A step starts after all that leads to it has ended or died, a racing merge after one of them."""
        step_id, path = place
        inlets = [edge for edge in self._plan.edges if edge.target == step_id]
        decided = [edge for edge in inlets if self._is_decided_before(edge, place)]
        if self._is_race(step_id):
            assert not inlets or any(edge.port in self._rows[edge.source, path].ports for edge in decided), place
        else:
            assert decided == inlets, place
        for turn in self._turns.around(place):
            leaver = self._account.left.get(turn)
            if leaver is not None and leaver != place and inlets and turn[1] == path:
                last = max(self._rows[edge.source, path].sequence for edge in inlets)
                assert last < self._rows[leaver].sequence or self._is_race(step_id), "it started in an ended item"

    def _is_decided_before(self, edge: Edge, place: Place) -> bool:
        source = (edge.source, place[1])
        if self._account.entries[source].state == CUT or self._rows[source].sequence > self._rows[place].sequence:
            return False
        span = self._spans.get(place)
        return span is None or self._latest_end(source) < span.began

    def _latest_end(self, place: Place) -> int:
        """The tick at which the last action ended that this place's end depended on; -1 when there was none."""
        if place in self._spans:
            return self._spans[place].ended
        step_id, path = place
        inside = [self._spans[each].ended for each in self._spans if self._is_inside(each, place)]
        if self._is_race(step_id) or inside:
            return max(inside, default=-1)
        sources = [(edge.source, path) for edge in self._plan.edges if edge.target == step_id]
        return max((self._latest_end(source) for source in sources), default=-1)

    def _is_inside(self, each: Place, loop: Place) -> bool:
        return any(turn[0] == loop[0] and turn[1][:-1] == loop[1] for turn in self._turns.around(each))

    def _is_race(self, step_id: StepId) -> bool:
        step = self._steps[step_id]
        return step.kind is StepKind.MERGE and step.params.get("mode") == "any"

    def _check_parallel(self, loop: StepId) -> None:
        """At no tick more items are at work than the loop's limit allows."""
        limit = self._steps[loop].params["parallel"]
        assert isinstance(limit, int)
        items: dict[IterationPath, list[Span]] = {}
        for place, span in self._spans.items():
            for owner, path in self._turns.around(place):
                if owner == loop:
                    items.setdefault(path, []).append(span)
        reach = {path: (min(s.began for s in spans), max(s.ended for s in spans)) for path, spans in items.items()}
        for path, (began, _) in reach.items():
            at_work = [p for p, (b, e) in reach.items() if p[:-1] == path[:-1] and b <= began <= e]
            assert len(at_work) <= limit, f"{len(at_work)} items of {loop} at once"
