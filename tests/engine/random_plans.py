"""Random plans for the engine and its reference: branches, switches, merges, loops in loops, breaks, failures.

Steps only read what surely ended before them; where a branch was not taken that fails, as it would for a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from flowstudio.plan.model import Edge, Json, OnError, Plan, Retry, Step, StepId, ports_of
from tests.engine.workbench import step

CASES: Json = [{"name": "one", "equals": 1}, {"name": "two", "equals": 2}]
DEEPEST = 2
OUTSIDE = ["test.echo", "test.size", "test.picky", "flow.condition", "flow.switch", "flow.merge"]
LOOPS = ["flow.loop", "flow.while"]
INSIDE = ["flow.break", "flow.skip_item"]
PARKED = ["wait.duration", "wait.webhook", "flow.subplan", "test.flaky"]
"""What holds no thread for a while: times, calls from outside, runs of other plans, tries after tries."""
CHILDREN = ["child", "deep"]
"""Ids of the plans that steps run: each gives what it is given as `v`."""


@dataclass
class Sketch:
    """A plan being drawn. more: kinds of steps beside the plain ones.

    sure: for each step, those of its body that surely ended before it.
    """

    draw: st.DrawFn
    more: Sequence[str] = ()
    steps: list[Step] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    sure: dict[StepId, set[StepId]] = field(default_factory=dict)

    def body(self, loop: StepId | None, depth: int, readable: set[StepId]) -> None:
        members: list[Step] = []
        for _ in range(self.draw(st.integers(1, 5 if loop is None else 3))):
            members.append(self.member(loop, depth, readable, members))

    def member(self, loop: StepId | None, depth: int, outside: set[StepId], before: list[Step]) -> Step:
        step_id = f"s{len(self.steps)}"
        kinds = [*OUTSIDE, *self.more, "flow.stop"] + (LOOPS * 2 if depth < DEEPEST else []) + (INSIDE if loop else [])
        kind = self.draw(st.sampled_from(kinds))
        mode = self.draw(st.sampled_from(["all", "append", "any", "first"]))
        inlets = self.inlets(step_id, before)
        sources = {edge.source for edge in inlets}
        is_race = kind == "flow.merge" and mode == "any"
        self.sure[step_id] = set() if is_race else sources.union(*(self.sure[each] for each in sources))
        readable = outside | self.sure[step_id]
        fields = self.fields(kind, loop is not None)
        made = step(step_id, kind, self.params(kind, mode, readable, loop is not None), parent=loop, **fields)
        self.steps.append(made)
        self.edges += inlets
        if made.kind.holds_steps:
            self.body(step_id, depth + 1, readable)
        return made

    def inlets(self, step_id: StepId, before: list[Step]) -> list[Edge]:
        able = [each for each in before if ports_out(each)]
        if not able or not self.draw(st.integers(0, 3)):
            return []
        sources = self.draw(st.lists(st.sampled_from(able), min_size=1, max_size=3, unique_by=lambda each: each.id))
        return [Edge(each.id, self.draw(st.sampled_from(ports_out(each))), step_id) for each in sources]

    def fields(self, kind: str, is_inside: bool) -> dict[str, Any]:
        policies = [OnError.CONTINUE, OnError.BRANCH, OnError.CONTINUE, OnError.STOP]
        retry = {"retry": Retry(3, 0.001)} if kind == "test.flaky" else {}
        return retry | {
            "on_error": self.draw(st.sampled_from(policies)),
            "disabled": self.draw(st.integers(0, 11)) == 0,
        }

    def params(self, kind: str, mode: str, readable: set[StepId], is_inside: bool) -> dict[str, Json]:
        value = self.value(readable, is_inside)
        if kind == "flow.condition":
            asked = value if "{{" in str(value) else "{{ true }}"
            return {"condition": self.draw(st.sampled_from(["{{ true }}", "{{ false }}", asked]))}
        if kind == "flow.switch":
            return {"value": value, "cases": CASES}
        if kind == "flow.merge":
            return {"mode": mode}
        if kind == "flow.loop":
            items = self.draw(st.lists(st.integers(0, 3), max_size=3))
            return {"items": items, "parallel": self.draw(st.integers(1, 3))}
        if kind == "flow.while":
            conditions = ["index < 2", "index < 3 and item != 1", "{{ true }}", "{{ item }}"]
            condition = self.draw(st.sampled_from(conditions))
            return {"condition": condition, "start": value, "max_iterations": self.draw(st.integers(0, 3))}
        if kind == "flow.stop":
            return {"success": self.draw(st.booleans())}
        if kind == "flow.break":
            return {"result": value} if self.draw(st.booleans()) else {}
        if kind == "wait.duration":
            return {"seconds": self.draw(st.sampled_from([0, 0.001, 0.01]))}
        if kind == "flow.subplan":
            return {"plan": self.draw(st.sampled_from(CHILDREN)), "inputs": {"v": value}}
        return {} if kind in ("flow.skip_item", "wait.webhook") else {"value": value}

    def value(self, readable: set[StepId], is_inside: bool) -> Json:
        choices: list[Json] = [0, 1, 2, "x"]
        choices += [f"{{{{ steps.{each}.output }}}}" for each in sorted(readable)] * 2
        choices += ["{{ item }}", "{{ index }}"] * 2 if is_inside else []
        first, second = self.draw(st.sampled_from(choices)), self.draw(st.sampled_from(choices))
        return [first, second] if self.draw(st.integers(0, 3)) == 0 else first


def ports_out(each: Step) -> list[str]:
    return [port.name for port in ports_of(each) if not port.container]


@st.composite
def plans(draw: st.DrawFn, more: Sequence[str] = ()) -> Plan:
    sketch = Sketch(draw, more)
    sketch.body(None, 0, set())
    return Plan("p", "Random", steps=tuple(sketch.steps), edges=tuple(sketch.edges))
