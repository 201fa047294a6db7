"""A plan's edges as indexes, built once, and the walks over them."""

from collections.abc import Iterable, Mapping, Sequence

from flowstudio.plan.model import Edge, Plan, Step, StepId


class Graph:
    """Lookups over one plan in constant time. Where ids repeat, the first step wins."""

    def __init__(self, plan: Plan) -> None:
        self.steps: dict[StepId, Step] = {}
        for step in plan.steps:
            self.steps.setdefault(step.id, step)
        self.holders = {step.parent for step in plan.steps}
        self.leaving: dict[StepId, list[Edge]] = {}
        self.entering: dict[StepId, list[Edge]] = {}
        for edge in plan.edges:
            self.leaving.setdefault(edge.source, []).append(edge)
            self.entering.setdefault(edge.target, []).append(edge)

    def label(self, step_id: StepId) -> str:
        step = self.steps.get(step_id)
        return step.label if step else step_id

    def parents(self, step_id: StepId) -> list[StepId]:
        """The loops around a step, innermost first. Ends at a parent that is missing or met twice."""
        found: list[StepId] = []
        step = self.steps.get(step_id)
        while step is not None and step.parent is not None and step.parent not in found:
            found.append(step.parent)
            step = self.steps.get(step.parent)
        return found


def find_cycle(plan: Plan) -> tuple[StepId, ...]:
    """The steps of one cycle in the order of their edges, each once; empty when there is none. Linear."""
    return cycle_in(Graph(plan).leaving)


def cycle_in(leaving: Mapping[StepId, Sequence[Edge]]) -> tuple[StepId, ...]:
    """Depth first without recursion: an edge to a step still on the path closes a cycle."""
    done: set[StepId] = set()
    for root in leaving:
        if root in done:
            continue
        path: list[StepId] = [root]
        on_path = {root}
        walks = [iter(leaving.get(root, ()))]
        while walks:
            edge = next(walks[-1], None)
            if edge is None:
                walks.pop()
                step = path.pop()
                on_path.discard(step)
                done.add(step)
            elif edge.target in on_path:
                return tuple(path[path.index(edge.target) :])
            elif edge.target not in done:
                path.append(edge.target)
                on_path.add(edge.target)
                walks.append(iter(leaving.get(edge.target, ())))
    return ()


def path_between(edges: Iterable[Edge], start: StepId, goal: StepId) -> tuple[StepId, ...]:
    """The shortest way along edges from start to goal, both included; empty when there is none."""
    leaving: dict[StepId, list[StepId]] = {}
    for edge in edges:
        leaving.setdefault(edge.source, []).append(edge.target)
    came_from: dict[StepId, StepId] = {start: start}
    layer = [start]
    while layer and goal not in came_from:
        following = []
        for step in layer:
            for target in leaving.get(step, ()):
                if target not in came_from:
                    came_from[target] = step
                    following.append(target)
        layer = following
    if goal not in came_from:
        return ()
    way = [goal]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def topological_order(plan: Plan, graph: Graph) -> list[StepId]:
    """Step ids so that every edge, and every body after its loop, points forward; ties keep the plan's order.

    Steps on or behind a cycle come last, in the plan's order. Source: Kahn, "Topological sorting of large
    networks", 1962.
    """
    waiting = dict.fromkeys(graph.steps, 0)
    following: dict[StepId, list[StepId]] = {}
    for source, target in order_pairs(plan, graph):
        waiting[target] += 1
        following.setdefault(source, []).append(target)
    ready = [step_id for step_id, count in reversed(waiting.items()) if count == 0]
    order: list[StepId] = []
    while ready:
        step_id = ready.pop()
        order.append(step_id)
        for target in reversed(following.get(step_id, ())):
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    placed = set(order)
    return order + [step_id for step_id in graph.steps if step_id not in placed]


def order_pairs(plan: Plan, graph: Graph) -> list[tuple[StepId, StepId]]:
    """(earlier, later) for every edge between existing steps and from each loop to what it holds."""
    pairs = [(edge.source, edge.target) for edge in plan.edges if {edge.source, edge.target} <= graph.steps.keys()]
    pairs += [(step.parent, step.id) for step in graph.steps.values() if step.parent in graph.steps and step.parent]
    return pairs
