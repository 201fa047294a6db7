"""The small map: the whole plan in a corner, and where the view is in it. Click or drag to go there."""

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from flowstudio.ui.canvas.art import TONES
from flowstudio.ui.canvas.faces import Look
from flowstudio.ui.canvas.geometry import Box
from flowstudio.ui.canvas.qt_arrays import draw_rects
from flowstudio.ui.canvas.scene import CATEGORIES, CATEGORY_SHIFT, CanvasScene
from flowstudio.ui.canvas.zoom_view import ZoomView
from flowstudio.ui.tokens import RADIUS_CARD, Palette, mix

SIZE = QSize(184, 116)
_INSET = 10.0
_SMALLEST_PX = 2.0
_PICTURE_EVERY_MS = 100


class Minimap(QWidget):
    """Child of the view; reads the scene's arrays, so it costs a few calls whatever the plan's size."""

    def __init__(self, view: ZoomView, board: CanvasScene, palette: Palette) -> None:
        super().__init__(view)
        self._view = view
        self._board = board
        self._palette = palette
        self.is_wanted = True
        self._picture: QPixmap | None = None
        self._stale = QTimer(self, singleShot=True, interval=_PICTURE_EVERY_MS)
        self._stale.timeout.connect(self._renew)
        board.redrawn.connect(self._expire)
        view.scrolled.connect(self.update)
        self.setFixedSize(SIZE)
        self.setAccessibleName("Map of the plan")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_palette(self, palette: Palette) -> None:
        self._palette = palette
        self._renew()

    def _expire(self) -> None:
        """The plan or its states changed. The picture follows ten times a second: cards are dragged past it."""
        if not self._stale.isActive():
            self._stale.start()

    def _renew(self) -> None:
        self._picture = None
        self.update()

    def _world(self) -> Box:
        return self._board.outline() or self._view.visible_box

    def _scale(self, world: Box) -> tuple[float, float, float]:
        """Map pixels per scene pixel, and the map's place of the scene's origin."""
        room_w, room_h = self.width() - 2 * _INSET, self.height() - 2 * _INSET
        scale = min(room_w / world.w, room_h / world.h)
        left = (self.width() - world.w * scale) / 2 - world.x * scale
        top = (self.height() - world.h * scale) / 2 - world.y * scale
        return scale, left, top

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self._palette
        scale, left, top = self._scale(self._world())
        if self._picture is None or self._picture.devicePixelRatio() != self.devicePixelRatioF():
            self._picture = self._draw(scale, left, top)
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.drawPixmap(0, 0, self._picture)
        seen = self._view.visible_box
        window = QRectF(seen.x * scale + left, seen.y * scale + top, seen.w * scale, seen.h * scale)
        window = window.intersected(QRectF(3, 3, self.width() - 6, self.height() - 6))
        fill = QColor(palette.accent)
        fill.setAlphaF(0.10)
        p.setBrush(fill)
        p.setPen(QPen(QColor(palette.accent), 1.2))
        p.drawRoundedRect(window, 3, 3)
        p.end()

    def _draw(self, scale: float, left: float, top: float) -> QPixmap:
        """The panel and the cards, kept until one of them changes."""
        picture = QPixmap(self.size() * self.devicePixelRatioF())
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        picture.fill(Qt.GlobalColor.transparent)
        p = QPainter(picture)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.setPen(QPen(QColor(self._palette.border), 1))
        back = QColor(self._palette.window)
        back.setAlphaF(0.94)
        p.setBrush(back)
        p.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), RADIUS_CARD, RADIUS_CARD)
        self._cards(p, scale, left, top)
        p.end()
        return picture

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
            p.setBrush(QColor(mix(colour, self._palette.window, 0.25)))
            draw_rects(p, np.ascontiguousarray(rects))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        scale, left, top = self._scale(self._world())
        self._view.look_at((event.position().x() - left) / scale, (event.position().y() - top) / scale)
