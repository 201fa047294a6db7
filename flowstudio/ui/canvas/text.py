"""Fonts by pixel size, and words that fit a width without being measured again at every zoom."""

from bisect import bisect_right
from functools import cache
from itertools import accumulate

from PySide6.QtGui import QFont, QFontMetricsF

from flowstudio.ui.tokens import SANS

SMALLEST_PX = 8
"""Text is never drawn smaller than this on the screen (UI_SPEC 4.3)."""

_MEASURED_AT = 100
_SAFETY = 1.03
"""Hinted glyphs at small sizes run a little wider than the large ones they are measured at."""


@cache
def font(size_px: int, weight: int = QFont.Weight.Normal) -> QFont:
    """The interface's font at a size in device pixels."""
    made = QFont()
    made.setFamilies(list(SANS))
    made.setPixelSize(max(1, size_px))
    made.setWeight(QFont.Weight(weight))
    return made


def width(text: str, size_px: float, weight: int = QFont.Weight.Normal) -> float:
    """Width of text in the pixels of that size."""
    advances = _advances(weight)
    return sum(advances(char) for char in text) * size_px * _SAFETY


@cache
def _advances(weight: int) -> "_Advances":
    return _Advances(weight)


class _Advances:
    """Width of a character as a share of the font's size."""

    def __init__(self, weight: int) -> None:
        self._metrics = QFontMetricsF(font(_MEASURED_AT, weight))
        self._known: dict[str, float] = {}

    def __call__(self, char: str) -> float:
        if char not in self._known:
            self._known[char] = self._metrics.horizontalAdvance(char) / _MEASURED_AT
        return self._known[char]


class Label:
    """A line of text that can be shortened to any width at any size in about a microsecond."""

    __slots__ = ("_dots", "_ends", "is_middle", "text")

    def __init__(self, text: str, weight: int = QFont.Weight.Normal, middle: bool = False) -> None:
        self.text = " ".join(text.split())
        self.is_middle = middle
        advances = _advances(weight)
        self._ends = list(accumulate(advances(char) * _SAFETY for char in self.text))
        self._dots = advances("…") * _SAFETY

    def fitted(self, room_px: float, size_px: float) -> str:
        """The text, or as much of it as fits with an ellipsis: at the end, or in the middle for `middle`."""
        room = room_px / size_px
        if not self._ends or self._ends[-1] <= room:
            return self.text
        room -= self._dots
        if room <= 0:
            return ""
        if not self.is_middle:
            return self.text[: bisect_right(self._ends, room)].rstrip() + "…"
        head = bisect_right(self._ends, room / 2)
        tail = bisect_right(self._ends, self._ends[-1] - room / 2) + 1
        return self.text[:head].rstrip() + "…" + self.text[tail:].lstrip()
