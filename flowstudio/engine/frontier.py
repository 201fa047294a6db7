"""What may start now, and what is dead. Pure: a block of steps and what is done, no threads, no clock.

An edge is live when its source left by its port, dead when the source left by other ports, failed or is dead itself.
A step starts when none of its incoming edges is undecided and at least one is live; it is dead when all are dead.
A merge that takes the first arrival starts at its first live edge and ignores the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowstudio.engine.compile import Block


@dataclass(slots=True)
class Advance:
    """ready: steps that may start, dead: steps that never will, as indexes into the block, in order of discovery."""

    ready: list[int]
    dead: list[int]


class Frontier:
    """The line between done and not yet, in one pass through a block. Not thread-safe: its run's lock guards it."""

    __slots__ = ("_block", "_decided", "_live", "_undecided", "open")

    def __init__(self, block: "Block") -> None:
        self._block = block
        self._undecided = list(block.inlet_counts)
        self._live = bytearray(len(block.nodes))
        self._decided = bytearray(len(block.nodes))
        self.open = len(block.nodes)

    @property
    def is_done(self) -> bool:
        """Every step is settled or dead."""
        return self.open == 0

    def begin(self) -> list[int]:
        """The steps nothing leads to. Call once, first."""
        for index in self._block.entries:
            self._decided[index] = 1
        return list(self._block.entries)

    def settle(self, index: int, ports: Iterable[str]) -> Advance:
        """Step `index` is done and left by `ports`: what follows from that. Call once a step, after it was ready."""
        advance = Advance([], [])
        self.open -= 1
        self._leave(index, ports, advance)
        # Death spreads from step to step; a list instead of recursion, because plans have chains of 10,000 steps.
        for dead in advance.dead:
            self.open -= 1
            self._leave(dead, (), advance)
        return advance

    def _leave(self, index: int, ports: Iterable[str], advance: Advance) -> None:
        for port, targets in self._block.nodes[index].targets.items():
            is_live = port in ports
            for target in targets:
                self._decide_edge(target, is_live, advance)

    def _decide_edge(self, target: int, is_live: bool, advance: Advance) -> None:
        self._undecided[target] -= 1
        if is_live:
            self._live[target] = 1
        if self._decided[target]:
            return
        if self._undecided[target] == 0:
            self._decided[target] = 1
            (advance.ready if self._live[target] else advance.dead).append(target)
        elif is_live and self._block.nodes[target].takes_first:
            self._decided[target] = 1
            advance.ready.append(target)
