"""What went into a step, found again from results that are kept."""

from datetime import UTC, datetime

from flowstudio.engine.model import IterationPath, Run, RunState, StepRun, StepState, TriggerEvent
from flowstudio.plan.model import Edge, Json, Plan, Step
from flowstudio.workspace.step_input import StepInput, received_by

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def step(step_id: str, parent: str | None = None) -> Step:
    return Step(step_id, "logic", "transform", parent=parent)


def loop(step_id: str, items: Json, parent: str | None = None) -> Step:
    return Step(step_id, "flow", "loop", params={"items": items}, parent=parent)


def received(
    steps: list[Step],
    edges: list[tuple[str, str, str]],
    step_id: str,
    outputs: dict[str, Json],
    iteration: IterationPath = (),
    ports: dict[str, tuple[str, ...]] | None = None,
    data: Json = None,
) -> StepInput:
    """outputs: by step id, or "step@0.1" for one in an iteration."""
    plan = Plan("p", "P", steps=tuple(steps), edges=tuple(Edge(*edge) for edge in edges))
    run = Run("r", "local", plan, RunState.SUCCEEDED, TriggerEvent(data=data), NOW)

    def find(wanted: str, path: IterationPath) -> StepRun | None:
        key = f"{wanted}@{'.'.join(map(str, path))}" if path else wanted
        if key not in outputs:
            return None
        left_by = (ports or {}).get(wanted, ("out",))
        return StepRun("r", wanted, path, StepState.SUCCEEDED, 1, ports=left_by, output=outputs[key])

    return received_by(run, step_id, iteration, find)


def test_the_first_step_received_what_the_trigger_brought() -> None:
    assert received([step("a")], [], "a", {}, data={"x": 1}) == StepInput({"x": 1}, "trigger")


def test_one_source_gives_its_output() -> None:
    found = received([step("a"), step("b")], [("a", "out", "b")], "b", {"a": [1, 2]})
    assert found == StepInput([1, 2], "steps.a.output")


def test_several_sources_give_theirs_by_id_and_dead_ones_nothing() -> None:
    steps, edges = [step("a"), step("b"), step("c"), step("d")], [("a", "out", "d"), ("b", "out", "d")]
    assert received(steps, edges, "d", {"a": 1, "b": 2}) == StepInput({"a": 1, "b": 2}, "")
    alone = received(steps, edges, "d", {"a": 1, "b": 2}, ports={"b": ()})
    assert alone == StepInput(1, "steps.a.output")


def test_the_first_step_of_a_body_received_the_item() -> None:
    steps = [step("a"), loop("each", "{{ steps.a.output }}"), step("in", "each"), step("then", "each")]
    edges = [("a", "out", "each"), ("each", "body", "in"), ("in", "out", "then")]
    outputs: dict[str, Json] = {"a": ["x", "y"], "in@1": "Y!"}
    assert received(steps, edges, "in", outputs, (1,)) == StepInput("y", "item")
    assert received(steps, edges, "then", outputs, (1,)) == StepInput("Y!", "steps.in.output")


def test_a_nested_loop_reads_the_item_of_the_one_around() -> None:
    steps = [loop("outer", [{"tags": ["a"]}, {"tags": ["b", "c"]}]), loop("inner", "{{ item.tags }}", "outer")]
    steps.append(step("in", "inner"))
    edges = [("outer", "body", "inner"), ("inner", "body", "in")]
    assert received(steps, edges, "in", {}, (1, 1)) == StepInput("c", "item")


def test_an_item_that_cannot_be_told_again_is_nothing() -> None:
    steps = [loop("each", "{{ steps.gone.output }}"), step("in", "each")]
    assert received(steps, [("each", "body", "in")], "in", {}, (0,)) == StepInput(None, "item")
