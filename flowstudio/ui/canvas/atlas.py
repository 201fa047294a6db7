"""Sprites drawn once at the exact zoom and copied many times in one call.

Everything on the canvas is drawn in device pixels: a sprite is copied pixel for pixel, so it is as crisp as if it had
been drawn in place, on any screen.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPixmap

from flowstudio.ui.canvas.qt_arrays import draw_fragments

COLUMNS = 8
_FIRST_ROWS = 2
_GAP = 1

DrawSprite = Callable[[QPainter, int], None]
"""Draws the sprite of a key with the painter's origin at its cell's top left corner, in device pixels."""


class SpriteAtlas:
    """One pixmap of equal cells, a cell a key, drawn when first asked for.

    keys: how many different keys there may be; cells that are never asked for cost nothing.
    """

    def __init__(self, width: int, height: int, keys: int, draw: DrawSprite) -> None:
        self.width, self.height = max(1, width), max(1, height)
        self._draw = draw
        self._slot_of = np.full(keys, -1, np.int64)
        self._used = 0
        self._rows = _FIRST_ROWS
        self._pixmap = self._blank(self._rows)

    def copy(
        self, painter: QPainter, keys: NDArray[np.int64], left: NDArray[np.float64], top: NDArray[np.float64]
    ) -> None:
        """Draws the sprite of each key with its cell's corner at (left, top), whole device pixels."""
        if not len(keys):
            return
        self._provide(keys)
        slots = self._slot_of[keys]
        fragments = np.empty((len(keys), 10))  # QPainter::PixmapFragment: ten doubles
        fragments[:, 0] = left + self.width / 2
        fragments[:, 1] = top + self.height / 2
        fragments[:, 2] = slots % COLUMNS * (self.width + _GAP)
        fragments[:, 3] = slots // COLUMNS * (self.height + _GAP)
        fragments[:, 4], fragments[:, 5] = self.width, self.height
        fragments[:, 6:8] = 1  # scale
        fragments[:, 8] = 0  # rotation
        fragments[:, 9] = 1  # opacity
        draw_fragments(painter, fragments, self._pixmap)

    def _provide(self, keys: NDArray[np.int64]) -> None:
        missing = np.unique(keys[self._slot_of[keys] < 0]).tolist()
        if not missing:
            return
        self._grow(self._used + len(missing))
        painter = QPainter(self._pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for key in missing:
            self._slot_of[key] = self._used
            painter.save()
            painter.translate(self._used % COLUMNS * (self.width + _GAP), self._used // COLUMNS * (self.height + _GAP))
            self._draw(painter, key)
            painter.restore()
            self._used += 1
        painter.end()

    def _grow(self, cells: int) -> None:
        rows = self._rows
        while rows * COLUMNS < cells:
            rows *= 2
        if rows == self._rows:
            return
        grown = self._blank(rows)
        painter = QPainter(grown)
        painter.drawPixmap(0, 0, self._pixmap)
        painter.end()
        self._pixmap, self._rows = grown, rows

    def _blank(self, rows: int) -> QPixmap:
        pixmap = QPixmap((self.width + _GAP) * COLUMNS, (self.height + _GAP) * rows)
        pixmap.fill(Qt.GlobalColor.transparent)
        return pixmap
