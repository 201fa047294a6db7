"""LookView: a canvas to look at: pan, zoom, select, read tool tips. What can be changed is CanvasView's."""

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, Qt, Signal, SignalInstance
from PySide6.QtGui import (
    QContextMenuEvent,
    QCursor,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from flowstudio.plan.model import Plan, StepId
from flowstudio.ui.canvas.geometry import CARD_H, Box, union
from flowstudio.ui.canvas.gestures import looking_at
from flowstudio.ui.canvas.hand import Hand
from flowstudio.ui.canvas.interactions import Gesture, Pointer
from flowstudio.ui.canvas.items import Part
from flowstudio.ui.canvas.keys import LOOK_KEYS, Keys, command_for
from flowstudio.ui.canvas.minimap import Minimap
from flowstudio.ui.canvas.picture import PictureView
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.canvas.steering import nearest_in_direction
from flowstudio.ui.canvas.tips import tip_of
from flowstudio.ui.canvas.zoom_bar import ZoomBar
from flowstudio.ui.canvas.zoom_view import ZOOM_STEP
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import SPACE_4, Palette


@dataclass(frozen=True, slots=True)
class MenuPlace:
    """Where a context menu is asked for: on the screen, and on the board in scene pixels."""

    on_screen: QPoint
    x: float
    y: float


class LookView(PictureView):
    """A board under the hand, with its small map and zoom bar.

    selectionChanged carries the selected step ids; stepActivated a step that was double-clicked or entered; menuWanted
    where a context menu is asked for, what it is about being selected by then.
    """

    selectionChanged = Signal(list)
    stepActivated = Signal(str)
    menuWanted = Signal(object)  # MenuPlace

    keys: Keys = LOOK_KEYS
    shows_ports = False
    """Whether ports invite to draw a wire."""

    def __init__(self, board: CanvasScene, palette: Palette, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(board, palette, parent)
        self._hand = Hand(self, self.gesture_at, self.shows_ports)
        self._minimap = Minimap(self, board, palette)
        self._zoom_bar = ZoomBar(self, icons, palette, self.fit_all)
        self._shown: Plan | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName("Canvas")
        self.board.redrawn.connect(self._show_change)
        self.scrolled.connect(self._show_minimap)
        self.board.reselected.connect(self._tell_selection)

    def gesture_at(self, at: Pointer) -> Gesture:
        """What a press of the left button there begins."""
        return looking_at(self, at)

    # what the window calls

    def set_palette(self, palette: Palette) -> None:
        super().set_palette(palette)
        for part in (self._minimap, self._zoom_bar):
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
            self.bring_into_view(step_id)

    def bring_into_view(self, step_id: StepId) -> None:
        """Scrolls just so far that the step's card is in view."""
        if self.board.step(step_id) is not None:
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

    def show_actual_size(self) -> None:
        self.zoom_to(1.0)

    def toggle_minimap(self) -> None:
        self._minimap.is_wanted = not self._minimap.is_wanted
        self._arrange()

    # what keys and gestures call

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

    def show_cursor(self, shape: Qt.CursorShape | None) -> None:
        self.viewport().setCursor(Qt.CursorShape.ArrowCursor if shape is None else shape)

    def _with_first_selected(self, signal: SignalInstance) -> None:
        for step_id in self.selected_ids()[:1]:
            signal.emit(step_id)

    # keeping the picture

    def _show_change(self) -> None:
        """Something is to be drawn anew; a new revision of the plan also changes what lies around the picture."""
        if self._shown is not self.board.plan:
            self._shown = self.board.plan
            self._show_plan(self._shown)
        self.viewport().update()

    def _show_plan(self, plan: Plan) -> None:
        self._show_minimap()
        self._describe()

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
        self._hand.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hand.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._hand.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            hit = self._hand.hit(event)
            if hit.part is Part.CARD:
                self.board.select([hit.step_id])
                self.stepActivated.emit(hit.step_id)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """By mouse for what lies under the pointer, by key for the selection."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            boxes = [self.board.box(step_id) for step_id in self.selected_ids()[:1]]
            x, y = (boxes[0].x + 40, boxes[0].y + CARD_H / 2) if boxes else self.scene_point(*self._middle())
        else:
            x, y = self.scene_point(event.pos().x(), event.pos().y())
            self._select_for_menu(x, y)
        at = self.viewport().mapToGlobal(self.view_point(x, y).toPoint())
        self.menuWanted.emit(MenuPlace(at, x, y))
        event.accept()

    def _select_for_menu(self, x: float, y: float) -> None:
        """What is under the pointer becomes the selection, unless it is part of it already."""
        hit = self.board.hit(x, y, self.zoom)
        if hit.part in (Part.CARD, Part.PORT) and hit.step_id not in self.selected_ids():
            self.board.select([hit.step_id])
        elif hit.part is Part.WIRE and hit.edge is not None and hit.edge not in self.board.selected_edges:
            self.board.select((), [hit.edge])
        elif hit.part is Part.NOTHING:
            self.board.select(())

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._hand.wheel(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self._hand.hold_space(True)
            return
        command = command_for(event.keyCombination(), self.keys)
        if command is None:
            super().keyPressEvent(event)
        else:
            command(self)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._hand.hold_space(False)
        else:
            super().keyReleaseEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hand.leave()
        elif event.type() == QEvent.Type.NativeGesture and isinstance(event, QNativeGestureEvent):
            return self._hand.native_gesture(event)
        elif event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(QCursor.pos(), tip_of(self.board, self.overlay), self.viewport())
            return True
        return super().viewportEvent(event)
