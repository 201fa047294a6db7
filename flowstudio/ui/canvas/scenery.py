"""Frames and notes: what lies on the canvas without being part of the flow."""

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from flowstudio.plan.model import Frame as PlanFrame
from flowstudio.plan.model import Note, Plan
from flowstudio.ui.canvas.frame import Frame
from flowstudio.ui.canvas.geometry import Level
from flowstudio.ui.canvas.text import font
from flowstudio.ui.tokens import RADIUS_CARD, Palette, mix


def paint_scenery(p: QPainter, frame: Frame, plan: Plan, palette: Palette) -> None:
    if not plan.frames and not plan.notes:
        return
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    for each in plan.frames:
        _paint_frame(p, frame, each, palette)
    for note in plan.notes:
        _paint_note(p, frame, note, palette)
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


def _paint_note(p: QPainter, frame: Frame, note: Note, palette: Palette) -> None:
    rect = QRectF(frame.x(note.x), frame.y(note.y), frame.px(note.width), frame.px(note.height))
    p.setPen(QPen(QColor(mix(palette.pinned, palette.canvas, 0.6)), frame.ratio))
    p.setBrush(QColor(palette.pinned_bg))
    p.drawRoundedRect(rect, 4 * frame.s, 4 * frame.s)
    if frame.level < Level.MIDDLE:
        return
    p.setFont(font(frame.text_px(12)))
    p.setPen(QColor(palette.text))
    inset = 10 * frame.s
    room = rect.adjusted(inset, inset, -inset, -inset)
    line = math.ceil(QFontMetricsF(p.font()).lineSpacing())
    room.setHeight(max(1, room.height() // line) * line)  # whole lines only: none is cut through the middle
    p.save()
    p.setClipRect(room, Qt.ClipOperation.IntersectClip)
    p.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap), note.text)
    p.restore()
