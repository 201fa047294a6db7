"""Frames and notes: what lies on the canvas without being part of the flow."""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from flowstudio.plan.model import Frame as PlanFrame
from flowstudio.plan.model import Plan
from flowstudio.ui.canvas.frame import Frame
from flowstudio.ui.canvas.notes import NotePainter
from flowstudio.ui.canvas.text import font
from flowstudio.ui.tokens import RADIUS_CARD, Palette


def paint_scenery(p: QPainter, frame: Frame, plan: Plan, palette: Palette, notes: NotePainter) -> None:
    if not plan.frames and not plan.notes:
        return
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    for each in plan.frames:
        _paint_frame(p, frame, each, palette)
    for note in plan.notes:
        notes.paint(p, frame, note)
    p.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _paint_frame(p: QPainter, frame: Frame, each: PlanFrame, palette: Palette) -> None:
    """A titled outline; the title keeps its size on the screen so that it can be read from afar."""
    rect = QRectF(frame.x(each.x), frame.y(each.y), frame.px(each.width), frame.px(each.height))
    fill = QColor(palette.category_logic)
    fill.setAlphaF(0.05)
    p.setPen(QPen(QColor(palette.border), frame.ratio))
    p.setBrush(fill)
    p.drawRoundedRect(rect, RADIUS_CARD * frame.s, RADIUS_CARD * frame.s)
    size = round(13 * frame.ratio)
    p.setFont(font(size, 600))
    p.setPen(QColor(palette.text_2))
    p.drawText(QPointF(rect.left() + 2 * frame.ratio, rect.top() - 6 * frame.ratio), each.title)
