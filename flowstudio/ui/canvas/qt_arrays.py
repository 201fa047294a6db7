"""Hands numpy arrays of doubles to QPainter as the C arrays it takes, without making an object of each element."""

from typing import cast

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter, QPixmap


def draw_lines(painter: QPainter, lines: NDArray[np.float64]) -> None:
    """lines: x1 y1 x2 y2 of each, contiguous."""
    if len(lines):
        painter.drawLines(cast(QLineF, shiboken6.wrapInstance(lines.ctypes.data, QLineF)), len(lines))


def draw_rects(painter: QPainter, rects: NDArray[np.float64]) -> None:
    """rects: x y width height of each, contiguous."""
    if len(rects):
        painter.drawRects(cast(QRectF, shiboken6.wrapInstance(rects.ctypes.data, QRectF)), len(rects))


def draw_fragments(painter: QPainter, fragments: NDArray[np.float64], pixmap: QPixmap) -> None:
    """fragments: the ten doubles of QPainter::PixmapFragment for each, contiguous."""
    if len(fragments):
        first = cast(QPainter.PixmapFragment, shiboken6.wrapInstance(fragments.ctypes.data, QPainter.PixmapFragment))
        painter.drawPixmapFragments(first, len(fragments), pixmap)
