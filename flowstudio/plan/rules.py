"""Every rule of a legal plan, each with its error.

check_edge answers one wire under a hand; check_plan looks at everything (its single rules are in `checks`).
"""

from flowstudio.plan.checking.call_checks import call_problems
from flowstudio.plan.checking.checks import structure_problems
from flowstudio.plan.checking.problems import ActionInfo, ActionTable, FieldInfo, Problem, Severity
from flowstudio.plan.checking.reference_checks import expression_problems
from flowstudio.plan.errors import (
    BadEditError,
    BadIdError,
    BodyError,
    BorderError,
    CycleError,
    DanglingEdgeError,
    DocumentError,
    DuplicateEdgeError,
    DuplicateIdError,
    NoSuchPartError,
    ParentError,
    PlanError,
    UnknownPortError,
)
from flowstudio.plan.graph import Graph, find_cycle, path_between
from flowstudio.plan.model import Edge, Plan, Step, StepId, ports_of

__all__ = [
    "ActionInfo",
    "ActionTable",
    "BadEditError",
    "BadIdError",
    "BodyError",
    "BorderError",
    "CycleError",
    "DanglingEdgeError",
    "DocumentError",
    "DuplicateEdgeError",
    "DuplicateIdError",
    "FieldInfo",
    "NoSuchPartError",
    "ParentError",
    "PlanError",
    "Problem",
    "Severity",
    "UnknownPortError",
    "check_edge",
    "check_ends",
    "check_plan",
    "find_cycle",
]


_DISORDER = frozenset({CycleError.code, BorderError.code, BodyError.code, ParentError.code})


def check_plan(plan: Plan, actions: ActionTable) -> list[Problem]:
    """Everything wrong with a plan. A plan runs when none of the problems is an error."""
    graph = Graph(plan)
    problems = list(structure_problems(plan, graph, actions, check_ends))
    is_ordered = not any(problem.code in _DISORDER for problem in problems)
    return [*problems, *call_problems(plan), *expression_problems(plan, graph, is_ordered)]


def check_edge(plan: Plan, edge: Edge) -> PlanError | None:
    """Why this edge, not yet in the plan, may not be drawn; None when it may."""
    source = target = None
    for step in plan.steps:
        if step.id == edge.source:
            source = step
        if step.id == edge.target:
            target = step
    if source is None or target is None:
        missing = edge.source if source is None else edge.target
        return DanglingEdgeError(edge.source, edge.port, edge.target, missing)
    return check_ends(source, edge.port, target) or _check_repeats(plan, edge, source, target)


def check_ends(source: Step, port: str, target: Step) -> PlanError | None:
    """Why `port` of source may not lead to target, whatever else the plan holds."""
    if source.id == target.id:
        return CycleError((source.label, source.label))
    ports = ports_of(source)
    found = next((each for each in ports if each.name == port), None)
    if found is None:
        return UnknownPortError(source.label, port, [each.name for each in ports])
    if found.container:
        return None if target.parent == source.id else BodyError(source.label, target.label)
    return None if target.parent == source.parent else BorderError(source.label, target.label)


def _check_repeats(plan: Plan, edge: Edge, source: Step, target: Step) -> PlanError | None:
    if any(each.source == edge.source and each.target == edge.target and each.port == edge.port for each in plan.edges):
        return DuplicateEdgeError(source.label, target.label)
    way = path_between(plan.edges, edge.target, edge.source)
    return CycleError(_labels(plan, (edge.source, *way))) if way else None


def _labels(plan: Plan, step_ids: tuple[StepId, ...]) -> list[str]:
    labels = {step.id: step.label for step in plan.steps}
    return [labels.get(step_id, step_id) for step_id in step_ids]
