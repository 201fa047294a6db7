"""Dropping an action from the palette onto the canvas."""

from PySide6.QtGui import QDropEvent

from flowstudio.ui.canvas.clipboard import action_in
from flowstudio.ui.canvas.geometry import CARD_H, CARD_W, Box, snap
from flowstudio.ui.canvas.interactions import Desk, Pointer, pointer_at


class DropAction:
    """Shows where the step will lie while an action is dragged over, and adds it there when it is dropped.

    Inside a loop it becomes a child of it; dropped on a card it is wired after that card.
    """

    def __init__(self, desk: Desk, provider: str, action: str) -> None:
        self._desk = desk
        self._provider = provider
        self._action = action

    def move(self, at: Pointer) -> None:
        overlay, board = self._desk.overlay, self._desk.board
        overlay.target = board.card_at(at.x, at.y)
        overlay.drop_loop = board.loop_at(at.x, at.y)
        overlay.ghost = None if overlay.target else Box(*self._corner(at), CARD_W, CARD_H)
        self._desk.redraw()

    def finish(self, at: Pointer) -> None:
        self.move(at)
        target = self._desk.overlay.target
        self.cancel()
        if target is not None:
            self._desk.commands.add_step(self._provider, self._action, source=target)
        else:
            self._desk.commands.add_step(self._provider, self._action, self._corner(at))

    def cancel(self) -> None:
        self._desk.overlay.clear_gesture()
        self._desk.redraw()

    def _corner(self, at: Pointer) -> tuple[float, float]:
        """The pointer holds the card at its icon's height, near its left end."""
        return snap(at.x - 40), snap(at.y - CARD_H / 2)


class Dropping:
    """Turns Qt's drag events over the canvas into one DropAction."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._drop: DropAction | None = None

    def drag_over(self, event: QDropEvent) -> None:
        """A palette entry over the canvas; anything else is not taken."""
        action = action_in(event.mimeData())
        if action is None:
            event.ignore()
            return
        if self._drop is None:
            self._drop = DropAction(self._desk, *action)
        self._drop.move(self._pointer(event))
        event.acceptProposedAction()

    def drag_leave(self) -> None:
        drop, self._drop = self._drop, None
        if drop is not None:
            drop.cancel()

    def drop(self, event: QDropEvent) -> None:
        self.drag_over(event)
        drop, self._drop = self._drop, None
        if drop is not None:
            drop.finish(self._pointer(event))

    def _pointer(self, event: QDropEvent) -> Pointer:
        return pointer_at(self._desk, event.position(), event.modifiers())
