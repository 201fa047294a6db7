"""PictureView: a zoomable view that paints a scene by CanvasPainter, finely at rest and fast while it moves."""

import math
import time
from collections.abc import Sequence

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QWidget

from flowstudio.engine.events import RunEvent
from flowstudio.ui.canvas.frame import Frame, Overlay
from flowstudio.ui.canvas.painter import CanvasPainter
from flowstudio.ui.canvas.run_display import RunDisplay
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.canvas.zoom_view import ZoomView
from flowstudio.ui.tokens import Palette

REST_MS = 140
"""A view that has not moved for this long is drawn as finely as it can be."""


class PictureView(ZoomView):
    """Shows a board with what gestures lay over it. frames_painted counts pictures, for measuring."""

    def __init__(self, board: CanvasScene, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(board, parent)
        board.setParent(self)
        self.board = board
        self.overlay = Overlay()
        self.frames_painted = 0
        self._painter = CanvasPainter(board, palette)
        self._run = RunDisplay(board, self._redraw_moving, self)
        self._is_moving = False
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.come_to_rest)
        self.scrolled.connect(self._start_moving)

    def set_palette(self, palette: Palette) -> None:
        self._painter.show_palette(palette)
        self.viewport().update()

    def show_events(self, events: Sequence[RunEvent]) -> None:
        """Draws a batch of run events: states at once, figures at most ten times a second, one repaint."""
        self._run.show_events(events)

    def clear_run(self) -> None:
        self._run.clear()

    def set_reduced_motion(self, is_reduced: bool) -> None:
        self._run.set_motion(not is_reduced)

    def redraw(self) -> None:
        self._start_moving()
        self.viewport().update()

    def _start_moving(self) -> None:
        self._is_moving = True
        self._rest.start()

    def _redraw_moving(self) -> None:
        """Asks for the parts that move by themselves: running cards and the wires that lead to them."""
        region = QRegion()
        for box in self.board.running_boxes(self.visible_box):
            region += self.view_rect(box).adjusted(-12, -12, 12, 12)
        self.viewport().update(region)

    def come_to_rest(self) -> None:
        """Paints as finely as can be from now on; happens by itself when nothing has moved for REST_MS."""
        self._rest.stop()
        self._is_moving = False
        self.viewport().update()

    def frame(self, left: int, top: int, right: int, bottom: int) -> Frame:
        """That part of the viewport (logical pixels) as the painter sees it."""
        ratio = self.devicePixelRatioF()
        return Frame(
            zoom=self.zoom,
            ratio=ratio,
            dx=round(-self.horizontalScrollBar().value() * ratio),
            dy=round(-self.verticalScrollBar().value() * ratio),
            left=math.floor(left * ratio),
            top=math.floor(top * ratio),
            right=math.ceil(right * ratio),
            bottom=math.ceil(bottom * ratio),
            is_moving=self._is_moving,
            time_s=time.monotonic(),
            is_still=not self._run.has_motion,
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        rect = event.rect()
        frame = self.frame(rect.left(), rect.top(), rect.right() + 1, rect.bottom() + 1)
        painter = QPainter(self.viewport())
        painter.setClipRegion(event.region())
        painter.scale(1 / frame.ratio, 1 / frame.ratio)
        self._painter.paint(painter, frame, self.overlay)
        painter.end()
        self.frames_painted += 1
