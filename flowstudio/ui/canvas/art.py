"""How a card looks, piece by piece, drawn in device pixels at a scale: base, mark, state glyph, badges.

Source: UI_SPEC 4.3 and 6. `s` everywhere is device pixels per scene pixel (zoom x device ratio).
"""

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from flowstudio.providers.manifest import Category
from flowstudio.ui.canvas.faces import Look
from flowstudio.ui.canvas.geometry import PORT_STEP, Level
from flowstudio.ui.icons import draw_mark
from flowstudio.ui.tokens import RADIUS_CARD, Palette, mix

MARGIN = 10.0
"""Room around a card in its sprite for ports and the selection's ring."""
TILE = 32.0
TILE_X = 16.0
TEXT_X = 58.0
PORT_RADIUS = 5.0
GLYPH = 14.0

_PALE = 0.45
"""How much canvas is stirred into a disabled card: it shows at 55 %."""

TONES: dict[Look, str] = {
    Look.IDLE: "text_3",
    Look.QUEUED: "text_3",
    Look.RUNNING: "running",
    Look.OK: "ok",
    Look.FAILED: "error",
    Look.SKIPPED: "text_3",
    Look.WAITING: "waiting",
    Look.CANCELLED: "warning",
}


def tone(palette: Palette, look: Look) -> str:
    return str(getattr(palette, TONES[look]))


def tone_fill(palette: Palette, look: Look) -> str:
    """The fill behind a far card: its state's background, for no state a plain surface."""
    name = TONES[look]
    return str(getattr(palette, f"{name}_bg")) if name != "text_3" else palette.surface


