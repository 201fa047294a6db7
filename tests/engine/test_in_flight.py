"""What was at work at a crash: reads are done again, writes only where that is safe or somebody says so."""

import itertools
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flowstudio.engine.errors import NotInterruptedError
from flowstudio.engine.events import RunStateChanged, StepInterrupted
from flowstudio.engine.model import Answer, Failure, Run, RunState, StepRun, StepState
from flowstudio.plan.model import AfterCrash, OnError, Plan, PlanSettings, Retry, Step
from tests.engine.workbench import PATIENCE_S, Workbench, new_run, plan, step

ASK, RETRY, FAIL = (PlanSettings(after_crash=policy) for policy in AfterCrash)


@pytest.fixture(autouse=True)
def actions(bench: Workbench) -> None:
    bench.invoker.functions |= {"write": lambda call: "sent", "keyed": lambda call: "sent"}


def crashed(bench: Workbench, run_plan: Plan, *rows: StepRun, state: RunState = RunState.RUNNING) -> None:
    """A store as a crash leaves it, and the start after it."""
    bench.store.create(replace(new_run(run_plan), state=state))
    bench.store.write(rows)
    bench.engine.recover()


def result(step_id: str, state: StepState = StepState.SUCCEEDED, **fields: Any) -> StepRun:
    ports = ("out",) if state is StepState.SUCCEEDED else ()
    return StepRun("r1", step_id, (), state, **{"sequence": 1, "ports": ports, **fields})


def ended(bench: Workbench) -> Run:
    run = bench.engine.wait("r1", PATIENCE_S)
    assert run is not None, bench.store.get("r1")
    return run


def interrupted(bench: Workbench) -> Run:
    """The run, once it waits for answers as rows and nobody holds it any more."""
    bench.engine.wait("r1", PATIENCE_S)
    run: Run = bench.store.get("r1")
    assert run.state is RunState.INTERRUPTED, run
    assert bench.engine.active() == []
    return run


def sending(*before: Step, settings: PlanSettings = ASK, **fields: Any) -> Plan:
    """Steps, then a write, then one that reads what the write gave."""
    steps = (*before, step("w", "test.write", **fields), step("last", params={"value": "{{ steps.w.output }}"}))
    edges = ", ".join(f"{a.id} > {b.id}" for a, b in itertools.pairwise(steps))
    return plan(*steps, edges=edges, settings=settings)


def answer(bench: Workbench, answer: Answer, output: Any = None, step_id: str = "w", path: Any = ()) -> None:
    bench.engine.answer("r1", step_id, path, answer, output)


@pytest.mark.parametrize("action", ["echo", "keyed"])
def test_reads_and_writes_with_a_key_are_done_again(bench: Workbench, action: str) -> None:
    crashed(bench, plan(step("a", f"test.{action}")))
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["a"]


def test_a_write_that_may_have_happened_interrupts_the_run_with_a_sentence(bench: Workbench) -> None:
    crashed(bench, sending(step("a"), title="Send it"), result("a"))
    failure = interrupted(bench).failure
    assert failure is not None
    assert (failure.code, failure.step_id) == ("engine.in_flight", "w")
    assert "“Send it”" in failure.sentence
    assert "test" in failure.sentence
    assert all(word in failure.fix for word in ("retry", "done", "fail"))
    assert bench.invoker.calls == [], "nothing is done before somebody has answered"
    assert bench.row("w").state is StepState.RUNNING
    assert [event.step_id for event in bench.events if isinstance(event, StepInterrupted)] == ["w"]
    moves = [event for event in bench.events if isinstance(event, RunStateChanged)]
    assert [(each.state, each.failure) for each in moves] == [(RunState.INTERRUPTED, failure)]


def test_retry_does_it_again(bench: Workbench) -> None:
    crashed(bench, sending())
    interrupted(bench)
    answer(bench, Answer.RETRY)
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["w", "last"]
    assert ended(bench).failure is None


def test_done_takes_the_output_that_was_given(bench: Workbench) -> None:
    crashed(bench, sending())
    interrupted(bench)
    answer(bench, Answer.DONE, {"id": 7})
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["last"]
    assert bench.outputs() == {"w": {"id": 7}, "last": {"id": 7}}


