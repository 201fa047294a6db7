"""Sizes, places of ports and outlines of loop containers: pure arithmetic in scene pixels.

Source of the sizes: UI_SPEC 4.3. A loop draws a header as high as a card and below it a body that holds its children.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from flowstudio.plan.model import ERROR, Port, Step, StepId, ports_of

CARD_W, CARD_H = 220.0, 72.0
GRID = 20.0
GAP = 60.0
"""Free space left between a step and the one added after it."""
WIDE_GAP = 100.0
"""The same where the ways out carry titles."""

HEADER_H = CARD_H
BODY_LEFT, BODY_RIGHT, BODY_TOP, BODY_BOTTOM = 60.0, 40.0, 28.0, 28.0
EMPTY_LOOP_W, EMPTY_LOOP_H = 340.0, 200.0
BODY_PORT_Y = HEADER_H + BODY_TOP + CARD_H / 2
"""The body port sits on the container's inner left wall, level with the input of a child in the first row."""

PORT_STEP = 24.0
PORT_REACH = 14.0
"""How far from a port's centre the pointer still takes hold of it."""


class Level(IntEnum):
    """How much of a card is drawn. DOT is the far end of FAR, where not even an icon can be told."""

    DOT = 0
    FAR = 1
    MIDDLE = 2
    NEAR = 3


def level_at(zoom: float) -> Level:
    if zoom >= 0.7:
        return Level.NEAR
    if zoom >= 0.35:
        return Level.MIDDLE
    return Level.FAR if zoom >= 0.14 else Level.DOT


class Box(NamedTuple):
    """A rectangle in scene pixels."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    def holds(self, x: float, y: float) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom

    def meets(self, other: "Box") -> bool:
        """Whether the two overlap; touching edges do not."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom


def union(boxes: Iterable[Box]) -> Box | None:
    """The smallest box around all of them, None for none."""
    every = list(boxes)
    if not every:
        return None
    left, top = min(box.x for box in every), min(box.y for box in every)
    right, bottom = max(box.right for box in every), max(box.bottom for box in every)
    return Box(left, top, right - left, bottom - top)


class Way(IntEnum):
    """Where a wire leaves its source: to the right, down from the bottom, or into the loop's own body."""

    RIGHT = 0
    DOWN = 1
    INWARD = 2


@dataclass(frozen=True, slots=True)
class Anchor:
    """A port's place: fraction of the box's size plus a distance from its top left corner."""

    port: Port
    way: Way
    fx: float
    fy: float
    dy: float

    def at(self, box: Box) -> tuple[float, float]:
        return box.x + self.fx * box.w, box.y + self.fy * box.h + self.dy


def anchors_of(step: Step) -> tuple[Anchor, ...]:
    """The step's ways out with their places, in the order of `ports_of`."""
    ports = ports_of(step)
    beside = [port for port in ports if port.name != ERROR.name and not port.container]
    height = HEADER_H if step.kind.holds_steps else card_height(step)
    first = height / 2 - PORT_STEP * (len(beside) - 1) / 2
    return tuple(_anchor(port, beside, first) for port in ports)


def _anchor(port: Port, beside: list[Port], first: float) -> Anchor:
    if port.container:
        return Anchor(port, Way.INWARD, 0.0, 0.0, BODY_PORT_Y)
    if port.name == ERROR.name:
        return Anchor(port, Way.DOWN, 0.5, 1.0, 0.0)
    return Anchor(port, Way.RIGHT, 1.0, 0.0, first + PORT_STEP * beside.index(port))


def input_of(step: Step) -> float:
    """Distance of the input port from the top of the card."""
    return (HEADER_H if step.kind.holds_steps else card_height(step)) / 2


def card_height(step: Step) -> float:
    """72, or more where a switch has more ways out than fit beside that."""
    beside = sum(1 for port in ports_of(step) if port.name != ERROR.name and not port.container)
    return max(CARD_H, PORT_STEP * (beside - 1) + 40.0)


def boxes_of(steps: Iterable[Step]) -> dict[StepId, Box]:
    """Each step's outline; a loop's grows with its children, innermost loops first."""
    every = {step.id: step for step in steps}
    children: dict[StepId, list[StepId]] = {}
    for step in every.values():
        if step.parent in every:
            children.setdefault(step.parent, []).append(step.id)
    boxes: dict[StepId, Box] = {}
    for step in every.values():
        _settle(step, every, children, boxes)
    return boxes


def _settle(
    step: Step, every: Mapping[StepId, Step], children: Mapping[StepId, list[StepId]], boxes: dict[StepId, Box]
) -> Box:
    if step.id in boxes:
        return boxes[step.id]
    if not step.kind.holds_steps:
        boxes[step.id] = Box(step.x, step.y, CARD_W, card_height(step))
        return boxes[step.id]
    boxes[step.id] = container_box(step, ())  # ends a walk around a parent cycle, which rules report
    inside = [_settle(every[child], every, children, boxes) for child in children.get(step.id, ())]
    boxes[step.id] = container_box(step, inside)
    return boxes[step.id]


def container_box(loop: Step, inside: Iterable[Box]) -> Box:
    """The loop's outline around the boxes of its children."""
    own = Box(loop.x, loop.y, EMPTY_LOOP_W, EMPTY_LOOP_H)
    padded = [
        Box(
            box.x - BODY_LEFT,
            box.y - HEADER_H - BODY_TOP,
            box.w + BODY_LEFT + BODY_RIGHT,
            box.h + HEADER_H + BODY_TOP + BODY_BOTTOM,
        )
        for box in inside
    ]
    return union([own, *padded]) or own


def snap(value: float) -> float:
    """The nearest line of the grid."""
    return round(value / GRID) * GRID


def curve(x0: float, y0: float, way: Way, x3: float, y3: float) -> tuple[float, ...]:
    """Control points x0 y0 x1 y1 x2 y2 x3 y3 of a wire from a port to an input, which always enters from the left."""
    half = abs(x3 - x0) / 2
    reach = max(40.0, half) if x3 >= x0 else min(max(half, 60.0), 180.0)
    if way is Way.DOWN:
        drop = max(40.0, min(abs(y3 - y0), 160.0) * 0.8)
        return (x0, y0, x0, y0 + drop, x3 - reach, y3, x3, y3)
    return (x0, y0, x0 + reach, y0, x3 - reach, y3, x3, y3)
