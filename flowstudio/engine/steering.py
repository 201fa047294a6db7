"""What a run's options put in the place of its steps: pinned outputs, steps left out, answers a dry run does not have.

A plain run has no Steering, so its steps pay nothing for it. Guarded by its run's lock.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from flowstudio.engine.attempt import Outcome
from flowstudio.engine.compile import Node
from flowstudio.engine.dry import DRY, NEEDS_ANSWER, UNSENT
from flowstudio.engine.model import IterationPath, Run, StepState
from flowstudio.engine.walk import Walk
from flowstudio.plan.model import Json, StepId, StepKind

NOT_PART: Final = "it is no part of this run"
PINNED: Final = "pinned"
IS_PINNED: Final = "Its output is pinned."

_DECIDES: Final = frozenset({StepKind.CONDITION, StepKind.SWITCH})


def steering_of(run: Run, pins: Mapping[StepId, Json]) -> "Steering | None":
    """None for a run that does all its plan says. pins: the outputs that stand in for their steps."""
    options = run.options
    return Steering(run, pins) if options.is_dry or options.uses_pins or options.only is not None else None


class Steering:
    def __init__(self, run: Run, pins: Mapping[StepId, Json]) -> None:
        self._only = run.options.only
        self._pins = pins
        self._is_dry = run.options.is_dry
        self._lacking: set[tuple[StepId, IterationPath]] = set()
        self._references: dict[StepId, frozenset[StepId]] = {}
        self._labels = {step.id: step.label for step in run.plan.steps} if run.options.is_dry else {}

    def instead_of(self, walk: Walk, node: Node) -> Outcome | None:
        """How the step is settled without being performed; None to perform it."""
        step_id = node.step.id
        if self._only is not None and step_id not in self._only:
            return Outcome(StepState.SKIPPED, (), None, NOT_PART)
        if step_id in self._pins:
            return pinned(node, self._pins[step_id])
        return self._without_answer(walk, node) if self._is_dry else None

    def why_dead(self, walk: Walk, node: Node) -> str | None:
        """Why no live edge leads to a step, when it is not that its branch was not taken."""
        if self._only is not None and node.step.id not in self._only:
            return NOT_PART
        for inlet in node.inlets:
            if (inlet.source, walk.path) in self._lacking:
                self._lacking.add((node.step.id, walk.path))
                return f"It comes after “{self._labels[inlet.source]}”, and a dry run cannot tell which way that goes."
        return None

    def note(self, walk: Walk, node: Node, outcome: Outcome) -> None:
        """Remembers which results a dry run does not have. A loop whose items end in such a step has none either."""
        if not self._is_dry:
            return
        key = (node.step.id, walk.path)
        if outcome.metadata.get(DRY) == UNSENT:
            self._lacking.add(key)
        if key in self._lacking and walk.loop is not None and node.index in walk.block.terminals:
            self._lacking.add((walk.loop.node.step.id, walk.loop.walk.path))

    def is_lost(self, walk: Walk, node: Node) -> bool:
        """Whether it is a while whose last turn ended in a result a dry run does not have."""
        return node.kind is StepKind.WHILE and (node.step.id, walk.path) in self._lacking

    def _without_answer(self, walk: Walk, node: Node) -> Outcome | None:
        source = next((each for each in self._read_by(walk, node) if self._is_lacking(each, walk.path)), None)
        if source is None:
            return None
        ports = () if node.kind in _DECIDES else node.passes
        text = NEEDS_ANSWER.format(self._labels[source])
        return Outcome(StepState.SKIPPED, ports, None, text, None, {DRY: UNSENT})

    def _read_by(self, walk: Walk, node: Node) -> Iterable[StepId]:
        if node.step.id not in self._references:
            found = frozenset[StepId]().union(*(template.references for _, template in node.templates))
            if node.condition is not None:
                found |= node.condition.references
            self._references[node.step.id] = found
        yield from sorted(self._references[node.step.id])
        if node.kind is StepKind.MERGE:
            yield from (source for source, _ in walk.arrivals(node))

    def _is_lacking(self, step_id: StepId, path: IterationPath) -> bool:
        return any((step_id, path[:depth]) in self._lacking for depth in range(len(path), -1, -1))


def pinned(node: Node, output: Json) -> Outcome:
    """The result a pin stands for. A condition's and a switch's say which way they go."""
    ports, told = node.passes, output if isinstance(output, dict) else {}
    if node.kind is StepKind.CONDITION:
        ports = ("true" if told.get("result") is True else "false",)
    elif node.kind is StepKind.SWITCH:
        ports = (str(told.get("case", "default")),)
    return Outcome(StepState.SUCCEEDED, ports, output, IS_PINNED, None, {PINNED: True})
