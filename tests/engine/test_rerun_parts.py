"""Runs that do not do all of their plan: results they begin with, steps left out, pins, dry runs."""

from dataclasses import replace
from typing import Any

import pytest

from flowstudio.engine.engine import Engine
from flowstudio.engine.events import StepStarted, StepSucceeded
from flowstudio.engine.model import Run, RunOptions, RunState, StepRun, StepState
from flowstudio.engine.ports import Invocation
from flowstudio.plan.model import Json, Plan
from flowstudio.storage.run_store import SqlRunStore
from tests.engine.workbench import PATIENCE_S, Functions, Info, SystemClock, Workbench, new_run, plan, step

CHAIN = plan(
    step("a", params={"value": 1}),
    step("b", params={"value": "{{ steps.a.output }}"}),
    step("c", params={"value": "{{ steps.b.output }}"}),
    edges="a > b, b > c",
)


def run_with(bench: Workbench, of: Plan, *seeds: StepRun, **options: Any) -> Run:
    run = replace(new_run(of), options=RunOptions(**options))
    assert bench.engine.submit(run, seeds)
    ended = bench.engine.wait("r1", PATIENCE_S)
    assert ended is not None, bench.rows()
    return ended


def seed(step_id: str, output: Json, path: tuple[int, ...] = (), sequence: int = 1) -> StepRun:
    return StepRun(
        "r1", step_id, path, StepState.SUCCEEDED, sequence, 1, ("out",), output, metadata={"reused_from": "r0"}
    )


def test_a_run_begins_with_the_results_it_is_given_and_tells_of_them(bench: Workbench) -> None:
    run_with(bench, CHAIN, seed("a", "old", sequence=1))
    assert bench.invoker.called() == ["b", "c"]
    assert bench.outputs() == {"a": "old", "b": "old", "c": "old"}
    assert bench.row("a").metadata == {"reused_from": "r0"}
    assert [each.step_id for each in bench.events if isinstance(each, StepSucceeded)] == ["a", "b", "c"]
    assert [each.step_id for each in bench.events if isinstance(each, StepStarted)] == ["b", "c"]


def test_results_meant_for_a_run_that_is_there_already_are_not_stored(bench: Workbench) -> None:
    bench.run(plan(step("a")))
    assert not bench.engine.submit(new_run(CHAIN), [seed("b", "wrong")])
    assert set(bench.outputs()) == {"a"}


def test_steps_that_are_no_part_of_a_run_are_left_out(bench: Workbench) -> None:
    ended = run_with(bench, CHAIN, seed("a", 1), only=frozenset({"b"}))
    assert ended.state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["b"]
    assert (bench.row("c").state, bench.row("c").message) == (StepState.SKIPPED, "it is no part of this run")


def test_finished_items_of_a_loop_are_kept(bench: Workbench) -> None:
    of = plan(step("each", "flow.loop", {"items": [1, 2, 3]}), step("x", params={"value": "{{ item }}"}, parent="each"))
    run_with(bench, of, seed("x", "kept", (0,)), seed("x", "kept too", (1,)))
    assert bench.row("each").output == {"results": ["kept", "kept too", 3], "count": 3}
    assert len(bench.invoker.calls) == 1


def test_a_pinned_output_stands_in_for_its_step(bench: Workbench) -> None:
    run_with(bench, replace(CHAIN, pins={"b": [7]}), uses_pins=True)
    assert bench.invoker.called() == ["a", "c"]
    assert bench.outputs() == {"a": 1, "b": [7], "c": [7]}
    assert bench.row("b").metadata == {"pinned": True}


def test_pins_count_only_in_runs_that_use_them(bench: Workbench) -> None:
    run_with(bench, replace(CHAIN, pins={"b": [7]}))
    assert bench.outputs() == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize(("output", "way"), [({"result": False}, "no"), ({"result": True}, "yes")])
def test_a_pinned_condition_goes_the_way_its_output_says(bench: Workbench, output: Json, way: str) -> None:
    of = plan(
        step("test", "flow.condition", {"condition": "{{ steps.nothing }}"}),
        step("yes"),
        step("no"),
        edges="test.true > yes, test.false > no",
        pins={"test": output},
    )
    run_with(bench, of, uses_pins=True)
    assert bench.invoker.called() == [way]


class Effects:
    """An action table in which `test.<effect>` has that effect."""

    def find(self, provider: str, action: str) -> Info | None:
        return Info(provider, action, action) if provider == "test" else None

    def suggest(self, provider: str, action: str) -> str:
        return ""


EFFECTS = Effects()


class DryBench(Workbench):
    def open(self) -> Engine:
        self.engine = Engine(
            self.store, self.invoker, lambda _user: EFFECTS, self.events.append, SystemClock(), self.limits
        )
        self.engine.start()
        return self.engine


