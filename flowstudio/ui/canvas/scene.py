"""The plan and its run as the canvas holds them.

`show_plan` compares a plan with the one before by identity (plans share what an edit did not touch), so it costs little
whatever the edit was, and showing the same plan twice costs nothing.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from flowstudio.plan.model import ERROR, Edge, Plan, Step, StepId
from flowstudio.providers.manifest import Category
from flowstudio.ui.canvas.faces import Catalogue, Face, HasCredential, Look, Marks, face_of
from flowstudio.ui.canvas.geometry import (
    CARD_W,
    HEADER_H,
    Box,
    anchors_of,
    card_height,
    container_box,
    input_of,
    union,
)
from flowstudio.ui.canvas.items import CardItem, ItemScene
from flowstudio.ui.canvas.live import Flow, LiveRun
from flowstudio.ui.canvas.tables import EdgeKey

CATEGORIES = tuple(Category)
DISABLED, UNKNOWN, ERROR_PORT = 1, 2, 4
PORTS_SHIFT, CATEGORY_SHIFT = 3, 5
_SEPARATE_BOXES = 24


class CanvasScene(ItemScene):
    """Cards and wires of one plan, with the states of the run that is shown."""

    def __init__(self, catalogue: Catalogue, has_credential: HasCredential, plan: Plan) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._has_credential = has_credential
        self.run = LiveRun(plan.id)
        self.marks: list[tuple[str, str, Category, bool]] = []
        self._mark_rows: dict[tuple[str, str, Category, bool], int] = {}
        self._steps: dict[StepId, Step] = {}
        self._edges: dict[EdgeKey, Edge] = {}
        self._children: dict[StepId, set[StepId]] = {}
        self._differing: frozenset[StepId] = frozenset()
        self._breakpoints: frozenset[StepId] = frozenset()
        self._pinned: frozenset[StepId] = frozenset()
        self.plan = Plan(id=plan.id, name=plan.name)
        self.show_plan(plan)

    # what the plan says

    def show_plan(self, plan: Plan) -> None:
        """Takes over a revision of the plan; only what differs from the one before is touched."""
        steps = {step.id: step for step in plan.steps}
        edges = self._edges_of(plan, steps)
        gone_steps = [step_id for step_id in self._steps if step_id not in steps]
        changed = [step for step in steps.values() if self._steps.get(step.id) is not step]
        new_edges: list[Edge] = []
        if edges is not self._edges:
            for key in [key for key in self._edges if key not in edges]:
                self._remove_wire(key)
            new_edges = [edge for key, edge in edges.items() if key not in self._edges]
        loops = self._loops_around([*gone_steps, *(step.id for step in changed)])
        repinned, self._pinned = self._pinned ^ plan.pins.keys(), frozenset(plan.pins)
        for step_id in gone_steps:
            self._remove_card(step_id)
        for step in changed:
            self._show_card(step)
        self._steps = steps
        self._show_faces(repinned)
        loops |= self._loops_around([step.id for step in changed])
        self._settle_boxes([step.id for step in changed], loops)
        new_wires = [self.wires.add(edge) for edge in new_edges]
        self._edges, self.plan = edges, plan
        self._route({self.cards.row_of[step.id] for step in changed if step.id in self.cards.row_of}, new_wires)
        self.redrawn.emit()

    def _edges_of(self, plan: Plan, steps: Mapping[StepId, Step]) -> dict[EdgeKey, Edge]:
        """The edges that can be drawn, the same object as before when no edge and no end of one changed."""
        if plan.edges is self.plan.edges and steps.keys() == self._steps.keys():
            return self._edges
        return {edge.key: edge for edge in plan.edges if edge.source in steps and edge.target in steps}

    def refresh_faces(self) -> None:
        """Reads titles, icons and badges again: the catalogue or the credentials changed."""
        for step in self._steps.values():
            self._show_face(self.cards.row_of[step.id], step)
        self.redrawn.emit()

    def show_differing(self, ids: frozenset[StepId]) -> None:
        """Marks the steps that are different elsewhere: of an old run's plan, those the draft has otherwise."""
        touched, self._differing = self._differing ^ ids, ids
        self._show_faces(touched)
        self.redrawn.emit()

    def show_breakpoints(self, ids: frozenset[StepId]) -> None:
        """Marks the steps before which runs from this window pause."""
        touched, self._breakpoints = self._breakpoints ^ ids, ids
        self._show_faces(touched)
        self.redrawn.emit()

    def _show_faces(self, ids: Iterable[StepId]) -> None:
        for step_id in ids:
            if step_id in self._steps:
                self._show_face(self.cards.row_of[step_id], self._steps[step_id])

    def step(self, step_id: StepId) -> Step | None:
        return self._steps.get(step_id)

    def parent_of(self, step_id: StepId) -> StepId | None:
        step = self._steps.get(step_id)
        return step.parent if step is not None else None

    def face(self, step_id: StepId) -> Face:
        """What that step's card says. Raises KeyError for a step that is not there."""
        face = self.cards.faces[self.cards.row_of[step_id]]
        assert face is not None
        return face

    def title(self, step_id: StepId) -> str:
        return self.face(step_id).title

    def edge(self, key: EdgeKey) -> Edge | None:
        return self._edges.get(key)

    def body_of(self, loop_id: StepId) -> frozenset[StepId]:
        return frozenset(self._children.get(loop_id, ()))

    def with_bodies(self, ids: Iterable[StepId]) -> list[StepId]:
        """Those steps and everything inside them, each once."""
        found: dict[StepId, None] = {}
        waiting = list(ids)
        while waiting:
            step_id = waiting.pop()
            if step_id not in found and step_id in self._steps:
                found[step_id] = None
                waiting.extend(self._children.get(step_id, ()))
        return list(found)

    def extent(self, ids: Iterable[StepId] | None = None) -> Box | None:
        """The box around those cards, or around everything."""
        if ids is not None:
            return union(self.box(each) for each in ids if each in self.cards.row_of)
        outline = self.outline()
        boxes = [outline] if outline is not None else []
        boxes += [Box(note.x, note.y, note.width, note.height) for note in self.plan.notes]
        boxes += [Box(frame.x, frame.y, frame.width, frame.height) for frame in self.plan.frames]
        return union(boxes)

    # the run

    def show_states(self, touched: Iterable[StepId] | None, with_figures: bool) -> None:
        """Draws the run's state of those steps (None: of all); figures only when it is time for them."""
        ids = self._steps.keys() if touched is None else [each for each in touched if each in self._steps]
        rows = [self.cards.row_of[step_id] for step_id in ids]
        for row in rows:
            tally = self.run.tally(self.cards.ids[row])
            self.cards.look[row] = tally.look if tally else 0
            self.cards.words[row] = tally.word if tally else ""
            if with_figures or tally is None:
                self.cards.figures[row] = tally.figures if tally else ""
        for wire in self.wires.at_cards(rows).tolist():
            self._show_flow(wire, with_figures)
        self.redrawn.emit()

    def running_boxes(self, seen: Box) -> list[Box]:
        """What moves by itself inside `seen`: running cards, and the wires something runs along. One box if many."""
        cards, wires = self.cards, self.wires
        rows = cards.inside(seen.x, seen.y, seen.right, seen.bottom)
        boxes = [cards.box(row) for row in rows[cards.look[rows] == Look.RUNNING].tolist()]
        on_the_way = wires.inside(seen.x, seen.y, seen.right, seen.bottom)
        for points in wires.points[on_the_way[wires.flow[on_the_way] == Flow.RUNNING]]:
            left, top = float(points[0::2].min()), float(points[1::2].min())
            boxes.append(Box(left, top, float(points[0::2].max()) - left, float(points[1::2].max()) - top))
        whole = union(boxes)
        return [whole] if whole is not None and len(boxes) > _SEPARATE_BOXES else boxes

    def _show_flow(self, row: int, with_figures: bool) -> None:
        source, port, target = self.wires.keys[row]
        self.wires.flow[row] = self.run.flow(source, port, target)
        if with_figures:
            count = self.run.count(source, port, target)
            self.wires.counts[row] = f"{count:,}".replace(",", " ") if count else ""
            self.wires.counted[row] = bool(count)

    # cards and wires coming and going

    def _show_card(self, step: Step) -> None:
        before = self._steps.get(step.id)
        if before is None:
            row = self.cards.add(step.id)
            item = self._items[step.id] = CardItem(step.id)
            self.addItem(item)
        else:
            row = self.cards.row_of[step.id]
            self._children.get(before.parent or "", set()).discard(step.id)
        if step.parent:
            self._children.setdefault(step.parent, set()).add(step.id)
        self.cards.is_loop[row] = step.kind.holds_steps
        self.cards.input_dy[row] = input_of(step)
        self.cards.anchors[row] = anchors_of(step)
        self._show_face(row, step)

    def _show_face(self, row: int, step: Step) -> None:
        marks = Marks(step.id in self._differing, step.id in self._pinned, step.id in self._breakpoints)
        face = face_of(step, self._catalogue, self._has_credential, marks)
        self.cards.faces[row] = face
        ports = sum(1 for anchor in self.cards.anchors[row] if anchor.port.name != ERROR.name)
        self.cards.traits[row] = (
            DISABLED * face.is_disabled
            | UNKNOWN * (not face.is_known)
            | ERROR_PORT * any(anchor.port.name == ERROR.name for anchor in self.cards.anchors[row])
            | min(ports, 3) << PORTS_SHIFT
            | CATEGORIES.index(face.category) << CATEGORY_SHIFT
        )
        self.cards.mark[row] = self._mark(face)

    def _mark(self, face: Face) -> int:
        key = (face.icon, face.initials_of, face.category, face.is_disabled)
        if key not in self._mark_rows:
            self._mark_rows[key] = len(self.marks)
            self.marks.append(key)
        return self._mark_rows[key]

    def _remove_card(self, step_id: StepId) -> None:
        parent = self._steps[step_id].parent
        self._children.get(parent or "", set()).discard(step_id)
        self.cards.remove(step_id)
        item = self._items.pop(step_id)
        self.removeItem(item)

    def _remove_wire(self, key: EdgeKey) -> None:
        self.selected_edges.discard(key)
        self.wires.remove(key)

    def _route(self, cards: set[int], new_wires: list[int]) -> None:
        """New wires and those at changed cards find their ports, their course and their state."""
        attached = set(new_wires) | set(self.wires.at_cards(list(cards)).tolist())
        for row in attached:
            self.wires.attach(row)
            self._show_flow(row, with_figures=True)
        self.wires.route(np.fromiter(attached, np.int64, len(attached)))

    # loops

    def _loops_around(self, ids: Iterable[StepId]) -> set[StepId]:
        """The loops among those steps and every loop that holds one of them."""
        found: set[StepId] = set()
        for step_id in ids:
            step = self._steps.get(step_id)
            if step is not None and step.kind.holds_steps:
                found.add(step_id)
            while step is not None and step.parent and step.parent not in found:
                found.add(step.parent)
                step = self._steps.get(step.parent)
        return found

    def _settle_boxes(self, changed: Iterable[StepId], loops: set[StepId]) -> None:
        for step_id in changed:
            step = self._steps[step_id]
            if not step.kind.holds_steps:
                self._place(step, Box(step.x, step.y, CARD_W, card_height(step)))
        living = [loop for loop in loops if loop in self._steps and self._steps[loop].kind.holds_steps]
        for step_id in sorted(living, key=lambda each: -depth_of(each, self._steps)):
            inside = [self.box(child) for child in self._children.get(step_id, ()) if child in self._steps]
            self._place(self._steps[step_id], container_box(self._steps[step_id], inside))
        rows = self.cards.rows(living)
        self.wires.route(self.wires.at_cards(rows))

    def _place(self, step: Step, box: Box) -> None:
        self.cards.place(self.cards.row_of[step.id], box)
        item = self._items[step.id]
        item.setPos(box.x, box.y)
        item.setRect(0, 0, box.w, HEADER_H if step.kind.holds_steps else box.h)
        item.setZValue(depth_of(step.id, self._steps) * 2 + (not step.kind.holds_steps))


def depth_of(step_id: StepId, steps: Mapping[StepId, Step]) -> int:
    """How many loops are around a step. A parent cycle, which rules report, ends the count."""
    depth, seen = 0, {step_id}
    step = steps.get(step_id)
    while step is not None and step.parent and step.parent not in seen:
        seen.add(step.parent)
        depth += 1
        step = steps.get(step.parent)
    return depth
