"""Dropping an action from the palette onto the canvas."""

from flowstudio.ui.canvas.geometry import CARD_H, CARD_W, Box, snap
from flowstudio.ui.canvas.interactions import Desk, Pointer


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
