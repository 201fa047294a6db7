"""What an expression of a step may read: the trigger, variables, the loop's item, and the steps before it."""

from collections.abc import Sequence

from flowstudio.plan.model import AWAITED_CALL, Plan, Step, StepId, StepKind
from flowstudio.ui.forms.editors.expression import Reference


def references_for(plan: Plan, step_id: StepId) -> list[Reference]:
    """Nearest steps first, then what every step may read."""
    found = [Reference(f"Output of {step.label}", f"steps.{step.id}.output") for step in _before(plan, step_id)]
    found += _of_the_loop(plan, step_id)
    found += [Reference(f"Variable {name}", f"vars.{name}") for name in plan.variables]
    found += [Reference("Trigger data", "trigger"), Reference("Id of this run", "run.id")]
    if any((step.provider, step.action) == AWAITED_CALL for step in plan.steps):
        found.append(Reference("Address that resumes this run", "run.resume_url"))
    return found


def _before(plan: Plan, step_id: StepId) -> Sequence[Step]:
    sources: dict[StepId, list[StepId]] = {}
    for edge in plan.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    steps = {step.id: step for step in plan.steps}
    for step in plan.steps:
        if step.parent is not None:  # a body's steps come after what leads into their loop
            sources.setdefault(step.id, []).append(step.parent)
    seen: dict[StepId, None] = {}
    queue = list(sources.get(step_id, ()))
    while queue:
        each = queue.pop(0)
        if each not in seen and each in steps and each != step_id:
            seen[each] = None
            queue += sources.get(each, ())
    holders = _holders(plan, step_id)
    return [steps[each] for each in seen if each not in holders or not steps[each].kind.holds_steps]


def _holders(plan: Plan, step_id: StepId) -> set[StepId]:
    """The loops around a step: their results are not known while their body runs."""
    parents = {step.id: step.parent for step in plan.steps}
    holders: set[StepId] = set()
    parent = parents.get(step_id)
    while parent is not None and parent not in holders:
        holders.add(parent)
        parent = parents.get(parent)
    return holders


def _of_the_loop(plan: Plan, step_id: StepId) -> list[Reference]:
    """What the innermost loop offers to its steps, and a while to its own condition."""
    steps = {step.id: step for step in plan.steps}
    step = steps.get(step_id)
    loop = steps.get(step.parent) if step is not None and step.parent else None
    if step is not None and step.kind is StepKind.WHILE:
        loop = step
    if loop is None:
        return []
    if loop.kind is StepKind.WHILE:
        return [Reference("Result of the turn before", "item"), Reference("Number of the turn", "index")]
    return [Reference("Current item of the loop", "item"), Reference("Number of the item", "index")]
