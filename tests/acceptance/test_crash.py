"""`kill -9` of a real process in mid-run: the next start goes on at the first step without a durable result.

What is proven here, in the product's words: every step result is in the journal before a dependent step starts; after
`kill -9` the next start resumes the run at the first step without a durable result. The window's turn is in
test_recovery.py.
"""

from typing import Any

import pytest
from conftest import Serve
from faces import CommandLine, Server
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


def post(name: str, vendor: Vendor, **keys: Any) -> dict[str, Any]:
    return step(name, "http", "request", method="POST", url=vendor.url(name), json={"name": name}, **keys)


def killed_while_writing(serve: Serve, vendor: Vendor, *steps: dict[str, Any], **keys: Any) -> str:
    """A run whose process is killed while the vendor holds `write`; its id. The vendor answers again."""
    vendor.held.add("write")
    first = serve()
    run_id = start(first, array(chain("writing", *steps, **keys)))
    vendor.wait_for("write")
    first.kill()
    vendor.release()
    return run_id


def standing(server: Server, run_id: str) -> dict[str, Any]:
    return until(lambda: server.get(f"/api/runs/{run_id}"), lambda run: run["state"] not in ("queued", "running"))


@pytest.mark.parametrize(
    ("answer", "status", "sent"), [("retry", "success", 2), ("done", "success", 1), ("fail", "failed", 1)]
)
def test_a_write_in_flight_is_asked_about_and_each_answer_does_what_it_says(
    serve: Serve, vendor: Vendor, answer: str, status: str, sent: int
) -> None:
    last = step("last", "logic", "transform", template="{{ steps.write.output }}")
    run_id = killed_while_writing(serve, vendor, post("write", vendor, title="Place the order"), last)
    server = serve()

    run = standing(server, run_id)
    assert run["state"] == "interrupted"
    (question,) = run["questions"]
    assert question["step_id"] == "write"
    assert "“Place the order”" in run["failure"]["sentence"]
    assert "http" in run["failure"]["sentence"]
    assert vendor.ledger["write"] == 1
    assert server.get(f"/api/executions/{run_id}")["status"] == "pending"
    refused = server.request("POST", f"/api/runs/{run_id}/answer", json={"answer": "perhaps"})
    assert refused.status_code == 400
    assert (
        server.request("POST", f"/api/runs/{run_id}/answer", json={"answer": "done", "step_id": "last"}).status_code
        == 409
    )

    server.post(f"/api/runs/{run_id}/answer", {"answer": answer, "output": "by hand"})

    run = ended(server, run_id)
    assert run["status"] == status
    assert vendor.ledger["write"] == sent
    if answer == "done":
        assert run["logs"][-1]["output"] == "by hand"
    assert server.request("POST", f"/api/runs/{run_id}/answer", json={"answer": answer}).status_code == 409


def test_a_write_in_flight_whose_vendor_takes_a_key_is_sent_again_with_it(serve: Serve, vendor: Vendor) -> None:
    run_id = killed_while_writing(serve, vendor, post("write", vendor, idempotency_header="Idempotency-Key"))
    assert ended(serve(), run_id)["status"] == "success"
    assert vendor.ledger["write"] == 2
    assert len(set(vendor.keys["write"])) == 1, vendor.keys


def test_an_interrupted_run_can_be_cancelled(serve: Serve, vendor: Vendor) -> None:
    run_id = killed_while_writing(serve, vendor, post("write", vendor))
    server = serve()
    assert standing(server, run_id)["state"] == "interrupted"
    server.post(f"/api/runs/{run_id}/cancel", {})
    assert ended(server, run_id)["status"] == "cancelled"
    assert [step["state"] for step in server.get(f"/api/runs/{run_id}/steps")["steps"]] == ["cancelled"]


def test_a_plan_can_say_beforehand_that_its_writes_are_sent_again(serve: Serve, vendor: Vendor) -> None:
    run_id = killed_while_writing(serve, vendor, post("write", vendor), settings={"after_crash": "retry"})
    assert ended(serve(), run_id)["status"] == "success"
    assert vendor.ledger["write"] == 2


def test_an_answer_can_be_given_on_the_command_line(serve: Serve, vendor: Vendor, cli: CommandLine) -> None:
    last = step("last", "logic", "transform", template="{{ steps.write.output.id }}")
    run_id = killed_while_writing(serve, vendor, post("write", vendor), last)
    server = serve()
    assert standing(server, run_id)["state"] == "interrupted"
    server.stop()
    assert "under way when FlowStudio stopped" in cli("runs", "show", run_id).out
    answered = cli("runs", "answer", run_id, "done", "--output", '{"id": 7}')
    assert answered.code == 0, answered.text
    assert "succeeded" in answered.out
    assert vendor.ledger["write"] == 1
