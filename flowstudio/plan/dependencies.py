"""What each step's output depends on: by wires, by what its expressions read, by the loop around it. Pure."""

from collections.abc import Collection, Iterable, Mapping

from flowstudio.plan.expression import compile_condition, compile_value
from flowstudio.plan.graph import Graph
from flowstudio.plan.legacy import TRIGGER_OFFSET
from flowstudio.plan.model import Plan, Step, StepId, StepKind


class Dependencies:
    """Of one plan, built once. Raises ExpressionError when an expression cannot be read.

    reads: the steps each step's expressions name. needs: those and where its wires come from, without the loops around
    it, whose items it gets by standing inside.
    """

    def __init__(self, plan: Plan) -> None:
        self._graph = Graph(plan)
        self._ordinals = plan.ordinals or tuple(step.id for step in plan.steps)
        self._has_offset = bool(plan.extra.get(TRIGGER_OFFSET))
        steps = self._graph.steps
        self.around: Mapping[StepId, tuple[StepId, ...]] = {each: tuple(self._graph.parents(each)) for each in steps}
        self.reads: Mapping[StepId, frozenset[StepId]] = {
            step.id: self._references(step) & steps.keys() for step in steps.values()
        }
        self._inside: dict[StepId, list[StepId]] = {}
        for step_id, loops in self.around.items():
            for loop in loops:
                self._inside.setdefault(loop, []).append(step_id)
        self.needs: Mapping[StepId, frozenset[StepId]] = {
            each: (self.reads[each] | self._sources(each)) - {each, *self.around[each], *self.inside(each)}
            for each in steps
        }

    def inside(self, step_id: StepId) -> Collection[StepId]:
        """Every step in the body of a loop, however deep; none for another step."""
        return self._inside.get(step_id, ())

    def with_bodies(self, step_ids: Iterable[StepId]) -> set[StepId]:
        chosen = set(step_ids)
        return chosen.union(*(self.inside(each) for each in chosen))

    def before(self, step_ids: Iterable[StepId]) -> set[StepId]:
        """All whose results these steps depend on, directly or through others; a loop stands for its body."""
        start = set(step_ids)
        found: set[StepId] = set()
        left = [need for each in start for need in self._needs_around(each)]
        while left:
            step_id = left.pop()
            if step_id not in found:
                found.add(step_id)
                left.extend(self._needs_around(step_id))
        return found - start

    def after(self, step_ids: Iterable[StepId]) -> set[StepId]:
        """All whose results depend on these steps, directly or through others; with the loops around them."""
        start = set(step_ids)
        dependents: dict[StepId, list[StepId]] = {}
        for step_id, needs in self.needs.items():
            for need in needs:
                dependents.setdefault(need, []).append(step_id)
        found: set[StepId] = set()
        left = list(start)
        while left:
            step_id = left.pop()
            for each in (*dependents.get(step_id, ()), *self.around[step_id][:1]):
                if each not in found:
                    found.add(each)
                    left.append(each)
        return found - start

    def _needs_around(self, step_id: StepId) -> Iterable[StepId]:
        """A step in a loop needs what gives the loop its items."""
        inside = {step_id, *self.around[step_id]}
        return (need for each in inside for need in self.needs[each] if need not in inside)

    def _sources(self, step_id: StepId) -> frozenset[StepId]:
        edges = self._graph.entering.get(step_id, ())
        return frozenset(edge.source for edge in edges if edge.source in self._graph.steps)

    def _references(self, step: Step) -> frozenset[StepId]:
        found: frozenset[StepId] = frozenset()
        for name, value in step.params.items():
            if name == "condition" and step.kind in (StepKind.CONDITION, StepKind.WHILE):
                found |= compile_condition(value, self._ordinals, self._has_offset).references
            else:
                found |= compile_value(value, self._ordinals, self._has_offset).references
        return found
