"""A hash for each step of what its output depends on: the same hash means the stored output still holds. Pure.

A hash covers the step's definition, the hashes of the steps its wires and expressions lead to, the variables and the
trigger's data where it reads them, and for a loop its whole body. It does not cover names, places on the canvas, notes,
retries and time limits: with another id or another title a step gives the same output.
"""

import hashlib
import json
import re
from typing import TypeAlias

from flowstudio.plan.dependencies import Dependencies
from flowstudio.plan.evaluation.deferred import Deferred
from flowstudio.plan.evaluation.references import renamed_params
from flowstudio.plan.graph import Graph
from flowstudio.plan.legacy import TRIGGER_OFFSET
from flowstudio.plan.model import Json, Plan, Step, StepId

Key: TypeAlias = tuple[StepId, bool]
"""A step and whether all of it is meant. Of a loop the part that gives the items comes first: its body needs it."""

_WORDS = re.compile(r"\w+")


def fingerprints(plan: Plan, trigger: Json, dependencies: Dependencies | None = None) -> dict[StepId, str]:
    """Hash by step id, for runs whose trigger brings these data. Linear. Raises ExpressionError."""
    return _Hashing(plan, trigger, dependencies or Dependencies(plan)).by_step()


class _Hashing:
    def __init__(self, plan: Plan, trigger: Json, dependencies: Dependencies) -> None:
        self._plan = plan
        self._graph = Graph(plan)
        self._trigger = digest(trigger)
        self._dependencies = dependencies
        self._hashes: dict[Key, str] = {}

    def by_step(self) -> dict[StepId, str]:
        for key in self._order():
            step = self._graph.steps[key[0]]
            self._hashes[key] = self._whole_loop(step) if self._is_loop_end(key) else self._definition(step)
        return {step_id: self._hashes[step_id, True] for step_id in self._graph.steps}

    def _order(self) -> list[Key]:
        """Every key after those its hash is made from (Kahn, 1962); what reads in a circle comes last."""
        sources = {key: self._sources(key) for key in self._keys()}
        waiting = {key: len(needed) for key, needed in sources.items()}
        following: dict[Key, list[Key]] = {}
        for key, needed in sources.items():
            for source in needed:
                following.setdefault(source, []).append(key)
        order = [key for key, count in waiting.items() if count == 0]
        for key in order:
            for target in following.get(key, ()):
                waiting[target] -= 1
                if waiting[target] == 0:
                    order.append(target)
        return order + [key for key, count in waiting.items() if count > 0]

    def _keys(self) -> list[Key]:
        loops = [(step.id, False) for step in self._graph.steps.values() if step.kind.holds_steps]
        return [*loops, *((step_id, True) for step_id in self._graph.steps)]

    def _sources(self, key: Key) -> set[Key]:
        step_id, around = key[0], self._dependencies.around[key[0]]
        if self._is_loop_end(key):
            return {(step_id, False), *((each, True) for each in self._dependencies.inside(step_id))}
        needed = {(need, True) for need in self._dependencies.needs[step_id]}
        return needed | {(loop, False) for loop in around if self._graph.steps[loop].kind.holds_steps}

    def _is_loop_end(self, key: Key) -> bool:
        return key[1] and self._graph.steps[key[0]].kind.holds_steps

    def _whole_loop(self, step: Step) -> str:
        body = sorted(self._hash_of(each, True) for each in self._dependencies.inside(step.id))
        return digest([self._hash_of(step.id, False), body])

    def _definition(self, step: Step) -> str:
        around = self._dependencies.around[step.id]
        reads = {each: self._hash_of(each, each not in around) for each in self._dependencies.reads[step.id]}
        wires = [
            [self._hash_of(edge.source, edge.source not in around), edge.port]
            for edge in self._graph.entering.get(step.id, ())
            if edge.source in self._graph.steps
        ]
        params = renamed_params(step, {each: f"s{value}" for each, value in reads.items()})
        text = json.dumps(dict(step.params), default=str)
        document = {
            "action": [step.provider, step.action],
            "params": dict(params),
            "on_error": str(step.on_error),
            "credential": step.credential,
            "disabled": step.disabled,
            "around": [self._hash_of(loop, False) for loop in around],
            "wires": wires,
            "reads": sorted(reads.values()),
            "variables": self._variables_in(text),
            "trigger": self._trigger if self._reads_trigger(text) else None,
        }
        return digest(document)

    def _variables_in(self, text: str) -> dict[str, Json]:
        if "vars" not in text:
            return {}
        words = set(_WORDS.findall(text))
        return {name: value for name, value in self._plan.variables.items() if words.issuperset(_WORDS.findall(name))}

    def _reads_trigger(self, text: str) -> bool:
        """By the look of it: a hash that changes too often costs a question, one that does not a wrong result."""
        return "trigger" in text or ("step" in text and bool(self._plan.extra.get(TRIGGER_OFFSET)))

    def _hash_of(self, step_id: StepId, is_whole: bool) -> str:
        return self._hashes.get((step_id, is_whole), "")


def digest(value: object) -> str:
    """Of any JSON value: the same for equal values, whatever the order of their keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: object) -> object:
    return value.load() if isinstance(value, Deferred) else str(value)
