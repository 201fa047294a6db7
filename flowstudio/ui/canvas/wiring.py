"""Drawing a wire from a port to a card, or into the open."""

from flowstudio.plan.model import Edge, StepId
from flowstudio.plan.rules import check_edge, check_ends
from flowstudio.ui.canvas.frame import PendingWire
from flowstudio.ui.canvas.geometry import Anchor, curve
from flowstudio.ui.canvas.interactions import Desk, Pointer

CATCH_PX = 18.0
"""How near to a card the end of a wire may be let go and still be caught."""
DIM_LIMIT = 400
"""With more cards in view than this none are dimmed: they are too small to tell."""


class DrawWire:
    """Drags a wire. Over a card `plan.rules.check_edge` decides colour and reason; cards that can never be its end step
    back. Released on a card the wire is connected, on empty space quick add opens and wires what is chosen."""

    def __init__(self, desk: Desk, source: StepId, anchor: Anchor) -> None:
        self._desk = desk
        self._source = source
        self._anchor = anchor
        self._verdicts: dict[StepId, str] = {}
        desk.overlay.hovered_port = (source, anchor)
        desk.overlay.dimmed = self._never_ends()

    def move(self, at: Pointer) -> None:
        desk, scene = self._desk, self._desk.board
        target = scene.card_at(at.x, at.y, CATCH_PX / max(desk.zoom, 0.2))
        if target == self._source:
            target = None
        x0, y0 = self._anchor.at(scene.box(self._source))
        x3, y3 = at.x, at.y
        if target is not None:
            box = scene.box(target)
            x3, y3 = box.x, box.y + float(scene.cards.input_dy[scene.cards.row_of[target]])
        reason = "" if target is None else self._reason(target)
        points = curve(x0, y0, self._anchor.way, x3, y3)
        desk.overlay.wire = PendingWire(points, target is not None, reason)
        desk.overlay.target = target
        desk.redraw()

    def finish(self, at: Pointer) -> None:
        self.move(at)
        desk = self._desk
        target, wire = desk.overlay.target, desk.overlay.wire
        self.cancel()
        if target is not None and wire is not None:
            if wire.reason:
                desk.commands.say(wire.reason)
            else:
                desk.commands.connect(self._source, self._anchor.port.name, target)
        elif not desk.board.box(self._source).holds(at.x, at.y) or self._anchor.port.container:
            desk.offer_steps(at.x, at.y, self._source, self._anchor.port.name)

    def cancel(self) -> None:
        self._desk.overlay.clear_gesture()
        self._desk.overlay.hovered_port = None
        self._desk.redraw()

    def _reason(self, target: StepId) -> str:
        if target not in self._verdicts:
            fault = check_edge(self._desk.board.plan, Edge(self._source, self._anchor.port.name, target))
            self._verdicts[target] = str(fault) if fault is not None else ""
        return self._verdicts[target]

    def _never_ends(self) -> set[StepId]:
        """Cards whose place in the plan rules them out, whatever else is drawn."""
        scene = self._desk.board
        source = scene.step(self._source)
        if source is None or len(scene.plan.steps) > DIM_LIMIT:
            return set()
        return {
            step.id
            for step in scene.plan.steps
            if step.id != source.id and check_ends(source, self._anchor.port.name, step) is not None
        }
