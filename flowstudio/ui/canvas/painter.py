"""Draws one picture of the canvas: grid, frames and notes, loop bodies, wires, cards, what a gesture adds."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from flowstudio.ui.canvas.card_painter import CardPainter
from flowstudio.ui.canvas.frame import Frame, Overlay
from flowstudio.ui.canvas.geometry import BODY_TOP, CARD_H, GRID, HEADER_H, Box, Level, Way
from flowstudio.ui.canvas.notes import NotePainter
from flowstudio.ui.canvas.scene import CanvasScene
from flowstudio.ui.canvas.scenery import paint_scenery
from flowstudio.ui.canvas.tables import Rows
from flowstudio.ui.canvas.text import Label, font, width
from flowstudio.ui.canvas.wire_painter import WirePainter
from flowstudio.ui.tokens import RADIUS_CARD, Palette, channels, mix

_STACK_LIMIT = 240
"""With more cards in view than this nobody sees which of two overlapping ones is on top."""
_TITLE_GAP = 10.0
_TITLE_ROOM = 96.0
"""Scene pixels from a port to its title, and the most a title may take."""


class CanvasPainter:
    """Draws a scene in a palette. Works in device pixels throughout, so every pixel is placed on purpose."""

    def __init__(self, scene: CanvasScene, palette: Palette) -> None:
        self._scene = scene
        self.show_palette(palette)

    def show_palette(self, palette: Palette) -> None:
        self.palette = palette
        self._cards = CardPainter(self._scene, palette)
        self._wires = WirePainter(self._scene, palette)
        self._notes = NotePainter(palette)

    def paint(self, p: QPainter, frame: Frame, overlay: Overlay) -> None:
        """p's origin and unit are the viewport's device pixels."""
        p.fillRect(
            frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top, QColor(self.palette.canvas)
        )
        self._grid(p, frame)
        cards = self._scene.cards
        rows = cards.inside(*frame.scene)
        loops, plain = rows[cards.is_loop[rows]], rows[~cards.is_loop[rows]]
        paint_scenery(p, frame, self._scene.plan, self.palette, self._notes)
        self._bodies(p, frame, loops, overlay)
        self._wires.paint(p, frame, overlay)
        self._port_titles(p, frame, rows)
        self._wires.paint_labels(p, frame)
        for row in loops.tolist():
            self._cards.paint_header(p, frame, row)
        self._cards.paint_words(p, frame, loops)
        flat, stacked = self._stacked(frame, plain)
        self._cards.paint(p, frame, flat)
        for row in stacked.tolist():
            self._cards.paint(p, frame, np.array([row]))
        self._cards.paint_pulse(p, frame, rows)
        self._overlay(p, frame, overlay)

    def _stacked(self, frame: Frame, rows: Rows) -> tuple[Rows, Rows]:
        """(cards that lie on the canvas, cards that lie on others, lowest first; a selected card is lifted).

        Many cards are drawn in layers (all bases, all marks, all words), which is right only where none overlap.
        """
        cards = self._scene.cards
        if frame.level < Level.MIDDLE or not 1 < len(rows) <= _STACK_LIMIT:
            return rows, rows[:0]
        rows = rows[np.argsort(cards.selected[rows], kind="stable")]
        x, y = cards.x[rows], cards.y[rows]
        right, bottom = x + cards.w[rows], y + cards.h[rows]
        meet = (x[:, None] < right) & (right[:, None] > x) & (y[:, None] < bottom) & (bottom[:, None] > y)
        on_others = np.tril(meet, -1).any(1)
        return rows[~on_others], rows[on_others]

    # back

    def _grid(self, p: QPainter, frame: Frame) -> None:
        """A quiet dot at each crossing; one row is made and copied down the page."""
        if frame.level < Level.MIDDLE:
            return
        step = GRID * frame.s * (1 if frame.level is Level.NEAR else 2)
        first_x = frame.left - (frame.left - frame.dx) % step
        columns = np.floor(np.arange(first_x, frame.right + step, step) + 0.5).astype(np.int64) - frame.left
        size = max(1, round(frame.ratio * (1.5 if frame.zoom >= 1 else 1)))
        strip = np.zeros((size, frame.right - frame.left), np.uint32)
        red, green, blue = channels(self.palette.border)
        colour = 0xFF000000 | red << 16 | green << 8 | blue
        for shift in range(size):
            inside = columns + shift
            strip[:, inside[(inside >= 0) & (inside < strip.shape[1])]] = colour
        image = QImage(strip.data, strip.shape[1], size, strip.shape[1] * 4, QImage.Format.Format_ARGB32_Premultiplied)
        first_y = frame.top - (frame.top - frame.dy) % step
        for y in np.floor(np.arange(first_y, frame.bottom + step, step) + 0.5).tolist():
            p.drawImage(QPointF(frame.left, y), image)

    def _bodies(self, p: QPainter, frame: Frame, loops: Rows, overlay: Overlay) -> None:
        """The trays of loops, outer ones first."""
        if not len(loops):
            return
        cards = self._scene.cards
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row in loops[np.argsort(-cards.w[loops] * cards.h[loops], kind="stable")].tolist():
            is_target = cards.ids[row] == overlay.drop_loop
            self._body(p, frame, row, is_target)
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _body(self, p: QPainter, frame: Frame, row: int, is_target: bool) -> None:
        palette, cards = self.palette, self._scene.cards
        box, hair = cards.box(row), max(1.0, round(frame.ratio))
        tray = self._rect(frame, box).adjusted(hair / 2, hair / 2, -hair / 2, -hair / 2)
        p.setPen(QPen(QColor(palette.accent if is_target else palette.border), hair * (2 if is_target else 1)))
        fill = QColor(palette.accent if is_target else palette.category_logic)
        fill.setAlphaF(0.10 if is_target else 0.07)
        p.setBrush(fill)
        radius = RADIUS_CARD * frame.s
        p.drawRoundedRect(tray, radius, radius)
        if frame.level is not Level.NEAR:
            return
        size = frame.text_px(11)
        p.setFont(font(size, 500))
        p.setPen(QColor(palette.text_3))
        title = next(anchor.port.title for anchor in cards.anchors[row] if anchor.port.container)
        p.drawText(QPointF(frame.x(box.x + 16), frame.y(box.y + HEADER_H + 20)), title)
        if not self._scene.body_of(cards.ids[row]):
            self._empty_body(p, frame, box, is_target)

    def _empty_body(self, p: QPainter, frame: Frame, box: Box, is_target: bool) -> None:
        inner = Box(box.x + 60, box.y + HEADER_H + BODY_TOP, box.w - 100, box.h - HEADER_H - 2 * BODY_TOP)
        rect = self._rect(frame, inner)
        pen = QPen(QColor(self.palette.accent if is_target else self.palette.border), max(1.0, frame.ratio))
        pen.setDashPattern([4, 4])
        p.setPen(pen)
        p.setBrush(Qt.BrushStyle.NoBrush)
        p.drawRoundedRect(rect, RADIUS_CARD * frame.s, RADIUS_CARD * frame.s)
        p.setPen(QColor(self.palette.text_3))
        p.setFont(font(frame.text_px(12)))
        p.drawText(rect, Qt.AlignmentFlag.AlignCenter, "Drop steps here")

    # between wires and cards

    def _port_titles(self, p: QPainter, frame: Frame, rows: Rows) -> None:
        """Names of the ways out where there is more than one, on the wire just after the port."""
        if frame.level is not Level.NEAR:
            return
        p.setFont(font(frame.text_px(11), 500))
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        cards = self._scene.cards
        for row in rows.tolist():
            for anchor in cards.anchors[row]:
                if anchor.way is Way.RIGHT and anchor.port.name != "out":
                    self._port_title(p, frame, anchor.port.title, *anchor.at(cards.box(row)))
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _port_title(self, p: QPainter, frame: Frame, title: str, x: float, y: float) -> None:
        """As much of the title as there is room for before the next card."""
        cards, size = self._scene.cards, frame.text_px(11)
        left, room = x + _TITLE_GAP, _TITLE_ROOM
        ahead = cards.inside(left, y - 8, left + room, y + 8, margin=0.0)
        if len(ahead):
            room = max(0.0, float(cards.x[ahead].min()) - left - 8)
        text = Label(title, 500).fitted(room * frame.s, size)
        if not text:
            return
        w, h = width(text, size, 500) + 6 * frame.s, size * 1.35
        pill = QRectF(frame.x(left), frame.y(y) - round(h / 2), w, h)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(QColor(self.palette.canvas))
        p.drawRoundedRect(pill, 4 * frame.s, 4 * frame.s)
        p.setPen(QColor(self.palette.text_3))
        p.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)

    # over everything

    def _overlay(self, p: QPainter, frame: Frame, overlay: Overlay) -> None:
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._dim(p, frame, overlay)
        self._hovered_port(p, frame, overlay)
        if overlay.target is not None and overlay.target in self._scene.cards.row_of:
            self._outline_target(p, frame, overlay)
        if overlay.wire is not None:
            self._pending_wire(p, frame, overlay)
        if overlay.ghost is not None:
            self._ghost(p, frame, overlay.ghost)
        if overlay.band is not None:
            self._band(p, frame, overlay.band)
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _dim(self, p: QPainter, frame: Frame, overlay: Overlay) -> None:
        """Cards a pending wire may not end at step back."""
        veil = QColor(self.palette.canvas)
        veil.setAlphaF(0.62)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(veil)
        for step_id in overlay.dimmed:
            p.drawRoundedRect(self._rect(frame, self._card_box(step_id)), RADIUS_CARD * frame.s, RADIUS_CARD * frame.s)

    def _hovered_port(self, p: QPainter, frame: Frame, overlay: Overlay) -> None:
        if overlay.hovered_port is None or overlay.hovered_port[0] not in self._scene.cards.row_of:
            return
        step_id, anchor = overlay.hovered_port
        x, y = anchor.at(self._scene.box(step_id))
        halo = QColor(self.palette.accent)
        halo.setAlphaF(0.25)
        centre = QPointF(frame.x(x), frame.y(y))
        radius = max(5.0 * frame.ratio, 6.5 * frame.s)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(halo)
        p.drawEllipse(centre, radius * 1.7, radius * 1.7)
        p.setBrush(QColor(self.palette.accent))
        p.drawEllipse(centre, radius, radius)
        p.setPen(QPen(QColor(self.palette.on_accent), max(1.2 * frame.ratio, 1.6 * frame.s)))
        arm = radius * 0.5
        p.drawLine(centre - QPointF(arm, 0), centre + QPointF(arm, 0))
        p.drawLine(centre - QPointF(0, arm), centre + QPointF(0, arm))

    def _outline_target(self, p: QPainter, frame: Frame, overlay: Overlay) -> None:
        is_refused = overlay.wire is not None and bool(overlay.wire.reason)
        colour = self.palette.error if is_refused else self.palette.accent
        rect = self._rect(frame, self._card_box(overlay.target or ""))
        reach = 3 * max(frame.s, frame.ratio * 0.5)
        p.setBrush(Qt.BrushStyle.NoBrush)
        p.setPen(QPen(QColor(colour), 2 * max(frame.s, frame.ratio * 0.7)))
        p.drawRoundedRect(rect.adjusted(-reach, -reach, reach, reach), 11 * frame.s, 11 * frame.s)

    def _pending_wire(self, p: QPainter, frame: Frame, overlay: Overlay) -> None:
        wire = overlay.wire
        assert wire is not None
        colour = QColor(self.palette.error if wire.reason else self.palette.accent)
        pen = QPen(colour, max(1.5 * frame.ratio, 2.5 * frame.s), c=Qt.PenCapStyle.RoundCap)
        if not wire.is_over_card:
            pen.setDashPattern([2.5, 2.5])
        self._wires.draw_curve(p, frame, wire.points, pen)
        end = QPointF(wire.points[6] * frame.s + frame.dx, wire.points[7] * frame.s + frame.dy)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(colour)
        p.drawEllipse(end, 4.5 * frame.ratio, 4.5 * frame.ratio)
        if wire.reason:
            self._bubble(p, frame, end, wire.reason)

    def _bubble(self, p: QPainter, frame: Frame, at: QPointF, text: str) -> None:
        """Why not, beside the pointer and inside the viewport."""
        ratio, size = frame.ratio, round(12 * frame.ratio)
        p.setFont(font(size))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap)
        needed = QFontMetricsF(p.font()).boundingRect(QRectF(0, 0, 300 * ratio, 400 * ratio), flags, text)
        box = QRectF(
            at.x() + 16 * ratio, at.y() + 16 * ratio, needed.width() + 24 * ratio, needed.height() + 16 * ratio
        )
        box.moveRight(min(box.right(), frame.right - 8 * ratio))
        box.moveBottom(min(box.bottom(), frame.bottom - 8 * ratio))
        p.setPen(QPen(QColor(self.palette.error), ratio))
        p.setBrush(QColor(self.palette.error_bg))
        p.drawRoundedRect(box, 6 * ratio, 6 * ratio)
        p.setPen(QColor(self.palette.text))
        p.drawText(box.adjusted(12 * ratio, 8 * ratio, -12 * ratio, -8 * ratio), flags, text)

    def _ghost(self, p: QPainter, frame: Frame, box: Box) -> None:
        """Where a dropped card will lie."""
        fill = QColor(self.palette.accent)
        fill.setAlphaF(0.12)
        pen = QPen(QColor(self.palette.accent), 1.5 * frame.ratio)
        pen.setDashPattern([4, 3])
        p.setPen(pen)
        p.setBrush(fill)
        p.drawRoundedRect(self._rect(frame, box), RADIUS_CARD * frame.s, RADIUS_CARD * frame.s)

    def _band(self, p: QPainter, frame: Frame, box: Box) -> None:
        fill = QColor(self.palette.accent)
        fill.setAlphaF(0.10)
        p.setPen(QPen(QColor(mix(self.palette.accent, self.palette.canvas, 0.2)), frame.ratio))
        p.setBrush(fill)
        p.drawRect(self._rect(frame, box).adjusted(0.5, 0.5, -0.5, -0.5))

    def _card_box(self, step_id: str) -> Box:
        """A card's outline, of a loop its header's."""
        row = self._scene.cards.row_of[step_id]
        box = self._scene.cards.box(row)
        return Box(box.x, box.y, box.w, CARD_H) if self._scene.cards.is_loop[row] else box

    def _rect(self, frame: Frame, box: Box) -> QRectF:
        return QRectF(frame.x(box.x), frame.y(box.y), frame.px(box.w), frame.px(box.h))
