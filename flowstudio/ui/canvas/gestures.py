"""Which gesture a press of the left button starts."""

from flowstudio.ui.canvas.interactions import Desk, Gesture, Outlook, PickCard, PickWire, Pointer, SelectArea
from flowstudio.ui.canvas.items import Part
from flowstudio.ui.canvas.moving import MoveCards
from flowstudio.ui.canvas.wiring import DrawWire


def editing_at(desk: Desk, at: Pointer) -> Gesture:
    """By what lies under the pointer: a port draws a wire, a card moves, a wire is picked, nothing opens a band."""
    hit = desk.board.hit(at.x, at.y, desk.zoom)
    if hit.part is Part.PORT and hit.anchor is not None:
        return DrawWire(desk, hit.step_id, hit.anchor)
    if hit.part is Part.CARD:
        return MoveCards(desk, hit.step_id, at)
    if hit.part is Part.WIRE:
        return PickWire(desk, at, hit)
    return SelectArea(desk, at)


def looking_at(desk: Outlook, at: Pointer) -> Gesture:
    """The same where nothing can be changed: cards and wires are picked, nothing opens a band."""
    hit = desk.board.hit(at.x, at.y, desk.zoom)
    if hit.part in (Part.CARD, Part.PORT):
        return PickCard(desk, at, hit.step_id)
    if hit.part is Part.WIRE:
        return PickWire(desk, at, hit)
    return SelectArea(desk, at)
