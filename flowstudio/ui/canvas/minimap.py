"""The small map: the whole plan in a corner, and where the view is in it. Click or drag to go there."""

import numpy as np
import shiboken6
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from flowstudio.ui.canvas.art import TONES
from flowstudio.ui.canvas.faces import Look
from flowstudio.ui.canvas.geometry import Box, union
from flowstudio.ui.canvas.scene import CATEGORIES, CATEGORY_SHIFT, CanvasScene
from flowstudio.ui.canvas.zoom_view import ZoomView
from flowstudio.ui.tokens import RADIUS_CARD, Palette, mix

SIZE = QSize(184, 116)
_INSET = 10.0
_SMALLEST_PX = 2.0


class Minimap(QWidget):
    """Child of the view; reads the scene's arrays, so it costs a few calls whatever the plan's size."""

    def __init__(self, view: ZoomView, board: CanvasScene, palette: Palette) -> None:
        super().__init__(view)
        self._view = view
        self._board = board
        self._palette = palette
        self.is_wanted = True
        self.setFixedSize(SIZE)
        self.setAccessibleName("Map of the plan")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_palette(self, palette: Palette) -> None:
        self._palette = palette
        self.update()

    def _world(self) -> Box:
        """All cards and what is in view."""
        boxes = [self._view.visible_box]
        extent = self._board.outline()
        if extent is not None:
            boxes.append(extent)
        return union(boxes) or boxes[0]

    def _scale(self, world: Box) -> tuple[float, float, float]:
        """Map pixels per scene pixel, and the map's place of the scene's origin."""
        room_w, room_h = self.width() - 2 * _INSET, self.height() - 2 * _INSET
        scale = min(room_w / world.w, room_h / world.h)
        left = (self.width() - world.w * scale) / 2 - world.x * scale
        top = (self.height() - world.h * scale) / 2 - world.y * scale
        return scale, left, top

    def paintEvent(self, event: QPaintEvent) -> None:
        palette, world = self._palette, self._world()
        scale, left, top = self._scale(world)
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.setPen(QPen(QColor(palette.border), 1))
        back = QColor(palette.window)
        back.setAlphaF(0.94)
        p.setBrush(back)
        p.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), RADIUS_CARD, RADIUS_CARD)
        self._cards(p, scale, left, top)
        seen = self._view.visible_box
        window = QRectF(seen.x * scale + left, seen.y * scale + top, seen.w * scale, seen.h * scale)
        window = window.intersected(QRectF(3, 3, self.width() - 6, self.height() - 6))
        fill = QColor(palette.accent)
        fill.setAlphaF(0.10)
        p.setBrush(fill)
        p.setPen(QPen(QColor(palette.accent), 1.2))
        p.drawRoundedRect(window, 3, 3)
        p.end()

    def _cards(self, p: QPainter, scale: float, left: float, top: float) -> None:
        """One call a colour: cards of a state in its colour, the others in their category's."""
        cards = self._board.cards
        n = cards.size
        alive = ~np.isnan(cards.x[:n])
        rects = np.empty((n, 4))
        rects[:, 0], rects[:, 1] = cards.x[:n] * scale + left, cards.y[:n] * scale + top
        rects[:, 2] = np.maximum(cards.w[:n] * scale, _SMALLEST_PX)
        rects[:, 3] = np.maximum(cards.h[:n] * scale, _SMALLEST_PX)
        category = cards.traits[:n] >> CATEGORY_SHIFT & 7
        stateless = np.isin(cards.look[:n], [Look.IDLE, Look.QUEUED, Look.SKIPPED])
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        p.setPen(Qt.PenStyle.NoPen)
        self._fill(p, rects[alive & cards.is_loop[:n]], mix(self._palette.border, self._palette.window, 0.4))
        plain = alive & ~cards.is_loop[:n]
        for number, each in enumerate(CATEGORIES):
            self._fill(p, rects[plain & stateless & (category == number)], self._palette.category(each))
        for look in (Look.OK, Look.CANCELLED, Look.WAITING, Look.RUNNING, Look.FAILED):
            self._fill(p, rects[plain & (cards.look[:n] == look)], str(getattr(self._palette, TONES[look])))
        p.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _fill(self, p: QPainter, rects: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", colour: str) -> None:
        if len(rects):
            rects = np.ascontiguousarray(rects)
            p.setBrush(QColor(mix(colour, self._palette.window, 0.25)))
            p.drawRects(shiboken6.wrapInstance(rects.ctypes.data, QRectF), len(rects))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        scale, left, top = self._scale(self._world())
        self._view.look_at((event.position().x() - left) / scale, (event.position().y() - top) / scale)
