"""Plans become programs, once for each content, or a sentence says why not."""

import itertools
from dataclasses import replace

import pytest

from flowstudio.engine.compile import Compiler, compile_plan
from flowstudio.engine.errors import NotRunnableError
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Edge, Plan
from tests.engine.workbench import ACTIONS, Actions, Info, plan, step

LOOP = step("l", "flow.loop", {"items": []})


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (plan(step("a"), step("a")), "two of its steps have the id “a”"),
        (plan(step("a"), edges="a > ghost"), "a step that does not exist (“ghost”)"),
        (plan(step("a"), step("b"), step("c"), edges="a > b, b > c, c > b"), "run in a circle"),
        (plan(step("a"), step("b", parent="a")), "which is not a loop"),
        (plan(step("b", parent="ghost")), "which is not a loop"),
        (plan(LOOP, step("in", parent="l"), step("out"), edges="in > out"), "crosses a loop's border"),
        (plan(LOOP, step("in", parent="l"), edges="l.done > in"), "crosses a loop's border"),
        (plan(replace(LOOP, parent="m"), replace(LOOP, id="m", parent="l")), "loops contain each other"),
    ],
)
def test_an_illegal_plan_is_refused_with_a_sentence(broken: Plan, sentence: str) -> None:
    with pytest.raises(NotRunnableError) as refusal:
        compile_plan(broken, Actions())
    assert sentence in refusal.value.sentence
    assert refusal.value.fix


def test_a_broken_expression_names_its_step_and_field() -> None:
    with pytest.raises(FlowStudioError) as refusal:
        compile_plan(plan(step("a", params={"value": "{{ steps. }}"}, title="Greet")), Actions())
    assert "Greet" in str(refusal.value)
    assert "value" in str(refusal.value)


def test_the_same_content_is_compiled_once() -> None:
    compiler = Compiler(lambda _user: ACTIONS, 8)
    first = compiler.compile(plan(step("a"), step("b"), edges="a > b"), "u")
    assert compiler.compile(plan(step("a"), step("b"), edges="a > b"), "u") is first
    assert compiler.compile(plan(step("a"), step("b")), "u") is not first


def test_the_least_recently_used_program_is_forgotten() -> None:
    compiler = Compiler(lambda _user: ACTIONS, 2)
    plans = [plan(step(name)) for name in "abc"]
    first, second, _ = (compiler.compile(each, "u") for each in plans)
    assert compiler.compile(plans[1], "u") is second
    assert compiler.compile(plans[0], "u") is not first


def test_each_users_own_table_says_what_an_action_does() -> None:
    class Own(Actions):
        """Of a user whose integration only reads."""

        def find(self, provider: str, action: str) -> Info | None:
            return Info(provider, action, "read")

    tables = {"ada": Own(), "bob": ACTIONS}
    compiler = Compiler(tables.__getitem__, 8)
    same = plan(step("a", "test.write"))
    assert compiler.compile(same, "ada").nodes["a"].effect == "read"
    assert compiler.compile(same, "bob").nodes["a"].effect == "write"
    assert compiler.compile(plan(step("a", "test.write")), "ada").nodes["a"].effect == "read"


def test_a_chain_of_ten_thousand_steps_compiles() -> None:
    ids = [f"s{number}" for number in range(10_000)]
    steps = [step(ids[0], params={"value": 1})]
    steps += [step(b, params={"value": f"{{{{ steps.{a}.output }}}}"}) for a, b in itertools.pairwise(ids)]
    edges = tuple(Edge(a, "out", b) for a, b in itertools.pairwise(ids))
    long = Plan("p", "Long", steps=tuple(steps), edges=edges)
    assert len(compile_plan(long, Actions()).nodes) == 10_000
