"""The hand on the canvas: mouse, wheel and touch pad become gestures, panning and zooming."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QInputDevice, QMouseEvent, QNativeGestureEvent, QSinglePointEvent, QWheelEvent

from flowstudio.ui.canvas.interactions import Gesture, Outlook, Pan, Pointer, pointer_at
from flowstudio.ui.canvas.items import Hit, Part

_NOTCH = 120
_ZOOM_PER_NOTCH = 1.2


class Hand:
    """Holds the gesture under way and tells the view's overlay what the pointer is over.

    begin: the gesture a press of the left button starts. shows_ports: whether a port under the pointer is lit.
    """

    def __init__(self, desk: Outlook, begin: Callable[[Pointer], Gesture], shows_ports: bool) -> None:
        self._desk = desk
        self._begin = begin
        self._shows_ports = shows_ports
        self._gesture: Gesture | None = None
        self._is_space_held = False
        self.pointer = Pointer(0, 0, 0, 0)

    # buttons

    def press(self, event: QMouseEvent) -> None:
        at = self._at(event)
        if self._gesture is not None:
            return
        if event.button() == Qt.MouseButton.MiddleButton or self._is_space_held:
            self._gesture = Pan(self._desk, at)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._gesture = self._begin(at)

    def move(self, event: QMouseEvent) -> None:
        at = self._at(event)
        if self._gesture is not None:
            self._gesture.move(at)
        elif event.buttons() == Qt.MouseButton.NoButton:
            self._hover(at)

    def release(self, event: QMouseEvent) -> None:
        at = self._at(event)
        gesture, self._gesture = self._gesture, None
        if gesture is not None:
            gesture.finish(at)
        self._hover(at)

    def cancel(self) -> bool:
        """Ends the gesture under way with nothing changed. False when there is none."""
        gesture, self._gesture = self._gesture, None
        if gesture is None:
            return False
        gesture.cancel()
        self._desk.show_cursor(None)
        return True

    def hold_space(self, is_held: bool) -> None:
        """While the space bar is down the left button pans."""
        self._is_space_held = is_held
        if self._gesture is None:
            self._desk.show_cursor(Qt.CursorShape.OpenHandCursor if is_held else None)

    def leave(self) -> None:
        """The pointer left the canvas."""
        overlay = self._desk.overlay
        if self._gesture is None and (overlay.hovered_port or overlay.hovered_wire):
            overlay.hovered_port = overlay.hovered_wire = None
            self._desk.redraw()

    def hit(self, event: QSinglePointEvent) -> Hit:
        at = self._at(event)
        return self._desk.board.hit(at.x, at.y, self._desk.zoom)

    # wheel and touch pad

    def wheel(self, event: QWheelEvent) -> None:
        """A wheel zooms at the pointer; two fingers on a touch pad pan, with Ctrl they zoom."""
        at = event.position()
        is_zoom = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if _is_touch_pad(event) and not is_zoom:
            delta = event.pixelDelta()
            if delta.isNull():
                delta = event.angleDelta() / 2
            self._desk.scroll_by(-delta.x(), -delta.y())
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not is_zoom:
            self._desk.scroll_by(-(event.angleDelta().y() or event.angleDelta().x()), 0)
        else:
            turn = event.angleDelta().y() or event.angleDelta().x()
            self._desk.zoom_about(_ZOOM_PER_NOTCH ** (turn / _NOTCH), at.x(), at.y())
        event.accept()

    def native_gesture(self, event: QNativeGestureEvent) -> bool:
        """A pinch. False for gestures the canvas does not know."""
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
            return False
        at = event.position()
        self._desk.zoom_about(1.0 + event.value(), at.x(), at.y())
        return True

    # what lies under the pointer

    def _hover(self, at: Pointer) -> None:
        overlay, desk = self._desk.overlay, self._desk
        hit = desk.board.hit(at.x, at.y, desk.zoom)
        is_port = hit.part is Part.PORT and self._shows_ports
        port = (hit.step_id, hit.anchor) if is_port and hit.anchor is not None else None
        card = hit.step_id if hit.part in (Part.CARD, Part.PORT) else None
        if (port, hit.edge) != (overlay.hovered_port, overlay.hovered_wire):
            overlay.hovered_port, overlay.hovered_wire = port, hit.edge
            desk.redraw()
        overlay.hovered_card = card
        if not self._is_space_held:
            desk.show_cursor(_CURSORS.get(hit.part) if hit.part is not Part.PORT or self._shows_ports else None)

    def _at(self, event: QSinglePointEvent) -> Pointer:
        self.pointer = pointer_at(self._desk, event.position(), event.modifiers())
        return self.pointer


_CURSORS = {Part.PORT: Qt.CursorShape.CrossCursor, Part.WIRE: Qt.CursorShape.PointingHandCursor}


def _is_touch_pad(event: QWheelEvent) -> bool:
    """Two fingers and not a wheel: the device says so, or the movement has a beginning and an end."""
    device = event.pointingDevice()
    if device is not None and device.type() == QInputDevice.DeviceType.TouchPad:
        return True
    return event.phase() != Qt.ScrollPhase.NoScrollPhase
