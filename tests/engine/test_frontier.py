"""What may start now and what is dead, against a simple reference on random graphs."""

from hypothesis import given
from hypothesis import strategies as st

from flowstudio.engine.compile import Block, compile_plan
from flowstudio.engine.frontier import Frontier
from flowstudio.plan.model import Edge, Plan, Step
from tests.engine.workbench import Actions, plan, step

PORTS = ("out", "other")


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    """Up to 12 steps, edges only from earlier to later ones, some merges that take the first arrival."""
    size = draw(st.integers(1, 12))
    ids = [f"s{number}" for number in range(size)]
    pairs = [(a, b) for b in range(size) for a in range(b)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    edges = tuple(Edge(ids[a], draw(st.sampled_from(PORTS)), ids[b]) for a, b in chosen)
    steps: list[Step] = []
    for step_id in ids:
        is_merge = draw(st.booleans())
        steps.append(step(step_id, "flow.merge", {"mode": "any"}) if is_merge else step(step_id))
    return Plan("p", "Random", steps=tuple(steps), edges=edges)


def block_of(plan: Plan) -> Block:
    return compile_plan(plan, Actions()).top


def reference(plan: Plan, left_by: dict[str, set[str]]) -> set[str]:
    """The steps that run: nothing leads to them, or a step that runs leaves towards them. Steps are in order."""
    runs: set[str] = set()
    for each in plan.steps:
        inlets = [edge for edge in plan.edges if edge.target == each.id]
        if not inlets or any(edge.source in runs and edge.port in left_by[edge.source] for edge in inlets):
            runs.add(each.id)
    return runs


@given(graphs(), st.data())
def test_every_step_starts_or_dies_as_the_reference_says_in_a_legal_order(plan: Plan, data: st.DataObject) -> None:
    left_by = {each.id: set(data.draw(st.lists(st.sampled_from(PORTS)))) for each in plan.steps}
    block = block_of(plan)
    names = [node.step.id for node in block.nodes]
    frontier = Frontier(block)
    ready, dead, settled = frontier.begin(), set[int](), set[int]()
    started = list(ready)
    while ready:
        index = ready.pop(data.draw(st.integers(0, len(ready) - 1)))
        settled.add(index)
        advance = frontier.settle(index, tuple(left_by[names[index]]))
        dead.update(advance.dead)
        for each in advance.ready:
            check_legal(plan, block, each, {names[one] for one in settled | dead}, left_by)
        ready.extend(advance.ready)
        started.extend(advance.ready)
    runs = {names[index] for index in started}
    assert len(runs) == len(started), "a step starts once"
    assert runs == reference(plan, left_by)
    assert {names[index] for index in dead} == set(names) - runs
    assert frontier.is_done


def check_legal(plan: Plan, block: Block, index: int, decided: set[str], left_by: dict[str, set[str]]) -> None:
    node = block.nodes[index]
    inlets = [edge for edge in plan.edges if edge.target == node.step.id]
    if node.takes_first:
        assert any(edge.source in decided and edge.port in left_by[edge.source] for edge in inlets)
    else:
        assert all(edge.source in decided for edge in inlets)


def test_death_spreads_along_a_chain_of_ten_thousand() -> None:
    ids = [f"s{number}" for number in range(10_000)]
    edges = tuple(Edge(ids[at], "out", ids[at + 1]) for at in range(len(ids) - 1))
    frontier = Frontier(block_of(Plan("p", "Long", steps=tuple(step(each) for each in ids), edges=edges)))
    assert frontier.begin() == [0]
    assert len(frontier.settle(0, ()).dead) == 9_999
    assert frontier.is_done


def test_two_edges_from_one_step_count_as_two() -> None:
    frontier = Frontier(block_of(plan(step("a"), step("b"), edges="a.out > b, a.other > b")))
    frontier.begin()
    assert frontier.settle(0, ("other",)).ready == [1]
