"""Runs of one plan at the same time: parallel, in line, left out, in another one's place."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstudio.engine.admission import Admission, Entry
from flowstudio.engine.model import Run, RunLink, RunState
from flowstudio.plan.model import Plan, PlanSettings, WhenBusy
from tests.engine.workbench import new_run


def run_of(
    run_id: str, when_busy: WhenBusy, at_once: int = 1, *, plan: str = "p", user: str = "local", caller: str = ""
) -> Run:
    settings = PlanSettings(runs_at_once=at_once, when_busy=when_busy)
    run = replace(new_run(Plan(plan, plan.upper(), settings=settings), run_id), user_id=user)
    return replace(run, parent=RunLink(caller, "call"), depth=1) if caller else run


def entries(admission: Admission, *runs: Run) -> list[Entry]:
    return [admission.arrive(run).entry for run in runs]


def test_parallel_runs_know_no_limit() -> None:
    runs = [run_of(name, WhenBusy.PARALLEL) for name in "abc"]
    assert entries(Admission(), *runs) == [Entry.STARTS] * 3


def test_queued_runs_start_in_order_as_others_leave() -> None:
    admission = Admission()
    runs = [run_of(name, WhenBusy.QUEUE, 2) for name in "abcd"]
    assert entries(admission, *runs) == [Entry.STARTS, Entry.STARTS, Entry.WAITS, Entry.WAITS]
    assert admission.reason("d") == "Waits: 2 runs of this plan are under way, and 1 run will start before it."
    assert admission.leave("b") == ["c"]
    assert admission.leave("a") == ["d"]
    assert admission.reason("d") == ""


def test_a_run_that_leaves_the_line_moves_the_others_up() -> None:
    admission = Admission()
    entries(admission, *[run_of(name, WhenBusy.QUEUE) for name in "abc"])
    assert admission.leave("b") == []
    assert admission.leave("a") == ["c"]


def test_a_skipped_run_is_told_why_and_takes_no_place() -> None:
    admission = Admission()
    admission.arrive(run_of("a", WhenBusy.SKIP))
    arrival = admission.arrive(run_of("b", WhenBusy.SKIP))
    assert arrival.entry is Entry.IS_SKIPPED
    assert arrival.failure is not None
    assert arrival.failure.code == "engine.skipped"
    assert "1 run of “P” was under way, and the plan allows 1 at once" in arrival.failure.sentence
    assert admission.leave("b") == []
    admission.leave("a")
    assert entries(admission, run_of("c", WhenBusy.SKIP)) == [Entry.STARTS]


def test_a_replacing_run_waits_until_the_replaced_one_is_gone() -> None:
    admission = Admission()
    admission.arrive(run_of("a", WhenBusy.REPLACE))
    arrival = admission.arrive(run_of("b", WhenBusy.REPLACE))
    assert (arrival.entry, arrival.replaces) == (Entry.WAITS, ("a",))
    assert admission.leave("a") == ["b"]


def test_the_newest_of_several_replacing_runs_wins() -> None:
    admission = Admission()
    admission.arrive(run_of("a", WhenBusy.REPLACE))
    admission.arrive(run_of("b", WhenBusy.REPLACE))
    assert admission.arrive(run_of("c", WhenBusy.REPLACE)).replaces == ("b",), "a is on its way out already"
    assert admission.leave("b") == []
    assert admission.leave("a") == ["c"]


def test_replacing_ends_the_oldest_and_no_more_than_need_be() -> None:
    admission = Admission()
    entries(admission, *[run_of(name, WhenBusy.REPLACE, 2) for name in "ab"])
    assert admission.arrive(run_of("c", WhenBusy.REPLACE, 2)).replaces == ("a",)


def test_plans_and_users_have_lines_of_their_own() -> None:
    admission = Admission()
    admission.arrive(run_of("a", WhenBusy.QUEUE))
    others = [run_of("b", WhenBusy.QUEUE, plan="q"), run_of("c", WhenBusy.QUEUE, user="ann")]
    assert entries(admission, *others) == [Entry.STARTS, Entry.STARTS]


def test_runs_of_a_revision_that_knew_no_limit_count() -> None:
    admission = Admission()
    assert entries(admission, run_of("a", WhenBusy.PARALLEL), run_of("b", WhenBusy.QUEUE)) == [
        Entry.STARTS,
        Entry.WAITS,
    ]


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.WAITING, RunState.PAUSED])
def test_a_run_that_had_begun_before_a_restart_has_its_place(state: RunState) -> None:
    admission = Admission()
    begun = [replace(run_of(name, WhenBusy.SKIP), state=state) for name in "ab"]
    assert entries(admission, *begun, run_of("c", WhenBusy.QUEUE)) == [Entry.STARTS, Entry.STARTS, Entry.WAITS]


@pytest.mark.parametrize("when_busy", list(WhenBusy))
def test_a_plan_that_calls_itself_does_not_stand_in_its_own_way(when_busy: WhenBusy) -> None:
    admission = Admission()
    admission.arrive(run_of("a", when_busy))
    arrival = admission.arrive(run_of("b", when_busy, caller="a"))
    assert (arrival.entry, arrival.replaces) == (Entry.STARTS, ())


def test_a_call_waits_behind_the_runs_of_others() -> None:
    admission = Admission()
    outer, busy = run_of("a", WhenBusy.QUEUE, plan="outer"), run_of("b", WhenBusy.QUEUE)
    called = run_of("c", WhenBusy.QUEUE, caller="a")
    assert entries(admission, outer, busy, called) == [Entry.STARTS, Entry.STARTS, Entry.WAITS]
    assert admission.leave("b") == ["c"]


def test_two_plans_that_call_each_other_do_not_wait_for_each_other() -> None:
    admission = Admission()
    first, second = run_of("a", WhenBusy.QUEUE, plan="p"), run_of("b", WhenBusy.QUEUE, plan="q")
    entries(admission, first, second)
    calls = [run_of("c", WhenBusy.QUEUE, plan="q", caller="a"), run_of("d", WhenBusy.QUEUE, plan="p", caller="b")]
    assert entries(admission, *calls) == [Entry.WAITS, Entry.STARTS], "d would wait for a, a for c, c for b, b for d"


def test_calls_in_a_ring_of_three_do_not_wait_for_each_other() -> None:
    admission = Admission()
    entries(admission, *[run_of(name, WhenBusy.QUEUE, plan=name) for name in "abc"])
    ring = [("x", "b", "a"), ("y", "c", "b"), ("z", "a", "c")]
    calls = [run_of(name, WhenBusy.QUEUE, plan=plan, caller=caller) for name, plan, caller in ring]
    assert entries(admission, *calls) == [Entry.WAITS, Entry.WAITS, Entry.STARTS]


@given(st.integers(1, 3), st.lists(st.booleans(), max_size=40), st.randoms())
def test_never_more_than_so_many_at_once_in_order_and_nobody_starves(
    at_once: int, moves: list[bool], rng: object
) -> None:
    admission, active, started = Admission(), [], []
    arrived = 0

    def start(run_ids: list[str]) -> None:
        active.extend(run_ids)
        started.extend(run_ids)
        assert len(active) <= at_once

    def one_leaves() -> None:
        start(admission.leave(active.pop(rng.randrange(len(active)))))  # type: ignore[attr-defined]

    for arrives in moves:
        if arrives:
            run_id, arrived = f"r{arrived}", arrived + 1
            if admission.arrive(run_of(run_id, WhenBusy.QUEUE, at_once)).entry is Entry.STARTS:
                start([run_id])
        elif active:
            one_leaves()
    while active:
        one_leaves()
    assert started == [f"r{number}" for number in range(arrived)]