def test_fail_ends_the_step_by_its_own_policy(bench: Workbench) -> None:
    crashed(bench, sending())
    interrupted(bench)
    answer(bench, Answer.FAIL)
    run = ended(bench)
    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert run.failure.code == "engine.in_flight"
    assert bench.invoker.calls == []


def test_fail_lets_a_step_that_may_fail_go_on(bench: Workbench) -> None:
    crashed(bench, sending(on_error=OnError.CONTINUE))
    interrupted(bench)
    answer(bench, Answer.FAIL)
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["last"]


def test_the_plan_can_decide_beforehand(bench: Workbench) -> None:
    crashed(bench, sending(settings=RETRY))
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["w", "last"]


def test_the_plan_can_have_them_fail(bench: Workbench) -> None:
    crashed(bench, sending(settings=FAIL))
    run = ended(bench)
    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert "counts as failed" in run.failure.sentence
    assert bench.invoker.calls == []


def test_a_run_with_several_questions_goes_on_after_the_last_answer(bench: Workbench) -> None:
    steps = [step("a"), step("w", "test.write"), step("v", "test.write"), step("end")]
    crashed(bench, plan(*steps, edges="a > w, a > v, w > end, v > end"), result("a"))
    interrupted(bench)
    answer(bench, Answer.DONE, 1)
    asked = interrupted(bench).failure
    assert asked is not None
    assert asked.step_id == "v", "the run tells the question that is left"
    assert bench.invoker.calls == []
    answer(bench, Answer.RETRY, step_id="v")
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["v", "end"]


def test_every_item_of_a_loop_in_flight_asks_for_itself(bench: Workbench) -> None:
    looped = plan(
        step("l", "flow.loop", {"items": [0, 1, 2, 3], "parallel": 2}),
        step("w", "test.write", parent="l"),
        edges="l.body > w",
    )
    done = replace(result("w", output="kept"), iteration=(0,))
    crashed(bench, looped, done)
    failure = interrupted(bench).failure
    assert failure is not None
    assert "item 2" in failure.sentence
    rows = bench.rows()
    assert {key for key, row in rows.items() if row.state is StepState.RUNNING} == {("w", (1,)), ("w", (2,))}
    answer(bench, Answer.DONE, "mine", path=(1,))
    answer(bench, Answer.RETRY, path=(2,))
    assert ended(bench).state is RunState.SUCCEEDED
    assert sorted(call.iteration for call in bench.invoker.calls) == [(2,), (3,)]
    assert bench.row("l").output == {"results": ["kept", "mine", "sent", "sent"], "count": 4}


def test_a_write_behind_a_step_that_is_done_again_was_not_in_flight(bench: Workbench) -> None:
    crashed(bench, sending(step("a")))
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["a", "w", "last"]


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.WAITING])
def test_nothing_was_in_flight_in_a_run_that_was_not_at_work(bench: Workbench, state: RunState) -> None:
    crashed(bench, sending(), state=state)
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["w", "last"]


def test_a_retry_that_was_waiting_had_not_started(bench: Workbench) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    failure = Failure("provider.vendor", "The vendor said no.", retryable=True)
    waiting = result("w", StepState.WAITING, failure=failure, metadata={"due": past})
    crashed(bench, sending(retry=Retry(3)), waiting)
    assert ended(bench).state is RunState.SUCCEEDED


def test_a_retry_says_that_it_is_at_work_before_it_starts(bench: Workbench) -> None:
    states: list[StepState] = []

    def look(call: Any) -> Any:
        states.extend(row.state for row in bench.store.step_runs("r1"))
        return bench.invoker.functions["fail"](call)

    bench.invoker.functions["write"] = look
    bench.run(plan(step("w", "test.write", {"retryable": True}, retry=Retry(2, 0.001))))
    assert states == [StepState.RUNNING], "the second try; the first has no row"


def test_a_row_that_says_at_work_is_a_question_whatever_the_run_was(bench: Workbench) -> None:
    crashed(bench, sending(), result("w", StepState.RUNNING, attempt=2), state=RunState.WAITING)
    interrupted(bench)


