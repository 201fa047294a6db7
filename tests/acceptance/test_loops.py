"""Loops of every kind, and what ends them early; killed in their middle they give the same results.

What is proven here, in the product's words: loops as containers, nested to any depth, `break`, `skip item`, iteration
results collected in order · while-loops with a condition and a limit · merge modes all, any, first, append, combine by
key, combine by position.
"""

from pathlib import Path
from typing import Any

import pytest
from conftest import Serve
from faces import CommandLine, Server
from plans import Document, flow, save, step
from polling import until
from vendor import Vendor


def say(step_id: str, template: Any, **keys: Any) -> Document:
    return step(step_id, "logic", "transform", template=template, **keys)


def results_of(server: Server, plan: Document) -> dict[str, Any]:
    """Runs a plan to its end; what its top level's steps gave."""
    return outputs(server, finished(server, start(server, plan)))


def start(server: Server, plan: Document) -> str:
    stored = server.post("/api/execution-plans", {"name": plan["name"], "plan_json": plan}, 201)
    return str(server.post("/api/execute-plan?wait=false", {"execution_plan_id": stored["id"]}, 202)["id"])


def finished(server: Server, run_id: str) -> str:
    run = until(
        lambda: server.get(f"/api/executions/{run_id}"), lambda run: run["status"] not in ("pending", "running")
    )
    assert run["status"] == "success", run["error_message"]
    return run_id


def outputs(server: Server, run_id: str) -> dict[str, Any]:
    steps = server.get(f"/api/runs/{run_id}/steps")["steps"]
    return {each["step_id"]: each["output"] for each in steps if each["iteration"] == ""}


def test_a_search_ends_with_what_it_found(shared: Server) -> None:
    steps = [
        step("each", "flow", "loop", items=["ant", "bee", "cat", "dog"]),
        step("is_it", "flow", "condition", parent="each", condition="{{ item == 'cat' }}"),
        step("found", "flow", "break", parent="each", result={"name": "{{ item }}", "place": "{{ index }}"}),
        step("next", "flow", "skip_item", parent="each"),
    ]
    plan = flow("search", steps, "each.body > is_it", "is_it.true > found", "is_it.false > next")
    assert results_of(shared, plan)["each"] == {"results": [{"name": "cat", "place": 2}], "count": 1}


def test_a_while_walks_through_pages_until_there_are_no_more(shared: Server, vendor: Vendor) -> None:
    vendor.answers("page1", (200, {"rows": [1, 2], "next": "page2"}))
    vendor.answers("page2", (200, {"rows": [3], "next": "page3"}))
    vendor.answers("page3", (200, {"rows": [], "next": None}))
    steps = [
        step("pages", "flow", "while", condition="{{ item.next }}", start={"next": "page1"}),
        step("get", "http", "get", parent="pages", url=vendor.url("{{ item.next }}")),
        say("page", "{{ steps.get.output }}", parent="pages"),
        say("rows", "{{ steps.pages.output.results | map(attribute='rows') | list }}"),
    ]
    given = results_of(shared, flow("pages", steps, "pages.body > get", "get > page", "pages.done > rows"))
    assert given["rows"] == [[1, 2], [3], []]
    assert (given["pages"]["count"], given["pages"]["limit_reached"]) == (3, False)


def test_a_while_keeps_to_its_limit_and_says_so(cli: CommandLine, tmp_path: Path) -> None:
    steps = [
        step("forever", "flow", "while", title="Forever", condition="{{ true }}", max_iterations=5),
        say("turn", "{{ index }}", parent="forever"),
    ]
    answer = cli("run", save(tmp_path, flow("forever", steps, "forever.body > turn")), "--json")
    assert answer.code == 0
    assert "stops after 5 turns" in answer.err


def test_loops_nest_five_deep_with_items_in_parallel(shared: Server) -> None:
    names = ["a", "b", "c", "d", "e"]
    loops = [
        step(name, "flow", "loop", items=[0, 1], parallel=2, **({"parent": names[depth - 1]} if depth else {}))
        for depth, name in enumerate(names)
    ]
    bits = "".join("{{ loops." + name + ".item }}" for name in names)
    plan = flow("deep", [*loops, say("bits", f"n{bits}", parent="e")], "a.body > b", "b.body > c", "c.body > d")
    plan["edges"] += flow("", [], "d.body > e", "e.body > bits")["edges"]
    results: Any = results_of(shared, plan)["a"]
    for _ in names[1:]:
        results = {"results": [each for inner in results["results"] for each in inner["results"]]}
    assert results["results"] == [f"n{number:05b}" for number in range(32)]


