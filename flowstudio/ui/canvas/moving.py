"""Dragging cards: on the grid, into a loop and out of it."""

from flowstudio.plan.model import StepId
from flowstudio.ui.canvas.geometry import snap
from flowstudio.ui.canvas.interactions import Desk, Pointer, has_moved


class MoveCards:
    """Moves the pressed card and all selected with it; bodies come along with their loops.

    The card under the hand snaps to the grid, the others keep their distance to it; Ctrl moves freely. Dropped inside a
    loop the cards become its children, dropped outside they leave it. A press without a move only selects.
    """

    def __init__(self, desk: Desk, step_id: StepId, start: Pointer) -> None:
        self._desk = desk
        self._start = start
        self._step_id = step_id
        self._was_selected = step_id in desk.board.selected_ids()
        self._is_dragging = False
        self._ids: list[StepId] = []
        self._dx = self._dy = 0.0
        if not self._was_selected:
            self._pick(start)

    def move(self, at: Pointer) -> None:
        if not self._is_dragging:
            if not has_moved(self._start, at):
                return
            self._begin()
        step = self._desk.board.step(self._step_id)
        if step is None:
            return
        dx, dy = at.x - self._start.x, at.y - self._start.y
        if not at.has_ctrl:
            dx, dy = snap(step.x + dx) - step.x, snap(step.y + dy) - step.y
        target = self._loop_under(at)
        if (dx, dy, target) == (self._dx, self._dy, self._desk.overlay.drop_loop):
            return
        self._dx, self._dy = dx, dy
        self._desk.overlay.drop_loop = target
        self._desk.board.shift_cards(self._ids, dx, dy)
        self._desk.redraw()

    def finish(self, at: Pointer) -> None:
        desk = self._desk
        if not self._is_dragging:
            if self._was_selected:
                self._pick(at)
            return
        target = self._loop_under(at)
        desk.overlay.clear_gesture()
        desk.board.shift_cards(self._ids, 0, 0)
        desk.commands.move(desk.board.selected_ids(), self._dx, self._dy, target)
        desk.redraw()

    def cancel(self) -> None:
        self._desk.overlay.clear_gesture()
        if self._is_dragging:
            self._desk.board.shift_cards(self._ids, 0, 0)

    def _begin(self) -> None:
        scene = self._desk.board
        self._is_dragging = True
        if self._step_id not in scene.selected_ids():  # Ctrl took it out of the selection, then it was dragged
            scene.select([*scene.selected_ids(), self._step_id])
        self._ids = scene.with_bodies(scene.selected_ids())

    def _loop_under(self, at: Pointer) -> StepId | None:
        return self._desk.board.loop_at(at.x, at.y, without=self._ids)

    def _pick(self, at: Pointer) -> None:
        scene = self._desk.board
        selected = scene.selected_ids()
        if at.has_ctrl and self._was_selected:
            scene.select([each for each in selected if each != self._step_id])
        elif at.has_shift or at.has_ctrl:
            scene.select([*selected, self._step_id])
        else:
            scene.select([self._step_id])
