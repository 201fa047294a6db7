"""Gestures: what a pressed button and a moving pointer do, one class a gesture.

The hand makes a Pointer of each event, picks a gesture when a button goes down (`gestures.editing_at`) and gives it
every move until the button comes up or Esc ends it. A gesture changes the plan only in `finish`, by one command.
"""

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QPointF, Qt

from flowstudio.plan.model import StepId
from flowstudio.ui.canvas.commands import CanvasCommands
from flowstudio.ui.canvas.frame import Overlay
from flowstudio.ui.canvas.geometry import Box
from flowstudio.ui.canvas.items import Hit
from flowstudio.ui.canvas.scene import CanvasScene

DRAG_STARTS_PX = 4
"""A press that moves less than this stays a click."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the pointer is, in scene pixels (x, y) and in the view's (px, py), and what is held with it."""

    x: float
    y: float
    px: float
    py: float
    has_shift: bool = False
    has_ctrl: bool = False
    has_alt: bool = False


class Outlook(Protocol):
    """A view of a board: what looking around may touch."""

    board: CanvasScene
    overlay: Overlay

    @property
    def zoom(self) -> float: ...
    def scene_point(self, px: float, py: float) -> tuple[float, float]: ...
    def scroll_by(self, dx: float, dy: float) -> None: ...
    def zoom_about(self, factor: float, px: float, py: float) -> None: ...
    def redraw(self) -> None: ...
    def show_cursor(self, shape: Qt.CursorShape | None) -> None: ...


class Desk(Outlook, Protocol):
    """A view that gestures may change the plan through."""

    commands: CanvasCommands

    def offer_steps(self, x: float, y: float, source: StepId | None, port: str | None) -> None:
        """Opens quick add at a scene point; what is chosen is wired from that port."""


class Gesture(Protocol):
    def move(self, at: Pointer) -> None: ...
    def finish(self, at: Pointer) -> None: ...
    def cancel(self) -> None: ...


class Pan:
    """Moves the view with the hand."""

    def __init__(self, desk: Outlook, start: Pointer) -> None:
        self._desk = desk
        self._last = start
        desk.show_cursor(Qt.CursorShape.ClosedHandCursor)

    def move(self, at: Pointer) -> None:
        self._desk.scroll_by(self._last.px - at.px, self._last.py - at.py)
        self._last = at

    def finish(self, at: Pointer) -> None:
        self._desk.show_cursor(None)

    def cancel(self) -> None:
        self._desk.show_cursor(None)


class SelectArea:
    """Rubber band: selects what it touches; Shift adds to the selection, Ctrl toggles."""

    def __init__(self, desk: Outlook, start: Pointer) -> None:
        self._desk = desk
        self._start = start
        self._before = desk.board.selected_ids()
        self._is_dragging = False

    def move(self, at: Pointer) -> None:
        if not self._is_dragging and not has_moved(self._start, at):
            return
        self._is_dragging = True
        band = Box(
            min(at.x, self._start.x), min(at.y, self._start.y), abs(at.x - self._start.x), abs(at.y - self._start.y)
        )
        kept = self._before if at.has_shift or at.has_ctrl else []
        self._desk.overlay.band = band
        self._desk.board.select_area(band, also=kept, toggled=at.has_ctrl)

    def finish(self, at: Pointer) -> None:
        if not self._is_dragging and not at.has_shift and not at.has_ctrl:
            self._desk.board.select(())
        self._desk.overlay.clear_gesture()
        self._desk.redraw()

    def cancel(self) -> None:
        self._desk.board.select(self._before)
        self._desk.overlay.clear_gesture()
        self._desk.redraw()


class PickCard:
    """A click on a card selects it; Shift and Ctrl keep the others."""

    def __init__(self, desk: Outlook, start: Pointer, step_id: StepId) -> None:
        before = desk.board.selected_ids() if start.has_shift or start.has_ctrl else []
        desk.board.select(set(before) ^ {step_id})

    def move(self, at: Pointer) -> None:
        return None

    def finish(self, at: Pointer) -> None:
        return None

    def cancel(self) -> None:
        return None


class PickWire:
    """A click on a wire selects it; Shift and Ctrl keep the others."""

    def __init__(self, desk: Outlook, start: Pointer, hit: Hit) -> None:
        scene = desk.board
        assert hit.edge is not None
        if start.has_shift or start.has_ctrl:
            scene.select(scene.selected_ids(), scene.selected_edges ^ {hit.edge})
        else:
            scene.select((), {hit.edge})

    def move(self, at: Pointer) -> None:
        return None

    def finish(self, at: Pointer) -> None:
        return None

    def cancel(self) -> None:
        return None


def has_moved(start: Pointer, at: Pointer) -> bool:
    return abs(at.px - start.px) + abs(at.py - start.py) >= DRAG_STARTS_PX


def pointer_at(desk: Outlook, point: QPointF, held: Qt.KeyboardModifier) -> Pointer:
    """A point of the viewport and the keys held there, as gestures want them."""
    x, y = desk.scene_point(point.x(), point.y())
    return Pointer(
        x,
        y,
        point.x(),
        point.y(),
        has_shift=bool(held & Qt.KeyboardModifier.ShiftModifier),
        has_ctrl=bool(held & Qt.KeyboardModifier.ControlModifier),
        has_alt=bool(held & Qt.KeyboardModifier.AltModifier),
    )
