"""What a run answers: the first respond step's answer, once it is durable, also after the run was taken up again."""

import threading
from dataclasses import replace

from flowstudio.engine.model import RunState, StepRun, StepState
from flowstudio.engine.reply import Reply
from flowstudio.engine.tickets import Ticket, settled_ticket
from flowstudio.plan.model import Json, Plan
from tests.engine.workbench import PATIENCE_S, SystemClock, Workbench, new_run, plan, step


def answering() -> Plan:
    steps = [step(name, "flow.respond", {"body": name}) for name in ("late", "early")]
    return plan(*steps, step("hear", "wait.webhook"))


def response(body: str) -> dict[str, Json]:
    return {"status": 200, "headers": {}, "body": body}


def row(step_id: str, sequence: int) -> StepRun:
    return StepRun("r1", step_id, (), StepState.SUCCEEDED, sequence, ports=("out",), output=response(step_id))


def test_nobody_hears_an_answer_before_it_is_durable() -> None:
    reply, ticket = Reply(SystemClock()), Ticket(lambda: None)
    reply.give("hello", ticket)
    assert reply.wait(0.05) is None
    threading.Timer(0.01, ticket.settle).start()
    assert reply.wait(PATIENCE_S) == "hello"


def test_a_run_that_ends_without_an_answer_wakes_who_waits() -> None:
    reply = Reply(SystemClock())
    threading.Timer(0.01, reply.close).start()
    assert reply.wait(PATIENCE_S) is None


def test_the_first_answer_counts() -> None:
    reply = Reply(SystemClock())
    reply.give("first", settled_ticket())
    reply.give("second", settled_ticket())
    assert reply.wait(0) == "first"


def test_the_answer_comes_while_the_run_goes_on(bench: Workbench) -> None:
    assert bench.engine.submit(new_run(plan(step("say", "flow.respond", {"body": "hi"}), step("hear", "wait.webhook"))))
    answered = bench.engine.wait_for_reply("r1", PATIENCE_S)
    assert answered is not None
    assert answered.response == response("hi")
    assert bench.row("say").state is StepState.SUCCEEDED
    assert not answered.state.is_final


def test_taken_up_again_a_run_keeps_the_answer_that_was_sent(bench: Workbench) -> None:
    bench.store.create(replace(new_run(answering()), state=RunState.RUNNING))
    bench.store.write([row("early", 1), row("late", 2)])
    bench.engine.recover()
    answered = bench.engine.wait_for_reply("r1", PATIENCE_S)
    assert answered is not None
    assert answered.response == response("early")


def test_without_a_respond_step_the_end_is_waited_for(bench: Workbench) -> None:
    assert bench.engine.submit(new_run(plan(step("a"))))
    ended = bench.engine.wait_for_reply("r1", PATIENCE_S)
    assert ended is not None
    assert ended.state is RunState.SUCCEEDED
    assert ended.response is None
