"""What the scene draws from is what the plan says, whatever edits led there."""

import random
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QUndoStack

from flowstudio.errors import FlowStudioError
from flowstudio.plan import edits
from flowstudio.plan.model import Edge, OnError, Plan, Step
from flowstudio.ui.canvas.geometry import boxes_of
from flowstudio.ui.canvas.items import Part
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.undo import EditCommand


def everywhere(provider: str, name: str | None) -> bool:
    return True


class MemorySession:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def apply(self, edit: edits.Edit) -> edits.Edited:
        edited = edit.apply(self.plan)
        self.plan = edited.plan
        return edited


def assert_agrees(scene: CanvasScene, plan: Plan) -> None:
    """Cards, outlines, wires and their ends are those a fresh scene would have."""
    cards, wires = scene.cards, scene.wires
    assert set(cards.row_of) == {step.id for step in plan.steps}
    boxes = boxes_of(plan.steps)
    for step in plan.steps:
        assert cards.box(cards.row_of[step.id]) == boxes[step.id]
        assert scene._items[step.id].x() == boxes[step.id].x
    assert set(wires.row_of) == {edge.key for edge in plan.edges}
    assert np.isnan(cards.x[: cards.size]).sum() == cards.size - len(plan.steps)
    for edge in plan.edges:
        row = wires.row_of[edge.key]
        assert cards.ids[int(wires.source[row])] == edge.source
        assert cards.ids[int(wires.target[row])] == edge.target
        assert wires.points[row][6] == boxes[edge.target].x
    assert len(scene.items()) == len(plan.steps)


def random_edit(plan: Plan, dice: random.Random) -> edits.Edit:
    ids = [step.id for step in plan.steps]
    loops = [step.id for step in plan.steps if step.action == "loop"]
    some = dice.sample(ids, min(len(ids), dice.randint(1, 3))) or ["nothing"]
    kind = dice.choice(
        ["add", "add", "edge", "edge", "edge", "move", "remove", "parent", "error", "title", "paste", "unwire"]
    )
    if kind == "add":
        action = dice.choice([("http", "request"), ("flow", "loop"), ("flow", "condition")])
        step = Step(edits.fresh_id(plan, "s"), *action, x=dice.randrange(50) * 20, y=dice.randrange(50) * 20)
        return edits.AddStep(replace(step, parent=dice.choice([None, *loops])))
    if kind == "edge" and len(ids) > 1:
        return edits.AddEdge(Edge(dice.choice(ids), dice.choice(["out", "true", "body", "done"]), dice.choice(ids)))
    if kind == "move":
        return edits.MoveSteps({step_id: (dice.randrange(40) * 20, dice.randrange(40) * 20) for step_id in some})
    if kind == "remove":
        return edits.RemoveSteps(tuple(some[:1]))
    if kind == "parent":
        return edits.SetParent(tuple(some[:1]), dice.choice([None, *loops]))
    if kind == "error":
        return edits.SetStepField(some[0], "on_error", dice.choice(list(OnError)))
    if kind == "paste":
        return edits.PasteSteps(edits.fragment_of(plan, some), 40, 40)
    if kind == "unwire" and plan.edges:
        return edits.RemoveEdge(dice.choice(plan.edges))
    return edits.SetStepField(some[0], "title", f"T{dice.randrange(9)}")


@pytest.mark.parametrize("seed", range(8))
def test_random_edits_undone_and_redone_leave_scene_and_plan_in_agreement(qapp, registry, seed):
    dice = random.Random(seed)
    session = MemorySession(Plan("p", "P"))
    scene = CanvasScene(registry, everywhere, session.plan)
    stack = QUndoStack()
    start = session.plan
    for _ in range(60):
        edit = random_edit(session.plan, dice)
        stack.push(EditCommand(session, edit, shown=lambda edited: scene.show_plan(edited.plan), clock=lambda: 0.0))
        assert_agrees(scene, session.plan)
    end = session.plan
    stack.setIndex(0)
    assert session.plan == start
    assert_agrees(scene, start)
    stack.setIndex(stack.count())
    assert session.plan == end
    assert_agrees(scene, end)


def test_ports_come_before_cards_and_cards_before_wires(qapp, registry, chain):
    scene = CanvasScene(registry, everywhere, chain)
    assert scene.hit(222, 36, 1.0).part is Part.PORT
    assert scene.hit(100, 36, 1.0).step_id == "a"
    assert scene.hit(250, 38, 1.0).edge == ("a", "out", "b")
    assert scene.hit(250, 200, 1.0).part is Part.NOTHING


def test_from_afar_ports_are_too_small_to_take_hold_of(qapp, registry, chain):
    scene = CanvasScene(registry, everywhere, chain)
    assert scene.hit(219, 36, 0.2).part is Part.CARD


def test_the_innermost_loop_is_found(qapp, registry, looped):
    inner = Step("deep", "flow", "loop", x=360, y=220, parent="each")
    scene = CanvasScene(registry, everywhere, replace(looped, steps=(*looped.steps, inner)))
    assert scene.loop_at(420, 320) == "deep"
    assert scene.loop_at(300, 110) == "each"
    assert scene.loop_at(420, 320, without=["deep"]) == "each"
    assert scene.loop_at(100, 20) is None


def test_a_wire_from_a_port_that_is_no_more_is_still_drawn(qapp, registry, pair):
    plan = replace(pair, edges=(Edge("a", "no_such_port", "b"),))
    scene = CanvasScene(registry, everywhere, plan)
    row = scene.wires.row_of["a", "no_such_port", "b"]
    assert tuple(scene.wires.points[row][:2]) == (220, 36)


def test_a_plan_whose_loops_hold_each_other_does_not_hang(qapp, registry):
    steps = (Step("x", "flow", "loop", parent="y"), Step("y", "flow", "loop", parent="x"))
    scene = CanvasScene(registry, everywhere, Plan("p", "P", steps=steps))
    assert set(scene.cards.row_of) == {"x", "y"}


def test_a_step_of_a_provider_nobody_knows_is_a_placeholder(qapp, registry):
    scene = CanvasScene(registry, everywhere, Plan("p", "P", steps=(Step("x", "blotato", "publish"),)))
    face = scene.face("x")
    assert (face.title, face.subtitle, face.is_known) == ("publish", "Unknown: blotato.publish", False)


def test_a_missing_credential_is_a_badge(qapp, registry):
    plan = Plan("p", "P", steps=(Step("x", "slack", "post_message"),))
    missing = CanvasScene(registry, lambda provider, name: False, plan)
    assert [badge.icon for badge in missing.face("x").badges] == ["key"]
    assert CanvasScene(registry, everywhere, plan).face("x").badges == ()


def test_what_an_edit_does_not_touch_is_not_drawn_anew(qapp, registry, chain):
    scene = CanvasScene(registry, everywhere, chain)
    faces = list(scene.cards.faces)
    scene.show_plan(edits.SetStepField("b", "title", "New").apply(chain).plan)
    assert [a is b for a, b in zip(faces, scene.cards.faces, strict=True)] == [True, False, True]


def test_a_refused_edit_changes_nothing(qapp, chain):
    session = MemorySession(chain)
    with pytest.raises(FlowStudioError):
        session.apply(edits.AddEdge(Edge("c", "out", "a")))
    assert session.plan is chain
