from PySide6.QtGui import QUndoStack

from flowstudio.errors import FlowStudioError
from flowstudio.plan.edits import AddEdge, Edit, Edited, MoveSteps, SetParam, SetStepField
from flowstudio.plan.model import Edge, Plan, Step
from flowstudio.ui.undo import EditCommand

PLAN = Plan("p", "P", steps=(Step("a", "http", "request"), Step("b", "http", "request")))


class Session:
    """Keeps its plan in memory; refuses everything while `is_full`."""

    def __init__(self) -> None:
        self.plan = PLAN
        self.is_full = False

    def apply(self, edit: Edit) -> Edited:
        if self.is_full:
            raise FlowStudioError("The disk is full.")
        edited = edit.apply(self.plan)
        self.plan = edited.plan
        return edited


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_redo_applies_and_undo_brings_the_same_plan_back() -> None:
    session, stack, shown = Session(), QUndoStack(), []
    stack.push(EditCommand(session, AddEdge(Edge("a", "out", "b")), shown=shown.append))
    assert session.plan.edges == (Edge("a", "out", "b"),)
    assert stack.undoText() == "Connect"
    stack.undo()
    assert session.plan == PLAN
    stack.redo()
    assert len(session.plan.edges) == 1
    assert len(shown) == 3


def test_a_refused_edit_is_told_and_leaves_nothing_on_the_stack() -> None:
    session, stack, refused = Session(), QUndoStack(), []
    stack.push(EditCommand(session, AddEdge(Edge("a", "out", "a")), refused=refused.append))
    assert stack.count() == 0
    assert refused[0].code == "plan.cycle"
    assert session.plan is PLAN


def test_an_undo_that_cannot_be_journalled_is_told_and_the_plan_stays() -> None:
    session, stack, refused = Session(), QUndoStack(), []
    stack.push(EditCommand(session, AddEdge(Edge("a", "out", "b")), refused=refused.append))
    session.is_full = True
    stack.undo()
    assert str(refused[0]) == "The disk is full."
    assert len(session.plan.edges) == 1


def test_typing_in_one_field_within_a_second_is_one_command() -> None:
    session, stack, clock = Session(), QUndoStack(), Clock()
    for text in ("h", "he", "hel"):
        stack.push(EditCommand(session, SetParam("a", "url", text), clock=clock))
        clock.now += 0.9
    assert stack.count() == 1
    stack.undo()
    assert session.plan == PLAN
    stack.redo()
    assert session.plan.step("a").params == {"url": "hel"}


def test_a_pause_another_field_and_another_kind_begin_a_new_command() -> None:
    session, stack, clock = Session(), QUndoStack(), Clock()
    for pause, edit in (
        (0.0, SetParam("a", "url", "x")),
        (1.1, SetParam("a", "url", "xy")),
        (0.1, SetParam("a", "method", "GET")),
        (0.1, SetParam("b", "method", "GET")),
        (0.1, SetStepField("b", "title", "T")),
    ):
        clock.now += pause
        stack.push(EditCommand(session, edit, clock=clock))
    assert stack.count() == 5


def test_moves_of_the_same_cards_merge_and_undo_goes_back_to_where_they_began() -> None:
    session, stack, clock = Session(), QUndoStack(), Clock()
    for x in (20.0, 40.0, 60.0):
        stack.push(EditCommand(session, MoveSteps({"a": (x, 0.0)}), clock=clock))
    stack.push(EditCommand(session, MoveSteps({"b": (0.0, 20.0)}), clock=clock))
    assert stack.count() == 2
    stack.undo()
    stack.undo()
    assert session.plan == PLAN
