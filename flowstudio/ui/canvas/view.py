"""CanvasView: the canvas as a widget. Events go to the hand, intentions to the commands."""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPointF, Qt, Signal, SignalInstance
from PySide6.QtGui import (
    QCursor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QUndoStack,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from flowstudio.plan.model import Plan, StepId, TriggerKind
from flowstudio.ui.canvas.commands import CanvasCommands
from flowstudio.ui.canvas.empty import EmptyCanvas
from flowstudio.ui.canvas.faces import HasCredential
from flowstudio.ui.canvas.geometry import CARD_H, Box, union
from flowstudio.ui.canvas.hand import Hand
from flowstudio.ui.canvas.items import Part
from flowstudio.ui.canvas.keys import command_for
from flowstudio.ui.canvas.minimap import Minimap
from flowstudio.ui.canvas.picture import PictureView
from flowstudio.ui.canvas.quick_add import Chosen, QuickAdd, SearchedCatalogue
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.canvas.steering import nearest_in_direction
from flowstudio.ui.canvas.tips import tip_of
from flowstudio.ui.canvas.zoom_bar import ZoomBar
from flowstudio.ui.canvas.zoom_view import ZOOM_STEP
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import SPACE_4, Palette
from flowstudio.ui.undo import Session


def _always(provider: str, name: str | None) -> bool:
    return True


class CanvasView(PictureView):
    """The plan's canvas.

    selectionChanged carries the selected step ids; stepActivated a step that was double-clicked or entered;
    renameRequested and runStepRequested a step to rename or run; status one sentence for the person.
    """

    selectionChanged = Signal(list)
    stepActivated = Signal(str)
    renameRequested = Signal(str)
    runStepRequested = Signal(str)
    status = Signal(str)

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
        super().__init__(board, palette, parent)
        self.undo_stack: QUndoStack = undo
        self.commands = CanvasCommands(session, undo, board, registry, self.status.emit)
        self.session = session
        self._hand = Hand(self)
        self.quick_add = QuickAdd(registry, icons, palette, self)
        self._minimap = Minimap(self, board, palette)
        self._zoom_bar = ZoomBar(self, icons, palette, self.fit_all)
        self._empty = EmptyCanvas(self.viewport(), icons, palette)
        self._shown: Plan | None = None
        self._set_up()

    def _set_up(self) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setAccessibleName("Canvas")
        self.quick_add.chosen.connect(self._add_chosen)
        self._empty.started.connect(self._start_with)
        self.board.redrawn.connect(self._show_change)
        self.scrolled.connect(self._show_minimap)
        self.board.reselected.connect(self._tell_selection)
        self._show_change()

    # what the window calls

    def apply_changes(self, changes: Iterable[object] = ()) -> None:
        """Draws the session's plan as it is now. Harmless when it is drawn already."""
        if self.board.plan is not self.session.plan:
            self.board.show_plan(self.session.plan)

    def set_palette(self, palette: Palette) -> None:
        super().set_palette(palette)
        for part in (self.quick_add, self._minimap, self._zoom_bar, self._empty):
            part.show_palette(palette)

    def refresh_faces(self) -> None:
        """Titles, icons and badges again: the catalogue or the credentials changed."""
        self.board.refresh_faces()

    def selected_ids(self) -> list[StepId]:
        return self.board.selected_ids()

    def select(self, ids: Iterable[StepId]) -> None:
        self.board.select(ids)

    def select_all(self) -> None:
        self.board.select([step.id for step in self.board.plan.steps], [edge.key for edge in self.board.plan.edges])

    def reveal_step(self, step_id: StepId) -> None:
        """Scrolls a step into view and selects it."""
        if self.board.step(step_id) is not None:
            self.board.select([step_id])
            box = self.board.box(step_id)
            self.reveal(Box(box.x, box.y, box.w, min(box.h, CARD_H)))

    def fit_all(self) -> None:
        self.fit(self.board.extent())

    def fit_selection(self) -> None:
        self.fit(self.board.extent(self.selected_ids() or None))

    def zoom_in(self) -> None:
        self.zoom_to(self.zoom * ZOOM_STEP)

    def zoom_out(self) -> None:
        self.zoom_to(self.zoom / ZOOM_STEP)

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

    def toggle_minimap(self) -> None:
        self._minimap.is_wanted = not self._minimap.is_wanted
        self._arrange()

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
        """Selects the nearest card in a direction."""
        found = nearest_in_direction(self.board, next(reversed(self.selected_ids()), None), dx, dy)
        if found is not None:
            self.reveal_step(found)

    def escape(self) -> None:
        """Ends the gesture under way, else clears the selection."""
        if not self._hand.cancel():
            self.board.select(())

    def activate_step(self) -> None:
        self._with_first_selected(self.stepActivated)

    def ask_rename(self) -> None:
        self._with_first_selected(self.renameRequested)

    def ask_run_step(self) -> None:
        self._with_first_selected(self.runStepRequested)

    def show_cursor(self, shape: Qt.CursorShape | None) -> None:
        self.viewport().setCursor(Qt.CursorShape.ArrowCursor if shape is None else shape)

    def _with_first_selected(self, signal: SignalInstance) -> None:
        for step_id in self.selected_ids()[:1]:
            signal.emit(step_id)

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

    def _show_change(self) -> None:
        """Something is to be drawn anew; a new revision of the plan also changes what lies around the picture."""
        if self._shown is not self.board.plan:
            self._shown = self.board.plan
            self._empty.setVisible(not self._shown.steps)
            self._empty.show_triggers(self._shown.triggers)
            self._show_minimap()
            self._describe()
        self.viewport().update()

    def _tell_selection(self) -> None:
        self.selectionChanged.emit(self.selected_ids())
        self._describe()

    def _describe(self) -> None:
        """What a screen reader says of the canvas."""
        plan, selected = self.board.plan, self.selected_ids()
        named = ", ".join(self.board.title(step_id) for step_id in selected[:3])
        text = f"{len(plan.steps)} steps, {len(plan.edges)} connections."
        self.setAccessibleDescription(f"{text} Selected: {named}." if selected else text)

    def _arrange(self) -> None:
        """Puts the small map left and the zoom bar right at the bottom; both step aside where there is no room."""
        width, height = self.width(), self.height()
        bar = self._zoom_bar
        bar.adjustSize()
        bar.move(width - bar.width() - SPACE_4, height - bar.height() - SPACE_4)
        bar.setVisible(width > 360 and height > 200)
        self._minimap.move(SPACE_4, height - self._minimap.height() - SPACE_4)
        self._show_minimap()
        self._empty.setGeometry(0, 0, width, height)

    def _show_minimap(self) -> None:
        """There while part of the plan is out of view and the canvas is large enough to spare the corner."""
        outline, seen = self.board.outline(), self.visible_box
        is_beyond = outline is not None and union([outline, seen]) != seen
        has_room = self.width() > 640 and self.height() > 360
        self._minimap.setVisible(self._minimap.is_wanted and is_beyond and has_room)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.quick_add.close_quietly()
        self._hand.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hand.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._hand.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        hit = self._hand.hit(event)
        if hit.part is Part.CARD:
            self.board.select([hit.step_id])
            self.stepActivated.emit(hit.step_id)
        elif hit.part is Part.NOTHING:
            self.board.select(())
            x, y = self.scene_point(event.position().x(), event.position().y())
            self.offer_steps(x, y, None, None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._hand.wheel(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._hand.drag_over(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._hand.drag_over(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._hand.drag_leave()

    def dropEvent(self, event: QDropEvent) -> None:
        self._hand.drop(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._hand.hold_space(True)
            return
        command = command_for(event.keyCombination())
        if command is None:
            super().keyPressEvent(event)
        else:
            command(self)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._hand.hold_space(False)
        else:
            super().keyReleaseEvent(event)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Tab opens quick add; Shift+Tab leaves the canvas."""
        return False if is_next else super().focusNextPrevChild(is_next)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hand.leave()
        elif event.type() == QEvent.Type.NativeGesture and isinstance(event, QNativeGestureEvent):
            return self._hand.native_gesture(event)
        elif event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(QCursor.pos(), tip_of(self.board, self.overlay), self.viewport())
            return True
        return super().viewportEvent(event)
