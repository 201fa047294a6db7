"""Going from card to card with the arrow keys."""

import numpy as np

from flowstudio.plan.model import StepId
from flowstudio.ui.canvas.scene import CanvasScene

_SIDEWAYS = 2.0
"""Distance across the direction counts this much more than along it: Right goes to the next column, same row."""


def nearest_in_direction(scene: CanvasScene, start: StepId | None, dx: int, dy: int) -> StepId | None:
    """The nearest card that way from start; without a start the card furthest to the upper left."""
    cards = scene.cards
    n = cards.size
    if not cards.row_of:
        return None
    middle_x, middle_y = cards.x[:n] + cards.w[:n] / 2, cards.y[:n] + cards.input_dy[:n]
    if start is None or start not in cards.row_of:
        return cards.ids[int(np.nanargmin(middle_x + middle_y))]
    row = cards.row_of[start]
    along = (middle_x - middle_x[row]) * dx + (middle_y - middle_y[row]) * dy
    across = np.abs((middle_x - middle_x[row]) * dy) + np.abs((middle_y - middle_y[row]) * dx)
    cost = np.where(along > 1.0, along + _SIDEWAYS * across, np.nan)
    return None if np.isnan(cost).all() else cards.ids[int(np.nanargmin(cost))]
