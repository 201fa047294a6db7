"""One pass through a block, and what its steps can read.

A run is a tree of walks: the plan's top level, and for each item of a loop at work a walk through the loop's body.
A step reads the results of its own walk and of the walks around it; an iteration's walk is forgotten when it ends.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from flowstudio.engine.compile import Block, Node
from flowstudio.engine.frontier import Frontier
from flowstudio.engine.model import IterationPath, StepState
from flowstudio.engine.tickets import Ticket
from flowstudio.plan.expression import Scope, StepView
from flowstudio.plan.model import Json, StepId

if TYPE_CHECKING:
    from flowstudio.engine.loops import Loop


class LeftOut(Enum):
    """Stands where an item gives no result; null is one."""

    ITEM = "left out"


LEFT_OUT: Final = LeftOut.ITEM
Kept: TypeAlias = "Json | LeftOut"
"""What an item gives to its loop's results."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a settled step left behind. sequence: when, within the run; ticket: its way to the disk."""

    view: StepView
    state: StepState
    ports: tuple[str, ...]
    sequence: int
    ticket: Ticket


class Walk:
    """Guarded by its run's lock, but for reading `views`: a dict a step may read while another one's result comes.

    item: what the body's steps read as `item`. is_left: a break or skip ended it, no more of its steps start.
    """

    __slots__ = (
        "_kept",
        "_left_at",
        "block",
        "frontier",
        "is_left",
        "item",
        "loop",
        "path",
        "results",
        "scope",
        "views",
    )

    def __init__(self, block: Block, loop: "Loop | None" = None, index: int = 0, item: Json = None) -> None:
        self.block = block
        self.loop = loop
        self.item = item
        self.path: IterationPath = (*loop.walk.path, index) if loop is not None else ()
        self.frontier = Frontier(block)
        self.results: dict[StepId, Result] = {}
        self.views: dict[StepId, StepView] = {}
        self.scope: Scope | None = None
        self.is_left = False
        self._kept: Kept = None
        self._left_at = 0

    def settle(self, step_id: StepId, result: Result) -> None:
        self.results[step_id] = result
        if result.state is not StepState.SKIPPED or result.ports:
            self.views[step_id] = result.view

    def leave(self, kept: Kept, sequence: int) -> None:
        """Ends the walk; its item gives what is kept. Of several steps that end it the first counts."""
        if not self.is_left or sequence < self._left_at:
            self._kept, self._left_at = kept, sequence
        self.is_left = True

    def is_within(self, around: "Walk") -> bool:
        """Whether it goes through a loop that is at work in `around`, however deep."""
        walk = self
        while walk.loop is not None:
            walk = walk.loop.walk
            if walk is around:
                return True
        return False

    def arrivals(self, node: Node) -> list[tuple[StepId, Result]]:
        """The results whose live edges lead to node, in the order of the plan's edges, each source once."""
        found: dict[StepId, Result] = {}
        for inlet in node.inlets:
            result = self.results.get(inlet.source)
            if result is not None and inlet.port in result.ports:
                found[inlet.source] = result
        return list(found.items())

    def outcome(self) -> Kept:
        """What the walk as a whole gives: the output of its live last step; several -> {step id: output}."""
        if self.is_left:
            return self._kept
        ids = (self.block.nodes[index].step.id for index in self.block.terminals)
        live = {step_id: self.views[step_id].output for step_id in ids if step_id in self.views}
        if len(live) == 1:
            return next(iter(live.values()))
        return dict(live) if live else None


class NestedViews(Mapping[StepId, StepView]):
    """The steps a walk inside loops sees: its own first, then outwards."""

    __slots__ = ("_levels",)

    def __init__(self, walk: Walk) -> None:
        levels = [walk.views]
        while walk.loop is not None:
            walk = walk.loop.walk
            levels.append(walk.views)
        self._levels = levels

    def __getitem__(self, step_id: StepId) -> StepView:
        for views in self._levels:
            if step_id in views:
                return views[step_id]
        raise KeyError(step_id)

    def __iter__(self) -> Iterator[StepId]:
        return iter({step_id: None for views in self._levels for step_id in tuple(views)})

    def __len__(self) -> int:
        return len(set().union(*self._levels))


def enclosing_loops(walk: Walk) -> dict[str, Any]:
    """{loop id: {"item", "index"}} of every loop around the walk."""
    loops: dict[str, Any] = {}
    while walk.loop is not None:
        loops[walk.loop.node.step.id] = {"item": walk.item, "index": walk.path[-1]}
        walk = walk.loop.walk
    return loops
