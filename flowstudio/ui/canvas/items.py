"""Content-less items and the arrays beside them: hit test, drag and selection of cards and wires.

The items never paint (`ItemHasNoContents`); Qt's scene finds and selects them, the view draws from `cards` and `wires`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsRectItem, QGraphicsScene

from flowstudio.plan.model import StepId
from flowstudio.ui.canvas.geometry import PORT_REACH, Anchor, Box
from flowstudio.ui.canvas.tables import CardTable, EdgeKey, WireTable, nearest_wire

WIRE_REACH_PX = 7.0
PORTS_FROM_ZOOM = 0.3
"""Further away ports are too small to take hold of."""


class Part(Enum):
    """What lies under a point."""

    NOTHING = auto()
    CARD = auto()
    PORT = auto()
    WIRE = auto()


@dataclass(frozen=True, slots=True)
class Hit:
    part: Part
    step_id: StepId = ""
    anchor: Anchor | None = None
    edge: EdgeKey | None = None


NO_HIT = Hit(Part.NOTHING)


class CardItem(QGraphicsRectItem):
    """A card's place for hit test and selection: the whole card, of a loop its header. Draws nothing."""

    def __init__(self, step_id: StepId) -> None:
        super().__init__()
        self.step_id = step_id
        self.setPen(QPen(Qt.PenStyle.NoPen))
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsSelectable)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemHasNoContents)


class ItemScene(QGraphicsScene):
    """Cards as items and rows. `redrawn` asks the view to paint; `reselected` says the selection changed."""

    redrawn = Signal()
    reselected = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.cards = CardTable()
        self.wires = WireTable(self.cards)
        self.selected_edges: set[EdgeKey] = set()
        self._items: dict[StepId, CardItem] = {}
        self.selectionChanged.connect(self._mirror_selection)

    # places

    def box(self, step_id: StepId) -> Box:
        return self.cards.box(self.cards.row_of[step_id])

    def outline(self) -> Box | None:
        """The box around all cards, straight from the arrays: cheap enough for every frame."""
        cards, n = self.cards, self.cards.size
        if not cards.row_of:
            return None
        left, top = float(np.nanmin(cards.x[:n])), float(np.nanmin(cards.y[:n]))
        right, bottom = float(np.nanmax(cards.x[:n] + cards.w[:n])), float(np.nanmax(cards.y[:n] + cards.h[:n]))
        return Box(left, top, right - left, bottom - top)

    def shift_cards(self, ids: Iterable[StepId], dx: float, dy: float) -> None:
        """Draws those cards that far from where the plan has them; loops around them keep their outline meanwhile."""
        rows = self.cards.rows(list(ids))
        places = np.array([self._home(self.cards.ids[row]) for row in rows.tolist()]).reshape(-1, 2)
        self.cards.x[rows], self.cards.y[rows] = places[:, 0] + dx, places[:, 1] + dy
        self.wires.route(self.wires.at_cards(rows))
        self.redrawn.emit()

    def _home(self, step_id: StepId) -> tuple[float, float]:
        item = self._items[step_id]
        return item.x(), item.y()

    # what lies where

    def hit(self, x: float, y: float, zoom: float) -> Hit:
        """The topmost part under a scene point: ports first, then cards, then wires."""
        port = self._port_at(x, y, PORT_REACH if zoom >= 1 else min(PORT_REACH / zoom, PORT_REACH * 2))
        if port is not None and zoom >= PORTS_FROM_ZOOM:
            return port
        for item in self.items(QPointF(x, y)):
            if isinstance(item, CardItem):
                return Hit(Part.CARD, item.step_id)
        row = nearest_wire(self.wires, x, y, WIRE_REACH_PX / zoom)
        return NO_HIT if row is None else Hit(Part.WIRE, edge=self.wires.keys[row])

    def _port_at(self, x: float, y: float, reach: float) -> Hit | None:
        best, nearest = None, reach
        for row in self.cards.inside(x, y, x, y, reach).tolist():
            box = self.cards.box(row)
            for anchor in self.cards.anchors[row]:
                px, py = anchor.at(box)
                distance = float(np.hypot(px - x, py - y))
                if distance < nearest:
                    nearest, best = distance, Hit(Part.PORT, self.cards.ids[row], anchor)
        return best

    def card_at(self, x: float, y: float, reach: float = 0.0) -> StepId | None:
        """The card under a point, or the one whose box is within reach of it."""
        for item in self.items(QRectF(x - reach, y - reach, 2 * reach + 1, 2 * reach + 1)):
            if isinstance(item, CardItem):
                return item.step_id
        return None

    def loop_at(self, x: float, y: float, without: Iterable[StepId] = ()) -> StepId | None:
        """The innermost loop whose outline holds the point, leaving out `without`."""
        banned = set(without)
        best, smallest = None, float("inf")
        cards = self.cards
        for row in np.nonzero(cards.is_loop[: cards.size])[0].tolist():
            box = cards.box(row)
            if cards.ids[row] not in banned and box.holds(x, y) and box.w * box.h < smallest:
                best, smallest = cards.ids[row], box.w * box.h
        return best

    # selection

    def selected_ids(self) -> list[StepId]:
        """Selected steps, in the order they came onto the canvas."""
        chosen = {item.step_id for item in self.selectedItems() if isinstance(item, CardItem)}
        return [step_id for step_id in self._items if step_id in chosen]

    def select(self, ids: Iterable[StepId], edges: Iterable[EdgeKey] = ()) -> None:
        """Makes exactly these the selection."""
        wanted = set(ids)
        before = set(self.selected_ids())
        self.selected_edges = {key for key in edges if key in self.wires.row_of}
        self.blockSignals(True)
        for step_id in before ^ wanted:
            if step_id in self._items:
                self._items[step_id].setSelected(step_id in wanted)
        self.blockSignals(False)
        self._mirror_selection()

    def select_area(self, box: Box, also: Iterable[StepId] = (), toggled: bool = False) -> None:
        """Selects what the box touches, together with `also`; toggled takes away what was in both."""
        path = QPainterPath()
        path.addRect(QRectF(box.x, box.y, box.w, box.h))
        touched = {item.step_id for item in self.items(path) if isinstance(item, CardItem)}
        self.select(touched ^ set(also) if toggled else touched | set(also))

    def _mirror_selection(self) -> None:
        rows = self.cards.rows(self.selected_ids())
        self.cards.selected[:] = False
        self.cards.selected[rows] = True
        self.wires.selected[:] = False
        for key in self.selected_edges:
            self.wires.selected[self.wires.row_of[key]] = True
        self.reselected.emit()
        self.redrawn.emit()
