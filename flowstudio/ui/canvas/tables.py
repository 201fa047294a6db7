"""The arrays everything is drawn from: one row a card, one row a wire.

Rows are reused. A free row has NaN for a place, so every comparison with a viewport is False and it is never drawn.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from flowstudio.plan.model import Edge, StepId
from flowstudio.ui.canvas.faces import Face
from flowstudio.ui.canvas.geometry import Anchor, Box

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

EdgeKey = tuple[StepId, str, StepId]
"""Source, port, target: the identity of an edge."""

_FIRST_SIZE = 64


class _Table:
    """Columns that grow together and a list of rows free to be used again."""

    columns: ClassVar[dict[str, tuple[Any, object]]] = {}

    def __init__(self) -> None:
        self.size = 0
        self._free: list[int] = []
        for name, (kind, empty) in self.columns.items():
            setattr(self, name, np.full(_FIRST_SIZE, empty, kind))

    def take_row(self) -> int:
        if self._free:
            return self._free.pop()
        row, self.size = self.size, self.size + 1
        capacity = len(getattr(self, next(iter(self.columns))))
        if self.size > capacity:
            for name, (kind, empty) in self.columns.items():
                grown = np.full(capacity * 2, empty, kind)
                grown[:capacity] = getattr(self, name)
                setattr(self, name, grown)
        return row

    def release_row(self, row: int) -> None:
        for name, (_, empty) in self.columns.items():
            getattr(self, name)[row] = empty
        self._free.append(row)


class CardTable(_Table):
    """One row a card. Places and sizes in scene pixels; `look` is a faces.Look, `mark` an index into `marks`."""

    columns: ClassVar = {
        "x": (np.float64, np.nan),
        "y": (np.float64, np.nan),
        "w": (np.float64, 0.0),
        "h": (np.float64, 0.0),
        "look": (np.int64, 0),
        "traits": (np.int64, 0),
        "mark": (np.int64, 0),
        "selected": (np.bool_, False),
        "is_loop": (np.bool_, False),
        "input_dy": (np.float64, 0.0),
    }
    x: Floats
    y: Floats
    w: Floats
    h: Floats
    look: NDArray[np.int64]
    traits: NDArray[np.int64]
    mark: NDArray[np.int64]
    selected: NDArray[np.bool_]
    is_loop: NDArray[np.bool_]
    input_dy: Floats

    def __init__(self) -> None:
        super().__init__()
        self.row_of: dict[StepId, int] = {}
        self.ids: list[StepId] = []
        self.faces: list[Face | None] = []
        self.anchors: list[tuple[Anchor, ...]] = []
        self.words: list[str] = []
        self.figures: list[str] = []

    def add(self, step_id: StepId) -> int:
        row = self.take_row()
        if row == len(self.ids):
            self.ids.append(step_id)
            self.faces.append(None)
            self.anchors.append(())
            self.words.append("")
            self.figures.append("")
        self.ids[row] = step_id
        self.row_of[step_id] = row
        return row

    def remove(self, step_id: StepId) -> int:
        row = self.row_of.pop(step_id)
        self.ids[row], self.faces[row], self.anchors[row] = "", None, ()
        self.words[row] = self.figures[row] = ""
        self.release_row(row)
        return row

    def place(self, row: int, box: Box) -> None:
        self.x[row], self.y[row], self.w[row], self.h[row] = box

    def box(self, row: int) -> Box:
        return Box(float(self.x[row]), float(self.y[row]), float(self.w[row]), float(self.h[row]))

    def rows(self, ids: "set[StepId] | list[StepId] | tuple[StepId, ...]") -> Rows:
        return np.fromiter((self.row_of[each] for each in ids), np.int64, len(ids))

    def inside(self, x0: float, y0: float, x1: float, y1: float, margin: float = 12.0) -> Rows:
        """Rows of the cards that touch the rectangle, in order of creation."""
        n = self.size
        x, y = self.x[:n], self.y[:n]
        hit = (x + self.w[:n] + margin >= x0) & (x - margin <= x1)
        hit &= (y + self.h[:n] + margin >= y0) & (y - margin <= y1)
        return np.nonzero(hit)[0]


class WireTable(_Table):
    """One row a wire. `points` holds its four control points, x0 y0 x1 y1 x2 y2 x3 y3."""

    columns: ClassVar = {
        "source": (np.int64, 0),
        "target": (np.int64, 0),
        "way": (np.int8, 0),
        "fx": (np.float64, 0.0),
        "fy": (np.float64, 0.0),
        "dy": (np.float64, 0.0),
        "flow": (np.int8, 0),
        "is_error": (np.bool_, False),
        "selected": (np.bool_, False),
        "counted": (np.bool_, False),
    }
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    way: NDArray[np.int8]
    fx: Floats
    fy: Floats
    dy: Floats
    flow: NDArray[np.int8]
    is_error: NDArray[np.bool_]
    selected: NDArray[np.bool_]
    counted: NDArray[np.bool_]

    def __init__(self, cards: CardTable) -> None:
        super().__init__()
        self._cards = cards
        self.points = np.full((_FIRST_SIZE, 8), np.nan)
        self.row_of: dict[EdgeKey, int] = {}
        self.keys: list[EdgeKey] = []
        self.counts: list[str] = []
        self.at_card: dict[int, set[int]] = {}

    def add(self, edge: Edge) -> int:
        row = self.take_row()
        if row >= len(self.points):
            grown = np.full((len(self.flow), 8), np.nan)
            grown[: len(self.points)] = self.points
            self.points = grown
        if row == len(self.keys):
            self.keys.append(edge.key)
            self.counts.append("")
        self.keys[row], self.counts[row] = edge.key, ""
        self.row_of[edge.key] = row
        self.source[row] = self._cards.row_of[edge.source]
        self.target[row] = self._cards.row_of[edge.target]
        for card in (int(self.source[row]), int(self.target[row])):
            self.at_card.setdefault(card, set()).add(row)
        return row

    def remove(self, key: EdgeKey) -> None:
        row = self.row_of.pop(key)
        for card in (int(self.source[row]), int(self.target[row])):
            self.at_card[card].discard(row)
        self.points[row] = np.nan
        self.release_row(row)

    def attach(self, row: int) -> None:
        """Finds the place of the wire's port again: its source card or that card's ports changed."""
        anchors = self._cards.anchors[int(self.source[row])]
        port = self.keys[row][1]
        anchor = next((each for each in anchors if each.port.name == port), None)
        if anchor is None:  # a port that is no more, e.g. a deleted case: drawn from the card's side until repaired
            self.fx[row], self.fy[row], self.dy[row], self.way[row] = 1.0, 0.5, 0.0, 0
        else:
            self.fx[row], self.fy[row], self.dy[row], self.way[row] = anchor.fx, anchor.fy, anchor.dy, anchor.way
        self.is_error[row] = port == "error"

    def at_cards(self, rows: "Rows | list[int]") -> Rows:
        """Wires with an end on one of those cards."""
        found: set[int] = set()
        for row in rows:
            found |= self.at_card.get(int(row), set())
        return np.fromiter(found, np.int64, len(found))

    def route(self, rows: Rows) -> None:
        """Computes control points of those wires from the places of their cards."""
        if not len(rows):
            return
        cards, source, target = self._cards, self.source[rows], self.target[rows]
        x0 = cards.x[source] + self.fx[rows] * cards.w[source]
        y0 = cards.y[source] + self.fy[rows] * cards.h[source] + self.dy[rows]
        x3, y3 = cards.x[target], cards.y[target] + cards.input_dy[target]
        half = np.abs(x3 - x0) / 2
        reach = np.where(x3 >= x0, np.maximum(40.0, half), np.clip(half, 60.0, 180.0))
        down = self.way[rows] == 1
        drop = np.maximum(40.0, np.minimum(np.abs(y3 - y0), 160.0) * 0.8)
        self.points[rows] = np.stack(
            (x0, y0, x0 + np.where(down, 0.0, reach), y0 + np.where(down, drop, 0.0), x3 - reach, y3, x3, y3), 1
        )

    def inside(self, x0: float, y0: float, x1: float, y1: float, margin: float = 4.0) -> Rows:
        """Rows of the wires whose control points' hull touches the rectangle."""
        points = self.points[: self.size]
        left, right = np.minimum(points[:, 0], points[:, 4]), np.maximum(points[:, 6], points[:, 2])
        top = np.minimum(points[:, 1], points[:, 7])
        bottom = np.maximum(np.maximum(points[:, 1], points[:, 3]), points[:, 7])
        hit = (right >= x0 - margin) & (left <= x1 + margin) & (bottom >= y0 - margin) & (top <= y1 + margin)
        return np.nonzero(hit)[0]


