"""`kill -9` of a real process in mid-run: the next start goes on at the first step without a durable result.

What is proven here, in the product's words: every step result is in the journal before a dependent step starts; after
`kill -9` the next start resumes the run at the first step without a durable result. The window's turn is in
test_recovery.py.
"""

from typing import Any

import pytest
from conftest import Serve
from faces import Server
from plans import chain, flow, step
from polling import until
from vendor import Vendor


def get(name: str, vendor: Vendor, **keys: Any) -> dict[str, Any]:
    return step(name, "http", "request", method="GET", url=vendor.url(name), **keys)


def start(server: Server, plan: dict[str, Any]) -> str:
    """Stores the plan as the app's clients do and starts it without waiting; the run's id."""
    stored = server.post("/api/execution-plans", plan, 201)
    return str(server.post("/api/execute-plan?wait=false", {"execution_plan_id": stored["id"]}, 202)["id"])


def ended(server: Server, run_id: str) -> dict[str, Any]:
    return until(
        lambda: server.get(f"/api/executions/{run_id}"), lambda run: run["status"] not in ("pending", "running")
    )


def array(plan: dict[str, Any]) -> dict[str, Any]:
    """The document as the `plan_json` of a stored plan: an object with `steps`, which the old table allowed."""
    return {"name": plan["name"], "plan_json": plan}


@pytest.mark.parametrize("at", [1, 3, 6])
def test_a_killed_run_goes_on_where_it_was(serve: Serve, vendor: Vendor, at: int) -> None:
    names = [f"s{number}" for number in range(1, 7)]
    held = f"s{at}"
    vendor.held.add(held)
    first = serve()
    run_id = start(first, array(chain("six", *(get(name, vendor) for name in names))))
    vendor.wait_for(held)
    first.kill()
    vendor.release()

    run = ended(serve(), run_id)

    assert run["status"] == "success"
    assert [vendor.ledger[name] for name in names] == [2 if name == held else 1 for name in names]
    assert [line["step"] for line in run["logs"]] == [1, 2, 3, 4, 5, 6]


def test_pure_steps_around_a_call_are_worked_out_again_and_the_call_is_not_repeated(
    serve: Serve, vendor: Vendor
) -> None:
    vendor.held.add("second")
    plan = chain(
        "mixed",
        step("seed", "logic", "transform", template="first"),
        step("one", "http", "request", method="GET", url=vendor.url("{{ steps.seed.output }}")),
        step("next", "logic", "transform", template="{{ steps.one.output.body.name | replace('first', 'second') }}"),
        step("two", "http", "request", method="GET", url=vendor.url("{{ steps.next.output }}")),
        step("last", "logic", "transform", template="{{ steps.two.output.body.name }}"),
    )
    first = serve()
    run_id = start(first, array(plan))
    vendor.wait_for("second")
    first.kill()
    vendor.release()

    run = ended(serve(), run_id)

    assert run["status"] == "success"
    assert run["logs"][-1]["output"] == "second"
    assert vendor.ledger == {"first": 1, "second": 2}


def test_a_killed_loop_does_not_repeat_its_finished_iterations(serve: Serve, vendor: Vendor) -> None:
    vendor.held.add("item5")
    steps = [
        step("each", "flow", "loop", items=[f"item{number}" for number in range(1, 9)]),
        step("call", "http", "request", parent="each", method="GET", url=vendor.url("{{ item }}")),
    ]
    first = serve()
    run_id = start(first, array(flow("eight", steps, "each.body > call")))
    vendor.wait_for("item5")
    first.kill()
    vendor.release()

    run = ended(serve(), run_id)

    assert run["status"] == "success"
    assert [vendor.ledger[f"item{number}"] for number in range(1, 9)] == [1, 1, 1, 1, 2, 1, 1, 1]


def test_parallel_branches_that_had_finished_are_not_repeated(serve: Serve, vendor: Vendor) -> None:
    vendor.held.add("slow")
    steps = [get("start", vendor), get("quick", vendor), get("slow", vendor), get("last", vendor)]
    first = serve()
    plan = flow("branches", steps, "start > quick", "start > slow", "quick > last", "slow > last")
    run_id = start(first, array(plan))
    vendor.wait_for("slow")
    until(
        lambda: first.get(f"/api/executions/{run_id}"),
        lambda run: any(line["step"] == 2 and line["status"] == "success" for line in run["logs"]),
    )
    first.kill()
    vendor.release()

    assert ended(serve(), run_id)["status"] == "success"
    assert vendor.ledger == {"start": 1, "quick": 1, "slow": 2, "last": 1}
