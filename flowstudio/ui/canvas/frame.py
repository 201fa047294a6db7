"""One picture of the canvas: where the viewport is, and what a gesture adds on top."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flowstudio.plan.model import StepId
from flowstudio.ui.canvas.geometry import Anchor, Box, Level, level_at
from flowstudio.ui.canvas.tables import EdgeKey


@dataclass(frozen=True, slots=True)
class Frame:
    """The viewport in device pixels.

    zoom: scene to logical pixels. ratio: logical to device pixels. dx, dy: device place of the scene's origin, whole
    pixels. left, top, right, bottom: the part to paint. is_moving: draw dense views plainly, a fine picture follows.
    time_s: for what moves by itself.
    """

    zoom: float
    ratio: float
    dx: int
    dy: int
    left: int
    top: int
    right: int
    bottom: int
    is_moving: bool = False
    time_s: float = 0.0
    is_still: bool = False

    @property
    def s(self) -> float:
        """Device pixels per scene pixel."""
        return self.zoom * self.ratio

    @property
    def level(self) -> Level:
        return level_at(self.zoom)

    @property
    def scene(self) -> tuple[float, float, float, float]:
        """The part to paint in scene pixels: left, top, right, bottom."""
        s = self.s
        return (
            (self.left - self.dx) / s,
            (self.top - self.dy) / s,
            (self.right - self.dx) / s,
            (self.bottom - self.dy) / s,
        )

    def x(self, scene_x: float) -> int:
        return math.floor(scene_x * self.s + self.dx + 0.5)

    def y(self, scene_y: float) -> int:
        return math.floor(scene_y * self.s + self.dy + 0.5)

    def xs(self, scene_x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.floor(scene_x * self.s + self.dx + 0.5)

    def ys(self, scene_y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.floor(scene_y * self.s + self.dy + 0.5)

    def px(self, length: float) -> int:
        """A length of the scene in whole device pixels, at least one."""
        return max(1, round(length * self.s))

    def text_px(self, size: float, smallest: float = 8.0) -> int:
        """A text size of the scene in device pixels, never under `smallest` on the screen."""
        return max(round(size * self.s), math.ceil(smallest * self.ratio))


@dataclass(slots=True)
class PendingWire:
    """A wire under the hand. reason: why it may not end where it is; empty when it may, or hangs free."""

    points: tuple[float, ...]
    is_over_card: bool = False
    reason: str = ""


@dataclass(slots=True)
class Overlay:
    """What gestures draw over the plan; all in scene pixels."""

    band: Box | None = None
    wire: PendingWire | None = None
    target: StepId | None = None
    dimmed: set[StepId] = field(default_factory=set)
    drop_loop: StepId | None = None
    ghost: Box | None = None
    hovered_card: StepId | None = None
    hovered_port: tuple[StepId, Anchor] | None = None
    hovered_wire: EdgeKey | None = None

    def clear_gesture(self) -> None:
        self.band = self.wire = self.target = self.drop_loop = self.ghost = None
        self.dimmed = set()
