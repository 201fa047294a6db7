"""Runs whose values are too large for rows: what steps see, what is kept, what a lost file or nonsense costs."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowstudio.engine.events import RunEvent, StepSucceeded
from flowstudio.engine.model import Answer, RunOptions, RunState, StepRun, StepState
from flowstudio.engine.payloads import Payload
from flowstudio.engine.ports import Invocation
from flowstudio.plan.evaluation.deferred import holds_deferred, resolved
from flowstudio.plan.model import Json, OnError
from flowstudio.storage.database import Database
from flowstudio.storage.payload_store import PayloadFiles
from flowstudio.storage.payload_uses import PayloadCollection
from flowstudio.storage.run_store import SqlRunStore
from tests.engine.workbench import PATIENCE_S, Functions, Workbench, new_run, plan, step

ROWS = [{"id": number, "name": f"name {number}", "text": "t" * 40} for number in range(2000)]
TEXT = "y" * 200_000


class Collected(Workbench):
    """A workbench whose store has a folder for large values."""

    files: PayloadFiles

    def seen(self, step_id: str) -> Any:
        """The params the action of that step was called with, last."""
        return [call for call in self.invoker.calls if call.step_id == step_id][-1].params.get("value")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Collected]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", "NORMAL")
    database.upgrade()
    files = PayloadFiles(tmp_path / "payloads", is_flushed=False)
    functions = Functions(rows=lambda call: {"rows": ROWS, "count": 2000}, text=lambda call: TEXT)
    bench = Collected(SqlRunStore(database, files), functions, payloads=files)
    bench.files = files
    yield bench
    bench.engine.close(2.0)
    database.close()


def lines_of(call: Invocation) -> Json:
    """A large value that differs from item to item."""
    return {"n": call.params["value"], "lines": [f"line {call.params['value']} {number}" for number in range(8000)]}


def looped(**fields: Any) -> Any:
    return plan(
        step("each", "flow.loop", {"items": [0, 1, 2, 3, 4, 5], "parallel": 3}),
        step("make", "test.lines", {"value": "{{ item }}"}, parent="each"),
        step("again", "flow.loop", {"items": "{{ steps.each.output.results }}"}),
        step("first", params={"value": "{{ item.lines[0] }}"}, parent="again"),
        step("count", params={"value": "{{ steps.each.output.results | length }}"}),
        step("ns", params={"value": "{{ steps.each.output.results | map(attribute='n') | join(' ') }}"}),
        edges="each.done > again, again.done > count, count > ns",
        **fields,
    )


def test_a_large_part_lies_in_a_file_and_steps_see_the_whole(bench: Collected) -> None:
    run = plan(
        step("a", "test.rows"),
        step("b", params={"value": "{{ steps.a.output.rows[7].name }} of {{ steps.a.output.count }}"}),
        step("c", params={"value": {"all": "{{ steps.a.output }}"}}),
        edges="a > b, b > c",
    )
    assert bench.run(run).state is RunState.SUCCEEDED
    kept: Any = bench.row("a").output
    assert isinstance(kept["rows"], Payload)
    assert kept["count"] == 2000
    assert bench.row("b").output == "name 7 of 2000"
    assert bench.seen("c") == {"all": {"rows": ROWS, "count": 2000}}
    assert len(list(bench.files.files())) == 1, "equal values share a file"


def test_no_action_is_ever_given_a_deferred_value(bench: Collected) -> None:
    steps = [
        step("a", "test.rows"),
        step("whole", params={"value": "{{ steps.a.output }}"}),
        step("nested", params={"value": [{"k": "{{ steps.a.output.rows }}"}]}),
        step("filtered", params={"value": "{{ steps.a.output.rows | reverse }}"}),
        step("merged", "flow.merge", {"mode": "all"}),
        step("after", params={"value": "{{ steps.merged.output }}"}),
    ]
    edges = "a > whole, a > nested, a > filtered, whole > merged, nested > merged, filtered > merged, merged > after"
    assert bench.run(plan(*steps, edges=edges), data={"body": ROWS}).state is RunState.SUCCEEDED
    assert not any(holds_deferred(dict(call.params)) for call in bench.invoker.calls)
    assert bench.seen("after")["nested"] == [{"k": ROWS}]


def test_trigger_data_lie_in_a_file_and_expressions_reach_into_them(bench: Collected) -> None:
    run = plan(step("a", params={"value": "{{ trigger.body[3].id }}"}), step("b", params={"value": "{{ trigger }}"}))
    ended = bench.run(run, data={"body": ROWS, "method": "POST"})
    assert isinstance(ended.trigger.data["body"], Payload)  # type: ignore[call-overload,index]
    assert bench.outputs()["a"] == 3
    assert bench.seen("b") == {"body": ROWS, "method": "POST"}


def test_an_answer_lies_in_a_file(bench: Collected) -> None:
    run = plan(step("a", "test.rows"), step("r", "flow.respond", {"body": "{{ steps.a.output.rows }}"}), edges="a > r")
    response: Any = bench.run(run).response
    assert isinstance(response["body"], Payload)
    assert resolved(response) == {"status": 200, "headers": {}, "body": ROWS}
    assert len(list(bench.files.files())) == 1
    assert resolved(bench.store.get("r1").response) == resolved(response)


def test_a_loop_collects_and_a_loop_goes_through_what_lies_in_files(bench: Collected) -> None:
    bench.invoker.functions["lines"] = lines_of
    assert bench.run(looped()).state is RunState.SUCCEEDED
    results: Any = bench.row("each").output
    assert all(isinstance(each["lines"], Payload) for each in results["results"])
    assert bench.outputs()["again"]["results"] == [f"line {number} 0" for number in range(6)]  # type: ignore[index,call-overload]
    assert (bench.outputs()["count"], bench.outputs()["ns"]) == (6, "0 1 2 3 4 5")


def test_results_too_many_for_a_row_lie_in_a_file_of_their_own(bench: Collected) -> None:
    bench.invoker.functions["half"] = lambda call: "h" * 30_000 + str(call.params["value"])
    run = plan(
        step("each", "flow.loop", {"items": [*range(20)]}),
        step("half", "test.half", {"value": "{{ item }}"}, parent="each"),
        step("last", params={"value": "{{ steps.each.output.results[19] | length }}"}),
        edges="each.done > last",
    )
    assert bench.run(run).state is RunState.SUCCEEDED
    assert bench.outputs()["last"] == 30_002
    assert isinstance(bench.row("each").output["results"], Payload)  # type: ignore[call-overload,index]
    assert bench.row("half", (0,)).output == "h" * 30_000 + "0"


def test_a_while_loop_carries_a_large_value_from_turn_to_turn(bench: Collected) -> None:
    bench.invoker.functions["grow"] = lambda call: {"n": call.params["value"]["n"] + 1, "text": TEXT}  # type: ignore[call-overload,index,operator]
    run = plan(
        step("w", "flow.while", {"condition": "{{ item.n < 3 }}", "start": {"n": 0}}),
        step("grow", "test.grow", {"value": "{{ item }}"}, parent="w"),
    )
    assert bench.run(run).state is RunState.SUCCEEDED
    output: Any = resolved(bench.row("w").output)
    assert (output["count"], output["last"]["n"], output["last"]["text"]) == (3, 3, TEXT)


def test_events_carry_no_values_but_count_them(bench: Collected) -> None:
    bench.invoker.functions["list"] = lambda call: ROWS
    bench.run(plan(step("a", "test.list")))
    told = [event for event in bench.events if isinstance(event, StepSucceeded)]
    assert told[0].items == 2000
    assert all(isinstance(event, RunEvent) and len(json.dumps(event.as_json())) < 1000 for event in bench.events)


def test_a_run_goes_on_after_a_restart_with_its_large_values(bench: Collected) -> None:
    bench.engine.close()
    before = new_run(
        plan(
            step("a", "test.rows"),
            step("w", "wait.duration", {"seconds": 0.2}),
            step("b", params={"value": "{{ steps.a.output.rows[9].name }}"}),
            step("c", params={"value": "{{ steps.a.output.rows }}"}),
            edges="a > w, w > b, b > c",
        )
    )
    bench.open().submit(before)
    assert bench.engine.wait("r1", 0.1) is None
    bench.engine.close()
    bench.invoker.calls.clear()
    assert bench.open().recover() == 1
    ended = bench.engine.wait("r1", PATIENCE_S)
    assert ended is not None
    assert ended.state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["b", "c"]
    assert bench.outputs()["b"] == "name 9"
    assert bench.seen("c") == ROWS


def test_a_lost_file_fails_the_step_that_needs_it_and_no_other(bench: Collected) -> None:
    def lose(call: Invocation) -> Json:
        for name in bench.files.files():
            bench.files.path(name).unlink()
        return "lost"

    bench.invoker.functions["lose"] = lose
    run = plan(
        step("a", "test.rows"),
        step("lose", "test.lose"),
        step("count", params={"value": "{{ steps.a.output.rows | length }}"}),
        step("need", params={"value": "{{ steps.a.output.rows[0] }}"}, title="Needs it", on_error=OnError.BRANCH),
        step("instead", params={"value": "{{ steps.need.error.code }}"}),
        edges="a > lose, lose > count, count > need, need.error > instead",
    )
    assert bench.run(run).state is RunState.SUCCEEDED
    failure = bench.row("need").failure
    assert failure is not None
    assert "Needs it" in failure.sentence
    assert "is missing" in failure.sentence
    assert str(bench.files.folder) in failure.sentence
    assert bench.outputs()["count"] == 2000
    assert bench.outputs()["instead"] == "storage.payload_lost"


def _endless() -> Any:
    circle: list[Any] = []
    circle.append(circle)
    return circle


def _deep() -> Any:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("nonsense", "word"),
    [
        (lambda: {"n": math.nan}, "NaN"),
        (lambda: [-math.inf], "infinity"),
        (lambda: {1, 2}, "set"),
        (lambda: {"file": object()}, "object"),
        (lambda: 10**5000, "too many digits"),
        (lambda: b"bytes", "bytes"),
        (_endless, "holds itself"),
        (_deep, "nested too deeply"),
    ],
    ids=["NaN", "infinity", "set", "object", "digits", "bytes", "circle", "deep"],
)
def test_a_step_that_returns_nonsense_fails_with_a_sentence_and_the_engine_goes_on(
    bench: Collected, nonsense: Any, word: str
) -> None:
    bench.invoker.functions["odd"] = lambda call: nonsense()
    odd = step("odd", "test.odd", title="Odd one", on_error=OnError.CONTINUE)
    ended = bench.run(plan(odd, step("after", params={"value": "went on"}), edges="odd > after"))
    assert ended.state is RunState.SUCCEEDED
    failure = bench.row("odd").failure
    assert failure is not None
    assert "Odd one" in failure.sentence
    assert word in failure.sentence
    assert bench.outputs()["after"] == "went on"
    assert bench.run(plan(step("a", params={"value": 1})), "r2").state is RunState.SUCCEEDED


@pytest.mark.parametrize("value", [{"half": "a\ud800b"}, {"big": 2**200}, {"nul": "\0"}, {"big": ["\ud800" * 99_999]}])
def test_odd_values_that_json_can_hold_come_back_exactly(bench: Collected, value: Any) -> None:
    bench.invoker.functions["odd"] = lambda call: value
    run = plan(step("odd", "test.odd"), step("b", params={"value": "{{ steps.odd.output }}"}), edges="odd > b")
    assert bench.run(run).state is RunState.SUCCEEDED
    assert bench.seen("b") == value
    assert resolved(bench.row("odd").output) == value


def test_more_than_memory_should_hold_is_a_sentence_and_its_parts_can_be_read(
    bench: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolved, "__defaults__", (300_000,))
    bench.invoker.functions["texts"] = lambda call: [TEXT, TEXT + "2"]
    run = plan(
        step("a", "test.texts"),
        step("part", params={"value": "{{ steps.a.output[1] | length }}"}),
        step("all", params={"value": "{{ steps.a.output }}"}, title="Takes all"),
        edges="a > part, part > all",
    )
    ended = bench.run(run)
    assert bench.outputs()["part"] == 200_001
    assert ended.state is RunState.FAILED
    assert ended.failure is not None
    assert "Takes all" in ended.failure.sentence
    assert "too much to have in memory at once" in ended.failure.sentence


def test_no_file_of_a_run_under_way_is_collected(bench: Collected) -> None:
    taken: list[int] = []

    def collect(call: Invocation) -> Json:
        taken.append(PayloadCollection(bench.store._database, bench.files).collect(-60.0).files)
        return "collected"

    bench.invoker.functions |= {"collect": collect, "lines": lines_of}
    run = plan(
        step("a", "test.rows"),
        step("c", "test.collect"),
        step("b", params={"value": "{{ steps.a.output.rows }}"}),
        edges="a > c, c > b",
    )
    bench.files.keep(TEXT + "of nobody")
    assert bench.run(run, data=TEXT + "trigger").state is RunState.SUCCEEDED
    assert taken == [1]
    assert bench.row("b").state is StepState.SUCCEEDED


def test_a_pinned_output_lies_in_one_file_however_often_it_stands_in(bench: Collected) -> None:
    body = [step("a", "test.rows", parent="l"), step("b", params={"value": "{{ steps.a.output[7].id }}"}, parent="l")]
    pinned = plan(step("l", "flow.loop", {"items": [1, 2]}), *body, edges="a > b", pins={"a": ROWS})
    run = replace(new_run(pinned), options=RunOptions(uses_pins=True))
    assert bench.engine.submit(run)
    ended = bench.engine.wait("r1", PATIENCE_S)
    assert ended is not None
    assert ended.state is RunState.SUCCEEDED
    assert bench.outputs()["l"] == {"results": [7, 7], "count": 2}
    kept = [bench.row("a", (index,)).output for index in (0, 1)]
    assert isinstance(kept[0], Payload)
    assert kept[0] == kept[1]
    assert resolved(kept[0]) == ROWS


def test_the_result_a_person_gives_lies_in_a_file(bench: Collected) -> None:
    asks = plan(step("w", "test.write"), step("b", params={"value": "{{ steps.w.output[7].id }}"}), edges="w > b")
    bench.store.create(replace(new_run(asks), state=RunState.RUNNING))
    bench.store.write([StepRun("r1", "w", (), StepState.RUNNING, 1)])
    bench.engine.recover()
    assert bench.engine.wait("r1", PATIENCE_S) is None
    bench.engine.answer("r1", "w", (), Answer.DONE, ROWS)
    ended = bench.engine.wait("r1", PATIENCE_S)
    assert ended is not None
    assert isinstance(bench.row("w").output, Payload)
    assert bench.row("b").output == 7