class CardArt:
    """Draws the pieces of a card at one scale and level of detail."""

    def __init__(self, palette: Palette, s: float, ratio: float, level: Level) -> None:
        self.palette = palette
        self.s = s
        self.level = level
        self.hair = max(1.0, round(ratio * max(1.0, s / ratio) * 1.0))
        self.margin = max(1, round(MARGIN * s))

    def base(
        self,
        p: QPainter,
        width: float,
        height: float,
        *,
        look: Look,
        category: Category,
        selected: bool = False,
        disabled: bool = False,
        unknown: bool = False,
    ) -> None:
        """The card without its words: fill, outline, category bar. Origin at the card's corner; sizes in device px."""
        if self.level is Level.DOT:
            self._dot(p, width, height, look, category, selected)
            return
        palette, radius = self.palette, RADIUS_CARD * self.s
        is_far = self.level is Level.FAR
        fill = tone_fill(palette, look) if is_far or look is Look.FAILED else palette.surface
        if look is Look.FAILED and not is_far:
            fill = mix(palette.surface, palette.error_bg, 0.5)
        line = self._outline(look)
        bar = palette.category(category)
        if disabled:
            fill, line, bar = (mix(each, palette.canvas, _PALE) for each in (fill, line, bar))
        if selected:
            self._ring(p, width, height, radius)
        else:
            self._shadow(p, width, height, radius)
        half = self.hair / 2
        body = QRectF(half, half, width - self.hair, height - self.hair)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(QColor(fill))
        p.drawRoundedRect(body, radius, radius)
        pen = QPen(QColor(line), self.hair)
        if unknown:
            pen = QPen(QColor(line), self.hair * 2, Qt.PenStyle.CustomDashLine)
            pen.setDashPattern([3, 2])
        p.setPen(pen)
        p.setBrush(Qt.BrushStyle.NoBrush)
        p.drawRoundedRect(body, radius, radius)
        self._bar(p, QRectF(0, 0, width, height), radius, bar)

    def _outline(self, look: Look) -> str:
        if look in (Look.RUNNING, Look.FAILED, Look.WAITING):
            return tone(self.palette, look)
        return mix(self.palette.border_strong, self.palette.border, 0.35)

    def _dot(self, p: QPainter, width: float, height: float, look: Look, category: Category, selected: bool) -> None:
        """A block: state colour if there is one, else the category's, both as far as a few pixels can tell."""
        palette = self.palette
        colour = palette.category(category) if TONES[look] == "text_3" else tone(palette, look)
        if look is Look.SKIPPED:
            colour = palette.border
        block = QRectF(0, 0, width, height)
        if selected:
            p.fillRect(block.adjusted(-1, -1, 1, 1), QColor(palette.accent))
        p.fillRect(block, QColor(mix(palette.surface, colour, 0.55)))
        p.fillRect(QRectF(0, 0, max(1.0, 12 * self.s), height), QColor(colour))

    def _ring(self, p: QPainter, width: float, height: float, radius: float) -> None:
        """Selected: a 2 px line of accent just outside the outline, and a breath of the same around it."""
        line = max(2.0 * self.hair, 2.0 * self.s)
        glow = QColor(self.palette.accent)
        glow.setAlphaF(0.22)
        p.setBrush(Qt.BrushStyle.NoBrush)
        reach = line * 1.5
        p.setPen(QPen(glow, line))
        p.drawRoundedRect(QRectF(-reach, -reach, width + 2 * reach, height + 2 * reach), radius + reach, radius + reach)
        p.setPen(QPen(QColor(self.palette.accent), line))
        reach = line / 2
        p.drawRoundedRect(QRectF(-reach, -reach, width + 2 * reach, height + 2 * reach), radius + reach, radius + reach)

    def _shadow(self, p: QPainter, width: float, height: float, radius: float) -> None:
        """One soft line below: cards lie on the canvas, they do not float."""
        if self.level < Level.MIDDLE:
            return
        shade = QColor(0, 0, 0, 70 if self.palette.is_dark else 18)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(shade)
        p.drawRoundedRect(QRectF(0, self.hair * 1.5, width, height), radius, radius)

    def _bar(self, p: QPainter, card: QRectF, radius: float, colour: str) -> None:
        """The category along the left side, as round as the card's corners. A clip would leave them jagged."""
        width = max(2.0, round((4 if self.level >= Level.MIDDLE else 8) * self.s))
        bend = math.degrees(math.acos(max(0.0, radius - width) / radius)) if radius else 0.0
        top = QRectF(card.left(), card.top(), 2 * radius, 2 * radius)
        bar = QPainterPath()
        bar.arcMoveTo(top, 180 - bend)
        bar.arcTo(top, 180 - bend, bend)
        bar.arcTo(top.translated(0, card.height() - 2 * radius), 180, bend)
        if width > radius:
            bar.lineTo(width, card.bottom())
            bar.lineTo(width, card.top())
        bar.closeSubpath()
        p.fillPath(bar, QColor(colour))

    def port(self, p: QPainter, x: float, y: float, *, colour: str = "", reach: float = PORT_RADIUS) -> None:
        """A way in or out: a ring of wire colour filled with surface."""
        if self.level < Level.FAR:
            return
        radius = max(1.5, reach * self.s)
        p.setPen(QPen(QColor(colour or self.palette.edge), max(1.0, 1.5 * self.s)))
        p.setBrush(QColor(self.palette.surface))
        p.drawEllipse(QPointF(x, y), radius, radius)

    def ports(self, p: QPainter, width: float, height: float, outs: int, has_error: bool) -> None:
        """Input left, `outs` ways out right, spread around the middle, the error port at the bottom."""
        self.port(p, 0, height / 2)
        first = height / 2 - PORT_STEP * self.s * (outs - 1) / 2
        for n in range(outs):
            self.port(p, width, first + PORT_STEP * self.s * n)
        if has_error:
            self.port(p, width / 2, height, colour=self.palette.error)

    def mark(self, p: QPainter, size: float, icon: str, initials_of: str, category: Category, disabled: bool) -> None:
        """The provider's glyph on a tile tinted with its category; a disabled one is pale and struck through."""
        palette = self.palette
        colour = palette.category(category)
        if disabled:
            colour = mix(colour, palette.canvas, _PALE)
        tile = QRectF(0, 0, size, size)
        tint = QColor(colour)
        tint.setAlphaF(0.17 if palette.is_dark else 0.12)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(tint)
        p.drawRoundedRect(tile, size * 0.22, size * 0.22)
        inset = size * 0.19
        draw_mark(p, tile.adjusted(inset, inset, -inset, -inset), icon, initials_of, QColor(colour))
        if disabled:
            p.setPen(QPen(QColor(mix(palette.text_3, palette.canvas, 0.2)), max(1.0, 1.6 * self.s)))
            p.drawLine(QPointF(size * 0.14, size * 0.86), QPointF(size * 0.86, size * 0.14))

    def glyph(self, p: QPainter, size: float, look: Look, turn: float = 0.0) -> None:
        """The state's shape, told apart without colour. turn: 0 to 1, how far the running arc has gone round."""
        colour = QColor(tone(self.palette, look))
        p.save()
        p.translate(size / 2, size / 2)
        p.scale(size / 16, size / 16)
        line = QPen(colour, 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        if look in (Look.OK, Look.FAILED, Look.WAITING, Look.CANCELLED):
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(colour)
            p.drawEllipse(QPointF(0, 0), 7.4, 7.4)
            line.setColor(QColor(self.palette.surface))
        p.setPen(line)
        p.setBrush(Qt.BrushStyle.NoBrush)
        _STROKES[look](p, turn)
        p.restore()


def _nothing(p: QPainter, turn: float) -> None:
    return None


def _queued(p: QPainter, turn: float) -> None:
    p.drawPolyline([QPointF(-2, -4.5), QPointF(2.5, 0), QPointF(-2, 4.5)])


def _running(p: QPainter, turn: float) -> None:
    p.drawArc(QRectF(-6, -6, 12, 12), round(-turn * 360 * 16), 250 * 16)


def _ok(p: QPainter, turn: float) -> None:
    p.drawPolyline([QPointF(-3.3, 0.2), QPointF(-0.9, 2.7), QPointF(3.5, -2.4)])


def _failed(p: QPainter, turn: float) -> None:
    p.drawLine(QPointF(-2.6, -2.6), QPointF(2.6, 2.6))
    p.drawLine(QPointF(-2.6, 2.6), QPointF(2.6, -2.6))


def _skipped(p: QPainter, turn: float) -> None:
    p.drawEllipse(QPointF(0, 0), 6.4, 6.4)
    p.drawLine(QPointF(-2.8, 0), QPointF(2.8, 0))


def _waiting(p: QPainter, turn: float) -> None:
    p.drawLine(QPointF(-1.9, -2.8), QPointF(-1.9, 2.8))
    p.drawLine(QPointF(1.9, -2.8), QPointF(1.9, 2.8))


def _cancelled(p: QPainter, turn: float) -> None:
    p.drawRect(QRectF(-2.1, -2.1, 4.2, 4.2))


_STROKES = {
    Look.IDLE: _nothing,
    Look.QUEUED: _queued,
    Look.RUNNING: _running,
    Look.OK: _ok,
    Look.FAILED: _failed,
    Look.SKIPPED: _skipped,
    Look.WAITING: _waiting,
    Look.CANCELLED: _cancelled,
}