@pytest.fixture
def dry(store: SqlRunStore) -> Any:
    def value(call: Invocation) -> Json:
        return call.params.get("value")

    bench = DryBench(store, Functions(read=value, pure=value, write=value, costs=value))
    yield bench
    bench.engine.close(2.0)


def test_a_dry_run_reads_and_shows_what_it_would_write(dry: Workbench) -> None:
    of = plan(
        step("fetch", "test.read", {"value": 3}),
        step("tidy", "test.pure", {"value": "{{ steps.fetch.output }}"}),
        step("send", "test.write", {"value": "{{ steps.tidy.output }}"}),
        step("pay", "test.costs", {"value": 1}),
        edges="fetch > tidy, tidy > send, send > pay",
    )
    assert run_with(dry, of, is_dry=True).state is RunState.SUCCEEDED
    assert dry.invoker.called() == ["fetch", "tidy"]
    sent = dry.row("send")
    assert (sent.state, sent.output) == (StepState.SKIPPED, {"action": "write", "params": {"value": 3}})
    assert sent.metadata == {"dry_run": "unsent"}
    assert sent.message.startswith("Not sent")
    assert dry.row("pay").output == {"action": "costs", "params": {"value": 1}}


def test_what_needs_an_answer_that_was_not_asked_for_is_skipped_with_a_sentence(dry: Workbench) -> None:
    of = plan(
        step("send", "test.write", title="Create contact"),
        step("show", "test.pure", {"value": "{{ steps.send.output.id }}"}, title="Show"),
        step("again", "test.read", {"value": "{{ steps.show.output }}"}),
        step("free", "test.read", {"value": 1}),
        step("test", "flow.condition", {"condition": "{{ steps.send.output.ok }}"}, title="Is it ok?"),
        step("then", "test.read"),
        edges="send > show, show > again, again > free, send > test, test.true > then",
    )
    assert run_with(dry, of, is_dry=True).state is RunState.SUCCEEDED
    assert dry.invoker.called() == ["free"]
    assert dry.row("show").message == "It needs the result of “Create contact”, which a dry run does not have."
    assert dry.row("again").message == "It needs the result of “Show”, which a dry run does not have."
    assert dry.row("test").message == "It needs the result of “Create contact”, which a dry run does not have."
    assert "cannot tell which way" in dry.row("then").message
    assert all(dry.row(each).state is StepState.SKIPPED for each in ("send", "show", "again", "test", "then"))


def test_a_loop_of_writes_shows_each_and_its_results_are_not_there(dry: Workbench) -> None:
    of = plan(
        step("each", "flow.loop", {"items": [1, 2]}),
        step("send", "test.write", {"value": "{{ item }}"}, parent="each"),
        step("count", "test.pure", {"value": "{{ steps.each.output.results }}"}),
        edges="each.done > count",
    )
    run_with(dry, of, is_dry=True)
    assert [dry.row("send", (n,)).output["params"]["value"] for n in (0, 1)] == [1, 2]  # type: ignore[index, call-overload]
    assert dry.row("count").state is StepState.SKIPPED
    assert dry.invoker.called() == []


def test_a_while_of_writes_ends_after_one_turn(dry: Workbench) -> None:
    of = plan(
        step("until", "flow.while", {"condition": "{{ index < 5 }}", "start": 1}),
        step("send", "test.write", {"value": "{{ index }}"}, parent="until"),
    )
    assert run_with(dry, of, is_dry=True).state is RunState.SUCCEEDED
    assert [path for (step_id, path) in dry.rows() if step_id == "send"] == [(0,)]


def test_a_dry_run_does_not_wait(dry: Workbench) -> None:
    of = plan(
        step("nap", "wait.duration", {"seconds": 3600}),
        step("call", "wait.webhook"),
        step("use", "test.pure", {"value": "{{ steps.call.output.body }}"}),
        step("end", "test.read", {"value": 1}),
        edges="nap > call, call > use, use > end",
    )
    assert run_with(dry, of, is_dry=True).state is RunState.SUCCEEDED
    assert dry.row("nap").message == "Not waited for: this is a dry run."
    assert (dry.row("call").state, dry.row("use").state) == (StepState.SKIPPED, StepState.SKIPPED)
    assert dry.invoker.called() == ["end"]


def test_pins_give_a_dry_run_the_answers_it_does_not_ask_for(dry: Workbench) -> None:
    of = plan(
        step("send", "test.write"),
        step("show", "test.pure", {"value": "{{ steps.send.output.id }}"}),
        edges="send > show",
        pins={"send": {"id": 9}},
    )
    run_with(dry, of, is_dry=True, uses_pins=True)
    assert (dry.row("show").output, dry.invoker.called()) == (9, ["show"])
