"""check_plan: everything that is wrong with a plan, in one pass of about linear time."""

import re
from collections import Counter
from collections.abc import Callable, Iterator

from flowstudio.plan.checking.flow_checks import flow_problems
from flowstudio.plan.checking.problems import ActionTable, Problem, error, from_error, warning
from flowstudio.plan.errors import (
    BadIdError,
    CycleError,
    DanglingEdgeError,
    DuplicateEdgeError,
    DuplicateIdError,
    ParentError,
    PlanError,
)
from flowstudio.plan.graph import Graph, cycle_in
from flowstudio.plan.model import Edge, Json, Plan, Step, StepId, StepKind, Trigger, TriggerKind

ID_SHAPE = re.compile(r"[a-z][a-z0-9_]*")
LONGEST_TIME_LIMIT_S = 366 * 24 * 3600.0

_NEEDED_CONFIG = {
    TriggerKind.WEBHOOK: ("webhook_path", "a path"),
    TriggerKind.SCHEDULE: ("cron_expression", "a cron expression"),
    TriggerKind.EVENT: ("event_type", "an event type"),
}

Ends = Callable[[Step, str, Step], PlanError | None]


def structure_problems(plan: Plan, graph: Graph, actions: ActionTable, check_ends: Ends) -> Iterator[Problem]:
    """All problems but those of expressions, in the order a person would fix them."""
    if not plan.steps:
        yield error(None, None, "The plan has no steps yet. Add the first one.", "plan.empty")
    yield from _repeated_ids(plan)
    for step in plan.steps:
        yield from _step_problems(step, graph, actions)
    yield from _edge_problems(plan, graph, check_ends)
    cycle = cycle_in(graph.leaving)
    if cycle:
        labels = [graph.label(step_id) for step_id in (*cycle, cycle[0])]
        yield from_error(CycleError(labels), cycle[0])
    yield from _unreachable(plan, graph, cycle)
    for trigger in plan.triggers:
        yield from _trigger_problems(trigger)


def _repeated_ids(plan: Plan) -> Iterator[Problem]:
    kinds = {
        "step": [step.id for step in plan.steps],
        "trigger": [trigger.id for trigger in plan.triggers],
        "note": [note.id for note in plan.notes],
        "frame": [frame.id for frame in plan.frames],
    }
    for what, ids in kinds.items():
        for part_id, count in Counter(ids).items():
            if count > 1:
                yield from_error(DuplicateIdError(what, part_id), part_id if what == "step" else None, "id")


def _step_problems(step: Step, graph: Graph, actions: ActionTable) -> Iterator[Problem]:
    if not ID_SHAPE.fullmatch(step.id):
        yield from_error(BadIdError(step.id), step.id, "id")
    if step.parent is not None:
        yield from _parent_problems(step, graph)
    yield from _action_problems(step, actions)
    if step.timeout_s is not None and not 0 < step.timeout_s <= LONGEST_TIME_LIMIT_S:
        sentence = f"The time limit of “{step.label}” must be more than 0 seconds and at most 366 days."
        yield error(step.id, "timeout_s", sentence, "plan.bad_time_limit")
    if step.kind is not StepKind.ACTION:
        yield from flow_problems(step, graph)


def _parent_problems(step: Step, graph: Graph) -> Iterator[Problem]:
    assert step.parent is not None
    parent = graph.steps.get(step.parent)
    if parent is None:
        yield from_error(ParentError(step.label, step.parent, "there is no such step"), step.id, "parent")
    elif not parent.kind.holds_steps:
        yield from_error(ParentError(step.label, parent.label, "only a loop holds other steps"), step.id, "parent")
    elif step.id in graph.parents(step.id):
        yield from_error(ParentError(step.label, parent.label, "they hold each other"), step.id, "parent")


def _action_problems(step: Step, actions: ActionTable) -> Iterator[Problem]:
    report = warning if step.disabled else error
    if not step.provider or not step.action:
        yield report(step.id, "action", f"The step “{step.id}” names no action yet. Choose one.", "plan.unknown_action")
        return
    action = actions.find(step.provider, step.action)
    if action is None:
        sentence = f"No provider offers the action {step.provider}.{step.action}. "
        yield report(
            step.id, "action", (sentence + actions.suggest(step.provider, step.action)).strip(), "plan.unknown_action"
        )
        return
    for field in action.fields:
        if field.required and _is_blank(step.params.get(field.name)):
            sentence = f"“{step.label}” needs a value for “{field.title or field.name}”."
            yield report(step.id, field.name, sentence, "plan.missing_param")


def _is_blank(value: Json) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _edge_problems(plan: Plan, graph: Graph, check_ends: Ends) -> Iterator[Problem]:
    seen: set[tuple[StepId, str, StepId]] = set()
    for edge in plan.edges:
        fault = _edge_fault(edge, graph, check_ends)
        if fault is None and edge.key in seen:
            fault = DuplicateEdgeError(graph.label(edge.source), graph.label(edge.target))
        seen.add(edge.key)
        if fault is not None and not isinstance(fault, CycleError):
            yield from_error(fault, edge.source if edge.source in graph.steps else edge.target, edge.port)


def _edge_fault(edge: Edge, graph: Graph, check_ends: Ends) -> PlanError | None:
    source, target = graph.steps.get(edge.source), graph.steps.get(edge.target)
    if source is None:
        return DanglingEdgeError(*edge.key, missing=edge.source)
    if target is None:
        return DanglingEdgeError(*edge.key, missing=edge.target)
    return check_ends(source, edge.port, target)


def _unreachable(plan: Plan, graph: Graph, cycle: tuple[StepId, ...]) -> Iterator[Problem]:
    """Steps that no run ever comes to, and those that start with every item of a loop though the canvas shows no way
    to them: what nothing leads to starts with its body, as it starts with the run at the top level."""
    reached = {step.id for step in plan.steps if not graph.entering.get(step.id)}
    for step in plan.steps:
        if step.id in reached and step.parent in graph.steps:
            sentence = f"Nothing leads to “{step.label}”, so it starts with every item. Connect the loop's body to it."
            yield warning(step.id, None, sentence, "plan.unconnected")
    waiting = list(reached)
    while waiting:
        for edge in graph.leaving.get(waiting.pop(), ()):
            if edge.target not in reached:
                reached.add(edge.target)
                waiting.append(edge.target)
    for step in plan.steps:
        if step.id not in reached and step.id not in cycle:
            sentence = f"Nothing leads to “{step.label}”, so it never runs. Connect it or remove it."
            yield warning(step.id, None, sentence, "plan.unreachable")


def _trigger_problems(trigger: Trigger) -> Iterator[Problem]:
    key, what = _NEEDED_CONFIG.get(trigger.kind, ("", ""))
    if key and _is_blank(trigger.config.get(key)):
        report = error if trigger.enabled else warning
        sentence = f"The {trigger.kind} trigger “{trigger.id}” needs {what}."
        yield report(None, f"triggers.{trigger.id}.{key}", sentence, "plan.bad_trigger")
