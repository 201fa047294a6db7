"""Problems of expressions: those that do not compile, and those that read a step which has no result by then."""

from collections.abc import Iterator, Mapping

from flowstudio.plan.checking.problems import Problem, error, warning
from flowstudio.plan.checking.spelling import closest
from flowstudio.plan.evaluation.condition import compile_condition_text
from flowstudio.plan.evaluation.paths import Dialect
from flowstudio.plan.evaluation.template import compile_json
from flowstudio.plan.expression import ExpressionError
from flowstudio.plan.graph import Graph, order_pairs, topological_order
from flowstudio.plan.legacy import TRIGGER_OFFSET
from flowstudio.plan.model import Json, Plan, Step, StepId

_HINTS = 20
"""Unknown steps that get a suggestion: each costs a comparison with every id."""


def expression_problems(plan: Plan, graph: Graph, is_ordered: bool) -> Iterator[Problem]:
    """is_ordered: the edges say what runs before what; in a cyclic plan only unknown steps are reported.

    Where old references count the trigger's data, each means one step in a run that has data and another in a run
    that has none. Only what is wrong both ways is reported, as it is wrong with data.
    """
    ordinals = plan.ordinals or tuple(step.id for step in plan.steps)
    if plan.extra.get(TRIGGER_OFFSET) is not True:
        yield from _problems(plan, graph, is_ordered, Dialect(ordinals))
        return
    without = _problems(plan, graph, is_ordered, Dialect(ordinals, trigger_offset=True, has_data=False))
    places = {(problem.step, problem.field) for problem in without}
    for problem in _problems(plan, graph, is_ordered, Dialect(ordinals, trigger_offset=True, has_data=True)):
        if (problem.step, problem.field) in places:
            yield problem


def _problems(plan: Plan, graph: Graph, is_ordered: bool, dialect: Dialect) -> Iterator[Problem]:
    reads: dict[StepId, list[tuple[str, StepId]]] = {}
    hints: dict[StepId, str] = {}
    for step in plan.steps:
        for name, value in step.params.items():
            try:
                references = _references(step, name, value, dialect)
            except ExpressionError as fault:
                yield error(step.id, name, str(fault.located(step.label, name)), fault.code)
                continue
            for reference in sorted(references):
                if reference in graph.steps:
                    reads.setdefault(step.id, []).append((name, reference))
                else:
                    if reference not in hints:
                        hints[reference] = closest(reference, list(graph.steps)) if len(hints) < _HINTS else ""
                    yield _unknown(step, name, reference, hints[reference])
    if reads and is_ordered:
        yield from _order_problems(plan, graph, reads)


def _references(step: Step, name: str, value: Json, dialect: Dialect) -> frozenset[StepId]:
    if step.kind.asks_condition and name == "condition":
        return compile_condition_text(value, dialect).references
    return compile_json(value, dialect).references


def _unknown(step: Step, name: str, reference: StepId, hint: str) -> Problem:
    sentence = f"“{step.label}” reads steps.{reference}, but the plan has no step “{reference}”. {hint}"
    return error(step.id, name, sentence.strip(), "plan.unknown_reference")


def _order_problems(plan: Plan, graph: Graph, reads: Mapping[StepId, list[tuple[str, StepId]]]) -> Iterator[Problem]:
    """Walks the plan in running order with the set of what came before each step.

    A reader that comes before the step it reads is kept until that step is met: only then is it known whether one
    leads to the other.
    """
    bits = {step_id: 1 << index for index, step_id in enumerate(graph.steps)}
    early: dict[StepId, list[tuple[str, StepId]]] = {}
    done: set[StepId] = set()
    for step_id, before in _ancestry(plan, graph, bits):
        for name, reader in early.pop(step_id, ()):
            yield (
                _later(graph, reader, name, step_id)
                if before & bits[reader]
                else _unordered(graph, reader, name, step_id)
            )
        around = graph.parents(step_id) if step_id in reads else []
        for name, reference in reads.get(step_id, ()):
            if reference == step_id or reference in around:
                yield _unfinished(graph, step_id, name, reference)
            elif (inside := _loop_left(graph, reference, around)) is not None:
                yield _inside(graph, step_id, name, reference, inside)
            elif reference not in done:
                early.setdefault(reference, []).append((name, step_id))
            elif not before & bits[reference]:
                yield _unordered(graph, step_id, name, reference)
        done.add(step_id)


def _ancestry(plan: Plan, graph: Graph, bits: Mapping[StepId, int]) -> Iterator[tuple[StepId, int]]:
    """Each step in running order with a bit for each step before it; sets are let go as soon as no one needs them."""
    following: dict[StepId, list[StepId]] = {}
    for source, target in order_pairs(plan, graph):
        following.setdefault(source, []).append(target)
    before = dict.fromkeys(graph.steps, 0)
    for step_id in topological_order(plan, graph):
        mask = before.pop(step_id)
        yield step_id, mask
        mask |= bits[step_id]
        for target in following.get(step_id, ()):
            if target in before:
                before[target] |= mask


def _loop_left(graph: Graph, reference: StepId, around: list[StepId]) -> StepId | None:
    """The outermost loop that holds the referenced step but not the reader."""
    left = [loop for loop in graph.parents(reference) if loop not in around]
    return left[-1] if left else None


def _later(graph: Graph, step: StepId, name: str, reference: StepId) -> Problem:
    sentence = f"“{graph.label(step)}” reads the result of “{graph.label(reference)}”, which only runs after it."
    return error(step, name, sentence, "plan.reference_later")


def _unfinished(graph: Graph, step: StepId, name: str, reference: StepId) -> Problem:
    reason = "itself" if step == reference else f"“{graph.label(reference)}”, the loop it is in, before that has ended"
    return error(step, name, f"“{graph.label(step)}” reads the result of {reason}.", "plan.reference_later")


def _inside(graph: Graph, step: StepId, name: str, reference: StepId, loop: StepId) -> Problem:
    if step == loop:
        sentence = (
            f"“{graph.label(step)}” reads “{graph.label(reference)}”, which runs inside it. Read item instead: what "
            "the turn before gave."
        )
        return error(step, name, sentence, "plan.reference_inside_loop")
    sentence = (
        f"“{graph.label(step)}” reads “{graph.label(reference)}”, which runs once for each item of "
        f"“{graph.label(loop)}”. Read steps.{loop}.output.results instead."
    )
    return error(step, name, sentence, "plan.reference_inside_loop")


def _unordered(graph: Graph, step: StepId, name: str, reference: StepId) -> Problem:
    sentence = (
        f"“{graph.label(step)}” reads the result of “{graph.label(reference)}”, but nothing makes that run first. "
        "Connect them in this order."
    )
    return warning(step, name, sentence, "plan.reference_unordered")
