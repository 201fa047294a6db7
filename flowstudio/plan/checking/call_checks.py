"""Problems of calls between plans and from outside: a plan that runs itself, names of `run` that lead to nothing."""

import re
from collections.abc import Iterator

from flowstudio.plan.checking.problems import Problem, warning
from flowstudio.plan.checking.spelling import closest
from flowstudio.plan.evaluation.braces import blocks
from flowstudio.plan.evaluation.scope import RESUME_URL, RUN_FIELDS
from flowstudio.plan.model import AWAITED_CALL, Json, Plan, Step, StepKind

_RUN_FIELD = re.compile(
    r"""
    (?<![\w.])run\s*\.\s*(?P<name>[A-Za-z_]\w*)
    | "(?:\\.|[^"\\])*"? | '(?:\\.|[^'\\])*'?      # texts are skipped whole, to the end if they never close
    """,
    re.VERBOSE | re.DOTALL,
)


def call_problems(plan: Plan) -> Iterator[Problem]:
    is_called = any((step.provider, step.action) == AWAITED_CALL for step in plan.steps)
    for step in plan.steps:
        if step.kind is StepKind.SUBPLAN and step.params.get("plan") == plan.id:
            sentence = (
                f"“{step.label}” runs this very plan. Unless a condition stops it, it goes on until the limit of "
                "calls inside calls."
            )
            yield warning(step.id, "plan", sentence, "plan.calls_itself")
        yield from _run_field_problems(step, is_called)


def _run_field_problems(step: Step, is_called: bool) -> Iterator[Problem]:
    for field, value in step.params.items():
        for name in sorted({name for text in _texts(value) for name in _run_fields(text)}):
            if name == RESUME_URL and not is_called:
                sentence = (
                    f"“{step.label}” reads run.{RESUME_URL}, but no step of this plan waits for a call, so there is "
                    "no such address. Add “Wait for a call”."
                )
                yield warning(step.id, field, sentence, "plan.nothing_to_resume")
            elif name not in RUN_FIELDS:
                hint = closest(name, RUN_FIELDS) or f"A run has {', '.join(RUN_FIELDS)}."
                sentence = f"“{step.label}” reads run.{name}, which does not exist. {hint}"
                yield warning(step.id, field, sentence, "plan.unknown_run_field")


def _run_fields(text: str) -> Iterator[str]:
    if "run" not in text:
        return
    for start, end in blocks(text):
        for mention in _RUN_FIELD.finditer(text[start:end]):
            if mention["name"] is not None:
                yield mention["name"]


def _texts(value: Json) -> Iterator[str]:
    waiting: list[Json] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            waiting += [*each, *each.values()]
