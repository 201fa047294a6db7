from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from flowstudio.engine.events import (
    RunEnded,
    RunStarted,
    StepCancelled,
    StepFailed,
    StepHeld,
    StepRetrying,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from flowstudio.engine.model import Failure, RunState
from flowstudio.plan.model import Edge, Plan, Step
from flowstudio.ui.canvas.faces import Look
from flowstudio.ui.canvas.live import Flow, LiveRun

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def began(run_id: str = "r", plan_id: str = "p") -> RunStarted:
    return RunStarted(run_id, NOW, "u", plan_id, "", "manual")


def started(step_id: str, iteration: tuple[int, ...] = (), attempt: int = 1) -> StepStarted:
    return StepStarted("r", NOW, step_id, iteration, attempt)


def succeeded(step_id: str, items: int = 1, ms: float = 10, ports: tuple[str, ...] = ("out",)) -> StepSucceeded:
    return StepSucceeded("r", NOW, step_id, (), 1, items, ms, ports)


def look(view, step_id: str) -> Look:
    return Look(int(view.board.cards.look[view.board.cards.row_of[step_id]]))


def word(view, step_id: str) -> str:
    return view.board.cards.words[view.board.cards.row_of[step_id]]


def figures(view, step_id: str) -> str:
    return view.board.cards.figures[view.board.cards.row_of[step_id]]


def flow(view, *key: str) -> Flow:
    return Flow(int(view.board.wires.flow[view.board.wires.row_of[key]]))


class Paints(QObject):
    """Counts the pictures a viewport is asked for."""

    def __init__(self, view) -> None:
        super().__init__()
        self.count = 0
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_cards_and_wires_show_what_the_run_did(canvas, chain):
    view = canvas(chain)
    view.show_events([began(), started("a"), succeeded("a", items=118, ms=820), started("b")])
    assert (look(view, "a"), word(view, "a"), figures(view, "a")) == (Look.OK, "ok", "118 · 0.8 s")
    assert (look(view, "b"), word(view, "b")) == (Look.RUNNING, "running")
    assert look(view, "c") is Look.IDLE
    assert flow(view, "a", "out", "b") is Flow.RUNNING
    assert view.board.wires.counts[view.board.wires.row_of["a", "out", "b"]] == "118"


def test_a_branch_that_was_not_taken_is_thin_and_its_step_skipped(canvas):
    steps = (
        Step("if", "flow", "condition", x=0, y=0),
        Step("yes", "http", "request", x=300, y=-80),
        Step("no", "http", "request", x=300, y=80),
    )
    view = canvas(Plan("p", "If", steps=steps, edges=(Edge("if", "true", "yes"), Edge("if", "false", "no"))))
    skipped = StepSkipped("r", NOW, "no", (), "its branch was not taken")
    view.show_events([began(), started("if"), succeeded("if", ports=("true",)), started("yes"), skipped])
    assert flow(view, "if", "true", "yes") is Flow.RUNNING
    assert flow(view, "if", "false", "no") is Flow.NOT_TAKEN
    assert look(view, "no") is Look.SKIPPED


def test_an_output_without_items_still_takes_its_wire(canvas, chain):
    view = canvas(chain)
    view.show_events([began(), started("a"), succeeded("a", items=0)])
    assert flow(view, "a", "out", "b") is Flow.TAKEN


def test_a_failure_a_retry_and_a_stop_are_told_apart(canvas, chain):
    view = canvas(chain)
    failure = Failure("http.429", "The server asks to wait.")
    view.show_events([began(), started("a"), StepRetrying("r", NOW, "a", (), 1, 2.0, failure)])
    assert (look(view, "a"), word(view, "a")) == (Look.WAITING, "try 2")
    view.show_events([started("a", attempt=2), StepFailed("r", NOW, "a", (), 2, failure, 30.0, ())])
    assert (look(view, "a"), word(view, "a")) == (Look.FAILED, "failed")
    view.show_events([started("b"), StepCancelled("r", NOW, "b", ())])
    assert look(view, "b") is Look.CANCELLED


def test_a_new_run_clears_all_states_first(canvas, chain):
    view = canvas(chain)
    view.show_events([began(), started("a"), succeeded("a"), started("b")])
    view.show_events([began("r2")])
    assert [look(view, step_id) for step_id in "abc"] == [Look.IDLE] * 3
    assert figures(view, "a") == ""
    assert flow(view, "a", "out", "b") is Flow.PLAIN


def test_runs_of_other_plans_and_older_runs_are_not_shown(canvas, chain):
    view = canvas(chain)
    view.show_events([began("other", "another plan"), started("a")])
    assert look(view, "a") is Look.IDLE


def test_nothing_runs_after_the_end(canvas, chain):
    view = canvas(chain)
    view.show_events([began(), started("a"), RunEnded("r", NOW, RunState.CANCELLED, None, 5.0, 0)])
    assert look(view, "a") is Look.CANCELLED
    assert not view._run._motion.isActive()


def test_clear_run_takes_it_off_the_canvas(canvas, chain):
    view = canvas(chain)
    view.show_events([began(), started("a"), succeeded("a")])
    view.clear_run()
    assert (look(view, "a"), word(view, "a"), figures(view, "a")) == (Look.IDLE, "", "")


def test_a_batch_of_a_thousand_events_is_one_picture(canvas, chain, qtbot):
    view = canvas(chain)
    view.set_reduced_motion(True)
    qtbot.waitUntil(lambda: not view._is_moving)
    QApplication.processEvents()
    paints = Paints(view)
    view.show_events([began(), *(each for _ in range(500) for each in (started("b"), succeeded("b")))])
    qtbot.waitUntil(lambda: paints.count > 0)
    assert paints.count == 1


def test_figures_change_at_most_ten_times_a_second_and_the_last_ones_arrive(canvas, chain, qtbot):
    view = canvas(chain)
    view.show_events([began(), started("a"), succeeded("a", items=1)])
    for _ in range(20):
        view.show_events([started("a"), succeeded("a", items=1)])
    assert figures(view, "a") == "1 · 10 ms"  # has stood for less than 100 ms
    qtbot.waitUntil(lambda: figures(view, "a").startswith("21 "))


def test_something_moves_only_while_a_step_runs_and_not_with_reduced_motion(canvas, chain):
    view = canvas(chain)
    view.show_events([began(), started("a")])
    assert view._run._motion.isActive()
    view.set_reduced_motion(True)
    assert not view._run._motion.isActive()
    view.set_reduced_motion(False)
    view.show_events([succeeded("a")])
    assert not view._run._motion.isActive()


def test_a_loops_body_counts_its_rounds():
    run = LiveRun("p")
    events = [began(), started("each")]
    for n in range(3):
        events += [started("inner", (n,)), succeeded("inner")]
    run.take([*events, started("inner", (3,))])
    assert run.count("each", "body", "inner") == 4
    assert run.flow("each", "body", "inner") is Flow.RUNNING
    tally = run.tally("inner")
    assert tally is not None
    assert (tally.word, tally.items) == ("running 4", 3)


@pytest.mark.parametrize("change", [lambda view: view.board.refresh_faces(), lambda view: view.apply_changes()])
def test_states_outlast_other_changes_of_the_canvas(canvas, chain, change: Callable):
    view = canvas(chain)
    view.show_events([began(), started("a"), succeeded("a")])
    change(view)
    assert look(view, "a") is Look.OK


def test_steps_that_wait_for_their_turn_are_counted_as_waiting() -> None:
    run = LiveRun("p")
    run.take(
        [
            began(),
            *(StepHeld("r", NOW, "a", (item,), 1, "Waits: Slack takes 4 calls at once.", None) for item in (0, 1)),
        ]
    )
    tally = run.tally("a")
    assert tally is not None
    assert (tally.look, tally.word, tally.problem) == (Look.WAITING, "2 waiting", "Waits: Slack takes 4 calls at once.")
    run.take([started("a", (0,)), started("a", (1,))])
    assert tally.look is Look.RUNNING
