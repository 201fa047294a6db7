"""A graphics view without bars that zooms about any point and pans by whole pixels."""

import math

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QTransform
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from flowstudio.ui.canvas.geometry import Box

ZOOM_MIN, ZOOM_MAX = 0.04, 4.0
ZOOM_STEP = 1.2
FIT_MARGIN_PX = 48.0
FIT_MAX = 1.25
"""Fitting a small plan does not blow its cards up."""
_WORLD = 500_000.0
"""Half the side of the scene that can be scrolled to: far more than any plan, so no bar ever stops a hand."""


class ZoomView(QGraphicsView):
    """zoomed is emitted with the new zoom; scrolled after every change of what is in view."""

    zoomed = Signal(float)
    scrolled = Signal()

    def __init__(self, scene: QGraphicsScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self._zoom = 1.0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.NoViewportUpdate)
        self.setSceneRect(-_WORLD, -_WORLD, 2 * _WORLD, 2 * _WORLD)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def zoom(self) -> float:
        """Logical pixels per scene pixel."""
        return self._zoom

    def zoom_about(self, factor: float, px: float, py: float) -> None:
        """Zooms so that the scene point under the view's point (px, py) stays under it."""
        zoom = min(ZOOM_MAX, max(ZOOM_MIN, self._zoom * factor))
        for landmark in (1.0, 0.5, 2.0):  # a wheel that comes near full size lands on it: crisp and easy to find again
            if abs(zoom / landmark - 1) < 0.02:
                zoom = landmark
        x, y = self.scene_point(px, py)
        self._show(zoom, x, y, px, py)

    def zoom_to(self, zoom: float) -> None:
        """Sets the zoom about the middle of the view."""
        self.zoom_about(zoom / self._zoom, self.viewport().width() / 2, self.viewport().height() / 2)

    def fit(self, box: Box | None) -> None:
        """Shows the whole box, as large as it can be without blowing it up."""
        if box is None:
            self._show(1.0, 0.0, 0.0, self.viewport().width() / 2, self.viewport().height() / 2)
            return
        room_w = max(50.0, self.viewport().width() - 2 * FIT_MARGIN_PX)
        room_h = max(50.0, self.viewport().height() - 2 * FIT_MARGIN_PX)
        zoom = min(FIT_MAX, room_w / max(box.w, 1.0), room_h / max(box.h, 1.0))
        self._show(max(ZOOM_MIN, zoom), box.x + box.w / 2, box.y + box.h / 2, *self._middle())

    def reveal(self, box: Box) -> None:
        """Scrolls just so far that the box is in view."""
        left, top = self.scene_point(0, 0)
        right, bottom = self.scene_point(self.viewport().width(), self.viewport().height())
        margin = 24 / self._zoom
        dx = min(0.0, box.x - margin - left) or max(0.0, box.right + margin - right)
        dy = min(0.0, box.y - margin - top) or max(0.0, box.bottom + margin - bottom)
        self.scroll_by(dx * self._zoom, dy * self._zoom)

    def look_at(self, x: float, y: float) -> None:
        """Puts a scene point into the middle of the view."""
        self._show(self._zoom, x, y, *self._middle())

    def scroll_by(self, dx: float, dy: float) -> None:
        """Moves the view over the scene by that many logical pixels."""
        bars = self.horizontalScrollBar(), self.verticalScrollBar()
        for bar, delta in zip(bars, (dx, dy), strict=True):
            bar.setValue(bar.value() + round(delta))

    def scene_point(self, px: float, py: float) -> tuple[float, float]:
        """The scene point under a point of the viewport."""
        left, top = self.horizontalScrollBar().value(), self.verticalScrollBar().value()
        return (px + left) / self._zoom, (py + top) / self._zoom

    def view_point(self, x: float, y: float) -> QPointF:
        """Where a scene point lies in the viewport."""
        left, top = self.horizontalScrollBar().value(), self.verticalScrollBar().value()
        return QPointF(x * self._zoom - left, y * self._zoom - top)

    def view_rect(self, box: Box) -> QRect:
        """The box in the viewport, rounded outwards."""
        corner = self.view_point(box.x, box.y)
        return QRectF(corner.x(), corner.y(), box.w * self._zoom, box.h * self._zoom).toAlignedRect()

    @property
    def visible_box(self) -> Box:
        x, y = self.scene_point(0, 0)
        return Box(x, y, self.viewport().width() / self._zoom, self.viewport().height() / self._zoom)

    def _middle(self) -> tuple[float, float]:
        return self.viewport().width() / 2, self.viewport().height() / 2

    def _show(self, zoom: float, x: float, y: float, px: float, py: float) -> None:
        """Shows scene point (x, y) at the view's point (px, py)."""
        is_new = not math.isclose(zoom, self._zoom, rel_tol=1e-9)
        if is_new:
            self._zoom = zoom
            self.setTransform(QTransform.fromScale(zoom, zoom))
        self.horizontalScrollBar().setValue(round(x * zoom - px))
        self.verticalScrollBar().setValue(round(y * zoom - py))
        if is_new:
            self.zoomed.emit(zoom)
        self.scrolled.emit()
        self.viewport().update()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self.scrolled.emit()
        self.viewport().update()
