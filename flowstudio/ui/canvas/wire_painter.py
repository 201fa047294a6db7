"""Draws wires in batches: all of one style in one `drawLines`, dashes and labels only where they can be told.

One call a wire costs 60 us with a 2 px pen, the same wire in a batch 17 us.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from flowstudio.ui.canvas.frame import Frame, Overlay
from flowstudio.ui.canvas.geometry import HEADER_H, Level
from flowstudio.ui.canvas.live import Flow
from flowstudio.ui.canvas.qt_arrays import draw_lines
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.canvas.tables import Floats, Rows, along
from flowstudio.ui.canvas.text import font, width
from flowstudio.ui.tokens import Palette, mix

FINE_LIMIT = 250
"""More wires than this are antialiased only at rest."""
REST_LIMIT = 2000
"""More wires than this are never antialiased: no eye tells them apart and the frame would take 30 ms."""
DASH_LIMIT = 200
LABEL_ZOOM = 0.5
LABEL_PLACES = (0.5, 0.4, 0.6, 0.3, 0.7)
"""Where along a wire its label may stand: the middle, or the nearest place that no card covers."""

_DASH_SPEED = 24.0  # scene pixels a second


class WirePainter:
    """Draws the wires of a scene in one palette."""

    def __init__(self, scene: CanvasScene, palette: Palette) -> None:
        self._scene = scene
        self.palette = palette

    def paint(self, p: QPainter, frame: Frame, overlay: Overlay) -> None:
        wires = self._scene.wires
        rows = wires.inside(*frame.scene)
        if not len(rows):
            return
        special = self._special(rows, overlay, frame)
        plain = rows[~special]
        flows = wires.flow[plain]
        for flow in (Flow.NOT_TAKEN, Flow.PLAIN, Flow.TAKEN, Flow.RUNNING):
            self._batch(p, frame, plain[flows == flow], self._pen(flow, frame), len(rows))
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row in rows[special].tolist():
            self._single(p, frame, row, overlay)
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def paint_labels(self, p: QPainter, frame: Frame) -> None:
        """Counts, and `!` on error wires, where no card covers them."""
        if frame.zoom < LABEL_ZOOM:
            return
        wires = self._scene.wires
        rows = wires.inside(*frame.scene)
        rows = rows[wires.counted[rows] | wires.is_error[rows]]
        if not len(rows) or (frame.is_moving and len(rows) > DASH_LIMIT):
            return
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        size = frame.text_px(11)
        p.setFont(font(size, 500))
        for row in rows.tolist():
            text = wires.counts[row] or "!"
            self._label(p, frame, wires.points[row], text, size, bool(wires.is_error[row]))
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def draw_curve(self, p: QPainter, frame: Frame, points: Iterable[float], pen: QPen) -> None:
        """One wire with any pen."""
        x0, y0, x1, y1, x2, y2, x3, y3 = points
        s, dx, dy = frame.s, frame.dx, frame.dy
        path = QPainterPath(QPointF(x0 * s + dx, y0 * s + dy))
        path.cubicTo(x1 * s + dx, y1 * s + dy, x2 * s + dx, y2 * s + dy, x3 * s + dx, y3 * s + dy)
        p.setBrush(Qt.BrushStyle.NoBrush)
        p.setPen(pen)
        p.drawPath(path)

    def _special(self, rows: Rows, overlay: Overlay, frame: Frame) -> NDArray[np.bool_]:
        """Wires drawn one by one: selected, hovered, dashed."""
        wires = self._scene.wires
        special = wires.selected[rows].copy()
        if overlay.hovered_wire in wires.row_of:
            special |= rows == wires.row_of[overlay.hovered_wire]
        if frame.level >= Level.MIDDLE:
            dashed = wires.is_error[rows] | (wires.flow[rows] == Flow.RUNNING)
            if dashed.sum() <= DASH_LIMIT:
                special |= dashed
        return special

    def _colour(self, flow: Flow) -> str:
        palette = self.palette
        if flow is Flow.NOT_TAKEN:
            return mix(palette.edge, palette.canvas, 0.6)
        if flow is Flow.TAKEN:
            return mix(palette.edge, palette.ok, 0.6)
        return palette.running if flow is Flow.RUNNING else palette.edge

    def _pen(self, flow: Flow, frame: Frame) -> QPen:
        thick = 1.0 if flow is Flow.NOT_TAKEN else 2.0
        return QPen(QColor(self._colour(flow)), max(1.1 * frame.ratio, thick * frame.s), c=Qt.PenCapStyle.FlatCap)

    def _batch(self, p: QPainter, frame: Frame, rows: Rows, pen: QPen, total: int) -> None:
        if not len(rows):
            return
        is_fine = total <= (FINE_LIMIT if frame.is_moving else REST_LIMIT)
        lines = self._lines(frame, rows, _pieces(frame, total))
        p.setRenderHint(QPainter.RenderHint.Antialiasing, is_fine)
        if not is_fine:
            pen = QPen(QColor(mix(pen.color().name(), self.palette.canvas, 0.35)), 0)
        p.setPen(pen)
        draw_lines(p, lines)
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _lines(self, frame: Frame, rows: Rows, pieces: int) -> Floats:
        """The wires as straight pieces in device pixels, those outside the viewport left out."""
        x, y = along(self._scene.wires.points[rows], np.linspace(0, 1, pieces + 1))
        x, y = x * frame.s + frame.dx, y * frame.s + frame.dy
        lines = np.empty((len(rows), pieces, 4))
        lines[..., 0], lines[..., 1], lines[..., 2], lines[..., 3] = x[:, :-1], y[:, :-1], x[:, 1:], y[:, 1:]
        if pieces < 8:
            return lines.reshape(-1, 4)
        reach = 3 * frame.ratio
        seen = np.maximum(lines[..., 0], lines[..., 2]) >= frame.left - reach
        seen &= np.minimum(lines[..., 0], lines[..., 2]) <= frame.right + reach
        seen &= np.maximum(lines[..., 1], lines[..., 3]) >= frame.top - reach
        seen &= np.minimum(lines[..., 1], lines[..., 3]) <= frame.bottom + reach
        return np.ascontiguousarray(lines[seen])

    def _single(self, p: QPainter, frame: Frame, row: int, overlay: Overlay) -> None:
        wires, palette = self._scene.wires, self.palette
        flow = Flow(int(wires.flow[row]))
        thick = max(1.4 * frame.ratio, (1.0 if flow is Flow.NOT_TAKEN else 2.0) * frame.s)
        colour = self._colour(flow)
        if wires.is_error[row]:
            colour = mix(palette.error, palette.canvas, 0.6 if flow is Flow.NOT_TAKEN else 0.15)
        is_selected, is_hovered = bool(wires.selected[row]), wires.keys[row] == overlay.hovered_wire
        if is_selected or is_hovered:
            halo = QColor(palette.accent)
            halo.setAlphaF(0.28 if is_selected else 0.18)
            self.draw_curve(p, frame, wires.points[row], QPen(halo, thick * 3.5))
            colour = palette.accent if is_selected else mix(colour, palette.text, 0.35)
        pen = QPen(QColor(colour), thick, c=Qt.PenCapStyle.FlatCap)
        if wires.is_error[row] or flow is Flow.RUNNING:
            pen.setDashPattern([3.0, 2.0])
            if flow is Flow.RUNNING and not frame.is_still:
                pen.setDashOffset(-(frame.time_s * _DASH_SPEED * frame.s / thick) % 5.0)
        self.draw_curve(p, frame, wires.points[row], pen)

    def _label(self, p: QPainter, frame: Frame, points: Floats, text: str, size: int, is_error: bool) -> None:
        w, h = width(text, size, 500) + size * 1.1, size * 1.6
        place = self._free_place(frame, points, w, h)
        if place is None:
            return
        x, y = place
        palette = self.palette
        pill = QRectF(round(x - w / 2), round(y - h / 2), round(w), round(h))
        p.setPen(QPen(QColor(mix(palette.error, palette.canvas, 0.4) if is_error else palette.border), frame.ratio))
        p.setBrush(QColor(palette.canvas))
        p.drawRoundedRect(pill, h / 2, h / 2)
        p.setPen(QColor(palette.error if is_error else palette.text_2))
        p.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)

    def _free_place(self, frame: Frame, points: Floats, w: float, h: float) -> tuple[float, float] | None:
        """The first place along the wire where a label of that size (device pixels) meets no card."""
        xs, ys = along(points[None, :], np.array(LABEL_PLACES))
        half_w, half_h = w / frame.s / 2 + 2, h / frame.s / 2 + 2
        for x, y in zip(xs[0].tolist(), ys[0].tolist(), strict=True):
            if not self._is_covered(x - half_w, y - half_h, x + half_w, y + half_h):
                return x * frame.s + frame.dx, y * frame.s + frame.dy
        return None

    def _is_covered(self, x0: float, y0: float, x1: float, y1: float) -> bool:
        cards = self._scene.cards
        rows = cards.inside(x0, y0, x1, y1, margin=0.0)
        loops = rows[cards.is_loop[rows]]
        if len(rows) > len(loops):
            return True
        return any(_meets_walls(cards.box(int(row)), x0, y0, x1, y1) for row in loops)


def _meets_walls(box: tuple[float, float, float, float], x0: float, y0: float, x1: float, y1: float) -> bool:
    """Whether a rectangle meets a loop's header or sides; the inside of its body is free."""
    x, y, w, h = box
    return not (x0 > x and x1 < x + w and y0 > y + HEADER_H and y1 < y + h)


def _pieces(frame: Frame, total: int) -> int:
    """Straight pieces per wire: as many as the eye needs at this zoom, fewer where thousands are in view."""
    if frame.level is Level.NEAR:
        return 12 if frame.is_moving else 20
    if frame.level is Level.MIDDLE:
        return 10 if frame.is_moving else 14
    if total > REST_LIMIT and frame.level is Level.DOT:
        return 1 if frame.is_moving else 3  # half way a wire crosses its own chord: two pieces would show no more
    if total > REST_LIMIT:
        return 4
    return 6 if frame.is_moving else 8
