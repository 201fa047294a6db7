"""Calls in line for a thread, taken in turns: user by user, and of each user's runs one after the other.

First come first served would let a run with a thousand steps ready, or a user with a thousand runs, stand before all.
"""

from collections import OrderedDict, deque
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")

Lane: TypeAlias = tuple[str, str]
"""(user, run)"""


class Lanes(Generic[T]):
    """Not thread-safe. Within a lane the order is kept."""

    def __init__(self) -> None:
        self._users: OrderedDict[str, OrderedDict[str, deque[T]]] = OrderedDict()

    def put(self, lane: Lane, item: T) -> None:
        user, run = lane
        runs = self._users.get(user)
        if runs is None:
            runs = self._users[user] = OrderedDict()
        items = runs.get(run)
        if items is None:
            items = runs[run] = deque()
        items.append(item)

    def take(self) -> T:
        """The first of the lane whose turn it is. Raises StopIteration when there is none."""
        user, runs = next(iter(self._users.items()))
        run, items = next(iter(runs.items()))
        item = items.popleft()
        _had_its_turn(runs, run, is_left=bool(items))
        _had_its_turn(self._users, user, is_left=bool(runs))
        return item


def _had_its_turn(lanes: OrderedDict[str, Any], name: str, *, is_left: bool) -> None:
    if is_left:
        lanes.move_to_end(name)
    else:
        del lanes[name]
