"""CanvasView: the canvas of a plan that is edited. Events go to the hand, intentions to the commands."""

from collections.abc import Iterable

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QMouseEvent,
    QUndoStack,
)
from PySide6.QtWidgets import QWidget

from flowstudio.plan.model import Plan, StepId, TriggerKind
from flowstudio.ui.canvas.commands import CanvasCommands
from flowstudio.ui.canvas.dropping import Dropping
from flowstudio.ui.canvas.empty import EmptyCanvas
from flowstudio.ui.canvas.faces import HasCredential
from flowstudio.ui.canvas.geometry import CARD_H
from flowstudio.ui.canvas.gestures import editing_at
from flowstudio.ui.canvas.interactions import Gesture, Pointer
from flowstudio.ui.canvas.items import Part
from flowstudio.ui.canvas.keys import EDIT_KEYS, LOOK_KEYS
from flowstudio.ui.canvas.look_view import LookView
from flowstudio.ui.canvas.quick_add import Chosen, QuickAdd, SearchedCatalogue
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import Palette
from flowstudio.ui.undo import Session


def _always(provider: str, name: str | None) -> bool:
    return True


class CanvasView(LookView):
    """The plan's canvas.

    renameRequested, runStepRequested and pinRequested carry a step; status one sentence for the person.
    """

    renameRequested = Signal(str)
    runStepRequested = Signal(str)
    pinRequested = Signal(str)
    status = Signal(str)

    keys = LOOK_KEYS | EDIT_KEYS
    shows_ports = True

    def __init__(
        self,
        session: Session,
        undo: QUndoStack,
        registry: SearchedCatalogue,
        palette: Palette,
        icons: Icons,
        has_credential: HasCredential = _always,
        parent: QWidget | None = None,
    ) -> None:
        board = CanvasScene(registry, has_credential, session.plan)
        super().__init__(board, palette, icons, parent)
        self.undo_stack: QUndoStack = undo
        self.commands = CanvasCommands(session, undo, board, registry, self.status.emit)
        self.session = session
        self._dropping = Dropping(self)
        self.quick_add = QuickAdd(registry, icons, palette, self)
        self._empty = EmptyCanvas(self.viewport(), icons, palette)
        self.setAcceptDrops(True)
        self.quick_add.chosen.connect(self._add_chosen)
        self._empty.started.connect(self._start_with)
        self._empty.left.connect(self.setFocus)
        self._show_change()

    def gesture_at(self, at: Pointer) -> Gesture:
        return editing_at(self, at)

    # what the window calls

    def apply_changes(self, changes: Iterable[object] = ()) -> None:
        """Draws the session's plan as it is now. Harmless when it is drawn already."""
        if self.board.plan is not self.session.plan:
            self.board.show_plan(self.session.plan)

    def set_palette(self, palette: Palette) -> None:
        super().set_palette(palette)
        for part in (self.quick_add, self._empty):
            part.show_palette(palette)

    def add_step(self, provider: str, action: str, scene_pos: QPointF | None = None) -> StepId | None:
        """Adds a step there, or without a place after the selected step and wired to it."""
        if scene_pos is not None:
            return self.commands.add_step(provider, action, (scene_pos.x(), scene_pos.y()))
        return self._add_chosen(Chosen(provider, action), source=self._only_selected())

    def delete_selected(self) -> None:
        self.commands.delete(self.selected_ids(), self.board.selected_edges)

    def copy(self) -> None:
        self.commands.copy(self.selected_ids())

    def cut(self) -> None:
        self.copy()
        self.commands.delete(self.selected_ids(), ())

    def paste(self) -> None:
        """At the pointer when it is over the canvas, else beside where the steps came from."""
        self.commands.paste(self._pointer_place())

    def duplicate(self) -> None:
        self.commands.duplicate(self.selected_ids())

    def toggle_disabled(self) -> None:
        self.commands.toggle_disabled(self.selected_ids())

    def nudge(self, dx: float, dy: float) -> None:
        self.commands.nudge(self.selected_ids(), dx, dy)

    def start_quick_add(self) -> None:
        """Opens quick add: after the selected step, else at the pointer."""
        source = self._only_selected()
        if source is not None:
            box = self.board.box(source)
            self.quick_add.open(self.view_point(box.right + 20, box.y), Chosen(source=source))
            return
        place = self._pointer_place() or self.scene_point(*self._middle())
        place_of_step = (place[0], place[1]) if self.board.plan.steps else None
        self.quick_add.open(self.view_point(*place), Chosen(place=place_of_step))

    # what keys and gestures call

    def offer_steps(self, x: float, y: float, source: StepId | None, port: str | None) -> None:
        place = (x, y - CARD_H / 2) if source is not None else (x, y)
        self.quick_add.open(self.view_point(x, y), Chosen(place=place, source=source, port=port))

    def go(self, dx: int, dy: int) -> None:
        """On an empty canvas an arrow leads to the ways to begin."""
        if self.board.plan.steps:
            super().go(dx, dy)
        else:
            self._empty.take_focus()

    def ask_rename(self) -> None:
        self._with_first_selected(self.renameRequested)

    def ask_run_step(self) -> None:
        self._with_first_selected(self.runStepRequested)

    def ask_pin(self) -> None:
        self._with_first_selected(self.pinRequested)

    def _only_selected(self) -> StepId | None:
        selected = self.selected_ids()
        return selected[0] if len(selected) == 1 else None

    def _pointer_place(self) -> tuple[float, float] | None:
        """The scene point under the pointer, None when it is elsewhere."""
        pointer = self._hand.pointer
        return (pointer.x, pointer.y) if self.viewport().underMouse() else None

    def _add_chosen(self, chosen: Chosen, source: StepId | None = None) -> StepId | None:
        step_id = self.commands.add_step(
            chosen.provider, chosen.action, chosen.place, source or chosen.source, chosen.port
        )
        if step_id is not None:
            self.reveal_step(step_id)
        self.setFocus()
        return step_id

    def _start_with(self, kind: TriggerKind) -> None:
        """A chip of the empty canvas: sets the trigger up and asks for the first step."""
        self.commands.add_trigger(kind)
        self.start_quick_add()

    # keeping the picture

    def _show_plan(self, plan: Plan) -> None:
        super()._show_plan(plan)
        self._empty.setVisible(not plan.steps)
        self._empty.show_triggers(plan.triggers)

    def _arrange(self) -> None:
        super()._arrange()
        self._empty.setGeometry(0, 0, self.width(), self.height())

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.quick_add.close_quietly()
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self._hand.hit(event).part is Part.NOTHING:
            self.board.select(())
            x, y = self.scene_point(event.position().x(), event.position().y())
            self.offer_steps(x, y, None, None)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._dropping.drag_over(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._dropping.drag_over(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._dropping.drag_leave()

    def dropEvent(self, event: QDropEvent) -> None:
        self._dropping.drop(event)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Tab opens quick add; Shift+Tab leaves the canvas."""
        return False if is_next else super().focusNextPrevChild(is_next)