JOINS = [
    ("all", {}, {"left": [{"id": 1, "a": 1}, {"id": 2, "a": 2}], "right": [{"id": "2", "b": 3}]}),
    ("append", {}, [{"id": 1, "a": 1}, {"id": 2, "a": 2}, {"id": "2", "b": 3}]),
    ("first", {}, [{"id": 1, "a": 1}, {"id": 2, "a": 2}]),
    ("combine_by_key", {"key": "id", "keep": "matched"}, [{"id": "2", "a": 2, "b": 3}]),
    ("combine_by_key", {"key": "id"}, [{"id": 1, "a": 1}, {"id": "2", "a": 2, "b": 3}]),
    ("combine_by_position", {"keep": "shortest"}, [{"id": "2", "a": 1, "b": 3}]),
    ("combine_by_position", {}, [{"id": "2", "a": 1, "b": 3}, {"id": 2, "a": 2}]),
]


@pytest.mark.parametrize(("mode", "params", "output"), JOINS)
def test_a_merge_joins_its_branches(shared: Server, mode: str, params: dict[str, Any], output: Any) -> None:
    steps = [
        say("left", [{"id": 1, "a": 1}, {"id": 2, "a": 2}]),
        say("right", [{"id": "2", "b": 3}]),
        step("joined", "flow", "merge", mode=mode, **params),
    ]
    assert results_of(shared, flow(mode, steps, "left > joined", "right > joined"))["joined"] == output


def test_a_merge_of_any_does_not_wait_for_the_slow_branch(shared: Server, vendor: Vendor) -> None:
    vendor.held.add("slow")
    steps = [
        step("slow", "http", "get", url=vendor.url("slow")),
        say("quick", "q"),
        step("race", "flow", "merge", mode="any"),
        step("after", "http", "get", url=vendor.url("after/{{ steps.race.output }}")),
    ]
    run_id = start(shared, flow("race", steps, "slow > race", "quick > race", "race > after"))
    vendor.wait_for("after/q")
    vendor.release()
    assert outputs(shared, finished(shared, run_id))["race"] == "q"


NESTED = [
    step("rows", "flow", "loop", items=["r1", "r2", "r3", "r4"], parallel=2),
    step("again", "flow", "while", parent="rows", condition="{{ index < 5 }}", start="s"),
    step("call", "http", "get", parent="again", url="{{ vars.base }}/{{ loops.rows.item }}-{{ index }}"),
    step("enough", "flow", "condition", parent="again", condition="{{ index == 2 }}"),
    step("leave", "flow", "break", parent="again", result="{{ loops.rows.item }} at {{ index }}"),
    say("name", "{{ steps.call.output.name }}", parent="again"),
    say("all", "{{ steps.rows.output.results | map(attribute='results') | list }}"),
]
WIRES = ("rows.body > again", "again.body > call", "call > enough", "enough.true > leave", "enough.false > name")


@pytest.mark.parametrize("held", ["r1-0", "r2-2", "r3-1", "r4-2"])
def test_a_while_in_a_loop_killed_in_its_middle_gives_the_same_results(serve: Serve, vendor: Vendor, held: str) -> None:
    plan = flow("nested", NESTED, *WIRES, "rows.done > all", variables={"base": vendor.url("")[:-1]})
    vendor.held.add(held)
    first = serve()
    run_id = start(first, plan)
    vendor.wait_for(held)
    first.kill()
    vendor.release()
    second = serve()
    given = outputs(second, finished(second, run_id))
    assert given["all"] == [[f"r{row}-0", f"r{row}-1", f"r{row} at 2"] for row in (1, 2, 3, 4)]
    calls = {f"r{row}-{turn}" for row in (1, 2, 3, 4) for turn in (0, 1, 2)}
    assert vendor.ledger.keys() == calls
    assert vendor.ledger[held] == 2


def test_a_break_outside_of_a_loop_is_refused_before_it_runs(cli: CommandLine, tmp_path: Path) -> None:
    plan = flow("lost", [step("enough", "flow", "break", title="Enough")])
    answer = cli("run", save(tmp_path, plan))
    assert answer.code == 2
    assert "“Enough” is not inside a loop" in answer.text


def test_a_body_without_its_loop_is_refused_by_name(cli: CommandLine, tmp_path: Path) -> None:
    plan = flow("orphan", [say("lonely", "x", title="Lonely", parent="gone")])
    answer = cli("run", save(tmp_path, plan))
    assert answer.code == 2
    assert "Lonely" in answer.text


def test_a_loop_over_a_number_names_its_step_and_others_go_on(shared: Server) -> None:
    steps = [
        step("each", "flow", "loop", title="Orders", items="{{ vars.n }}"),
        say("one", "{{ item }}", parent="each"),
    ]
    stored = shared.post(
        "/api/execution-plans",
        {"name": "number", "plan_json": flow("number", steps, "each.body > one", variables={"n": 5})},
        201,
    )
    run = shared.post("/api/execute-plan", {"execution_plan_id": stored["id"]})
    assert run["status"] == "failed"
    assert "“Orders”: “items” is a number" in run["error_message"]
    assert results_of(shared, flow("next", [say("ok", "fine")]))["ok"] == "fine"
