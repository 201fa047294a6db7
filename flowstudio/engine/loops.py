"""Loops at work: which items are out, what came back. Guarded by their run's lock.

A for-each knows all its items at the start and has several of them out at once; a while has one turn after the other
and, before each, its condition to be asked, which is an attempt at its step like the first one.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence

from flowstudio.engine.compile import Node
from flowstudio.engine.model import IterationPath, StepRun
from flowstudio.engine.walk import LEFT_OUT, Kept, LeftOut, Walk
from flowstudio.plan.model import Json, StepId

MOST_SLIGHT = 1000
"""Results that take no more than 30 bytes each."""
_SLIGHT = frozenset({type(None), bool, float, LeftOut})


class Loop(ABC):
    """walk: the walk its step lies in. is_over: nothing more starts; items that are out come to their end.

    is_resting: it goes on when its attempt comes back. resumed: items that had started in an earlier life of the run:
    they come to their end even if this life meets the break, or the run's end, first.
    """

    __slots__ = ("came_back", "is_over", "is_resting", "node", "resumed", "started", "walk")

    def __init__(self, walk: Walk, node: Node, resumed: int) -> None:
        self.walk = walk
        self.node = node
        self.resumed = resumed
        self.is_resting = False
        self.started = 0
        self.came_back = 0
        self.is_over = False

    @property
    def is_done(self) -> bool:
        return self.came_back == self.started and not self._has_more()

    @property
    def asks(self) -> bool:
        """Whether its condition must be asked before it can go on."""
        return False

    @property
    @abstractmethod
    def is_slight(self) -> bool:
        """Its results are few and plain, so that its output fits a row without a look at its size."""

    @abstractmethod
    def start_next(self) -> Iterator[Walk]:
        """Walks for the items that may start now."""

    @abstractmethod
    def output(self) -> Json: ...

    def come_back(self, walk: Walk) -> None:
        self.came_back += 1
        self._take(walk.path[-1], walk.outcome())

    @property
    def _is_closed(self) -> bool:
        return (self.is_over or self.walk.is_left) and self.started >= self.resumed

    def _start(self, item: Json) -> Walk:
        assert self.node.body is not None
        self.started += 1
        return Walk(self.node.body, self, self.started - 1, item)

    @abstractmethod
    def _has_more(self) -> bool: ...

    @abstractmethod
    def _take(self, index: int, outcome: Kept) -> None: ...


class ForEach(Loop):
    """Up to `parallel` items are out at once."""

    __slots__ = ("_results", "items", "parallel")

    def __init__(self, walk: Walk, node: Node, items: Sequence[Json], parallel: int, resumed: int = 0) -> None:
        super().__init__(walk, node, resumed)
        self.items = items
        self.parallel = parallel
        self._results: list[Kept] = [LEFT_OUT] * len(items)
        if node.body is not None and not node.body.nodes:  # nothing to do for any of them
            self._results = [None] * len(items)
            self.started = self.came_back = len(items)

    def start_next(self) -> Iterator[Walk]:
        while self.started - self.came_back < self.parallel and self._has_more():
            yield self._start(self.items[self.started])

    def output(self) -> Json:
        results: list[Json] = [each for each in self._results if each is not LEFT_OUT]
        return {"results": results, "count": len(results)}

    @property
    def is_slight(self) -> bool:
        return _are_slight(self._results)

    def _has_more(self) -> bool:
        return self.started < len(self.items) and not self._is_closed

    def _take(self, index: int, outcome: Kept) -> None:
        self._results[index] = outcome


class While(Loop):
    """One turn at a time. last: what the last turn gave that was not left out, before the first one the start value.
    limit: most turns; is_cut: the condition still held when the limit was reached."""

    __slots__ = ("_may_start", "_results", "is_cut", "last", "limit")

    def __init__(self, walk: Walk, node: Node, start: Json, limit: int, resumed: int = 0) -> None:
        super().__init__(walk, node, resumed)
        self.last = start
        self.limit = limit
        self.is_cut = False
        self._may_start = False
        self._results: list[Json] = []

    @property
    def asks(self) -> bool:
        return self.came_back == self.started and not self._may_start and not self._is_closed

    def answer(self, holds: bool) -> None:
        """The condition was asked: another turn, or the end."""
        self.is_cut = holds and self.started >= self.limit
        self._may_start = holds and not self.is_cut
        if not self._may_start:
            self.is_over, self.resumed = True, 0

    def start_next(self) -> Iterator[Walk]:
        if self._may_start and not self._is_closed:
            self._may_start = False
            yield self._start(self.last)

    def output(self) -> Json:
        results = self._results
        return {"results": results, "count": len(results), "last": self.last, "limit_reached": self.is_cut}

    @property
    def is_slight(self) -> bool:
        return _are_slight(self._results) and _are_slight((self.last,))

    def _has_more(self) -> bool:
        return not self._is_closed

    def _take(self, index: int, outcome: Kept) -> None:
        if outcome is not LEFT_OUT:
            self.last = outcome
            self._results.append(outcome)


def _are_slight(results: Sequence[Kept]) -> bool:
    return len(results) <= MOST_SLIGHT and all(each.__class__ in _SLIGHT for each in results)


def started_before(rows: Iterable[StepRun], nodes: Mapping[StepId, Node]) -> dict[tuple[StepId, IterationPath], int]:
    """(loop, where it runs) -> how many of its items had started, as the results of their steps tell."""
    started: dict[tuple[StepId, IterationPath], int] = {}
    for row in rows:
        node, path = nodes.get(row.step_id), row.iteration
        while path and node is not None and node.step.parent is not None:
            key = (node.step.parent, path[:-1])
            started[key] = max(started.get(key, 0), path[-1] + 1)
            node, path = nodes.get(node.step.parent), path[:-1]
    return started
