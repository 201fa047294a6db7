"""Problems of the language's own steps: params that could never be used, and steps where they make no sense."""

from collections import Counter
from collections.abc import Iterator, Mapping

from flowstudio.plan.checking.problems import Problem, error, warning
from flowstudio.plan.graph import Graph
from flowstudio.plan.model import Json, Step, StepKind, case_names, ports_of

MERGE_MODES = ("all", "append", "combine_by_key", "combine_by_position", "first", "any")
_KEEPS: Mapping[str, tuple[str, ...]] = {
    "combine_by_key": ("all", "matched"),
    "combine_by_position": ("longest", "shortest"),
}
_BOUNDS: Mapping[StepKind, Mapping[str, tuple[int, int]]] = {
    StepKind.LOOP: {"max_iterations": (0, 1_000_000), "parallel": (1, 1000)},
    StepKind.WHILE: {"max_iterations": (0, 1_000_000)},
}


def flow_problems(step: Step, graph: Graph) -> Iterator[Problem]:
    if step.kind is StepKind.SWITCH:
        yield from _switch_problems(step)
    elif step.kind is StepKind.MERGE:
        yield from _merge_problems(step)
    elif step.kind.ends_item and not any(graph.steps[each].kind.holds_steps for each in _around(step, graph)):
        sentence = f"“{step.label}” is not inside a loop, so there is no item to end. Move it into a loop."
        yield error(step.id, "parent", sentence, "plan.outside_loop")
    elif step.kind.holds_steps:
        yield from _loop_problems(step, graph)


def _around(step: Step, graph: Graph) -> list[str]:
    return [each for each in graph.parents(step.id) if each in graph.steps]


def _loop_problems(step: Step, graph: Graph) -> Iterator[Problem]:
    for name, (low, high) in _BOUNDS[step.kind].items():
        value = step.params.get(name)
        if _is_fixed(value) and not _is_whole(value, low, high):
            sentence = f"“{name}” of “{step.label}” takes whole numbers from {low} to {high}."
            yield error(step.id, name, sentence, "plan.bad_param")
    items = step.params.get("items")
    if step.kind is StepKind.LOOP and isinstance(items, bool | int | float):
        sentence = f"“items” of “{step.label}” is {items}; a loop needs a list. Give it one, or use range(…)."
        yield error(step.id, "items", sentence, "plan.bad_param")
    if step.id not in graph.holders:
        title = ports_of(step)[0].title
        sentence = f"“{step.label}” has no body: it has nothing to do. Put steps inside it and connect “{title}”."
        yield warning(step.id, None, sentence, "plan.no_body")


def _merge_problems(step: Step) -> Iterator[Problem]:
    mode = step.params.get("mode", "all")
    if not _is_fixed(mode):
        return
    if mode not in MERGE_MODES:
        sentence = f"“{mode}” is no way to merge. “{step.label}” can {', '.join(MERGE_MODES)}."
        yield error(step.id, "mode", sentence, "plan.bad_param")
    elif mode == "combine_by_key" and not step.params.get("key"):
        sentence = f"“{step.label}” joins rows by a key and needs its name. Fill in “key”."
        yield error(step.id, "key", sentence, "plan.missing_param")
    keep = step.params.get("keep")
    allowed = _KEEPS.get(str(mode), ())
    if keep and allowed and _is_fixed(keep) and keep not in allowed:
        sentence = f"“keep” of “{step.label}” is “{keep}”; with {mode} it is {' or '.join(allowed)}."
        yield error(step.id, "keep", sentence, "plan.bad_param")


def _switch_problems(step: Step) -> Iterator[Problem]:
    names = case_names(step)
    cases = step.params.get("cases")
    if not names:
        sentence = f"“{step.label}” has no cases, so everything leaves by “Otherwise”. Add a case."
        yield error(step.id, "cases", sentence, "plan.no_cases")
    elif isinstance(cases, list) and len(names) < len(cases):
        yield error(step.id, "cases", f"A case of “{step.label}” has no name.", "plan.unnamed_case")
    for name, count in Counter(names).items():
        if count > 1 or name in ("default", "error"):
            reason = "appears twice" if count > 1 else "is the name of another way out"
            yield error(step.id, "cases", f"The case “{name}” of “{step.label}” {reason}.", "plan.duplicate_case")


def _is_fixed(value: Json) -> bool:
    """Neither absent nor an expression: what it is now it will be in every run."""
    return value is not None and not (isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "${")))


def _is_whole(value: Json, low: int, high: int) -> bool:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return False
    return number is not None and number.is_integer() and low <= number <= high