_STEPS = np.linspace(0.0, 1.0, 25)


def weights(u: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Bernstein weights of a cubic at u."""
    v = 1 - u
    return v**3, 3 * v * v * u, 3 * v * u * u, u**3


def along(points: Floats, u: Floats) -> tuple[Floats, Floats]:
    """x and y of each curve (a row of points) at each u (a column)."""
    a, b, c, d = (weight[None, :] for weight in weights(u))
    x = a * points[:, 0:1] + b * points[:, 2:3] + c * points[:, 4:5] + d * points[:, 6:7]
    y = a * points[:, 1:2] + b * points[:, 3:4] + c * points[:, 5:6] + d * points[:, 7:8]
    return x, y


def nearest_wire(wires: WireTable, x: float, y: float, reach: float) -> int | None:
    """The wire within reach of a point, the nearest one if several are."""
    rows = wires.inside(x, y, x, y, reach)
    if not len(rows):
        return None
    px, py = along(wires.points[rows], _STEPS)
    ax, ay, bx, by = px[:, :-1], py[:, :-1], px[:, 1:], py[:, 1:]
    length = np.maximum((bx - ax) ** 2 + (by - ay) ** 2, 1e-9)
    t = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0, 1)
    distance = np.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - y).min(1)
    best = int(distance.argmin())
    return int(rows[best]) if distance[best] <= reach else None