def test_the_first_write_starts_only_when_the_store_knows_that_its_run_is_at_work(bench: Workbench) -> None:
    states: list[RunState] = []
    bench.invoker.functions["write"] = lambda call: states.append(bench.store.get("r1").state)
    bench.run(plan(step("w", "test.write")))
    assert states == [RunState.RUNNING]


def test_an_interrupted_run_can_be_cancelled(bench: Workbench) -> None:
    crashed(bench, sending())
    interrupted(bench)
    assert bench.engine.cancel("r1")
    assert ended(bench).state is RunState.CANCELLED
    assert {step_id: row.state for (step_id, _), row in bench.rows().items()} == {
        "w": StepState.CANCELLED,
        "last": StepState.SKIPPED,
    }


def test_cancel_marks_questions_inside_loops_too(bench: Workbench) -> None:
    looped = plan(step("l", "flow.loop", {"items": [0, 1]}), step("w", "test.write", parent="l"), edges="l.body > w")
    crashed(bench, looped)
    interrupted(bench)
    assert bench.engine.cancel("r1")
    assert ended(bench).state is RunState.CANCELLED
    assert bench.row("w", (0,)).state is StepState.CANCELLED


def test_an_interrupted_run_stays_so_over_restarts(bench: Workbench) -> None:
    crashed(bench, sending())
    interrupted(bench)
    bench.engine.close()
    assert bench.open().recover() == 0
    answer(bench, Answer.DONE)
    assert ended(bench).state is RunState.SUCCEEDED


def test_a_crash_between_the_last_answer_and_the_run_going_on_loses_neither(bench: Workbench) -> None:
    answered = result("w", output="by hand", metadata={"answer": "done"})
    crashed(bench, sending(), answered, state=RunState.INTERRUPTED)
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.outputs()["last"] == "by hand"


def test_a_crash_after_an_answer_asks_again_about_what_was_done_again(bench: Workbench) -> None:
    crashed(bench, sending(), result("w", StepState.RUNNING))
    interrupted(bench)


def test_an_answer_to_nothing_is_refused_with_what_there_is_to_answer(bench: Workbench) -> None:
    with pytest.raises(NotInterruptedError, match="asks nothing"):
        answer(bench, Answer.DONE)
    crashed(bench, sending())
    interrupted(bench)
    with pytest.raises(NotInterruptedError, match="has no open question") as refusal:
        answer(bench, Answer.DONE, step_id="last")
    assert refusal.value.fix == "These have one: w."


def test_after_a_clean_end_of_the_application_nobody_is_asked(bench: Workbench) -> None:
    """Whatever was to start next had not started."""
    gate = threading.Event()
    bench.invoker.functions["hold"] = lambda call: gate.wait(PATIENCE_S)
    bench.engine.submit(new_run(sending(step("a", "test.hold"))))
    threading.Timer(0.05, gate.set).start()
    bench.engine.close(PATIENCE_S)
    assert bench.store.get("r1").state is RunState.WAITING
    assert bench.open().recover() == 1
    assert ended(bench).state is RunState.SUCCEEDED
    assert bench.invoker.called() == ["a", "w", "last"]


def test_a_write_that_was_cut_off_by_the_end_of_the_application_is_asked_about(bench: Workbench) -> None:
    entered = threading.Event()

    def obedient(call: Any) -> Any:
        entered.set()
        call.cancel.wait(PATIENCE_S)
        return bench.invoker.functions["fail"](call)

    bench.invoker.functions["write"] = obedient
    bench.engine.submit(new_run(sending()))
    assert entered.wait(PATIENCE_S)
    bench.engine.close(0.05)
    assert bench.open().recover() == 1
    interrupted(bench)


def test_a_write_that_fails_by_itself_while_the_application_closes_has_failed(bench: Workbench) -> None:
    gate = threading.Event()
    bench.invoker.functions["write"] = lambda call: gate.wait(PATIENCE_S) and bench.invoker.functions["fail"](call)
    bench.engine.submit(new_run(sending()))
    threading.Timer(0.05, gate.set).start()
    bench.engine.close(PATIENCE_S)
    assert bench.store.get("r1").state is RunState.FAILED
