"""Step ids inside expression texts: renames them without compiling anything."""

import re
from collections.abc import Mapping

from flowstudio.plan.evaluation.braces import map_blocks
from flowstudio.plan.model import Json, Step, StepId

_MENTION = re.compile(
    r"""
    (?<![\w.])(?P<root>steps|loops)
    (?: (?P<dot>\s*\.\s*)(?P<name>[a-z][a-z0-9_]*)(?!\w)
      | (?P<open>\s*\[\s*)(?P<quote>['"])(?P<key>[a-z][a-z0-9_]*)(?P=quote) )
    | "(?:\\.|[^"\\])*"? | '(?:\\.|[^'\\])*'?      # other texts are skipped whole, to the end if they never close
    """,
    re.VERBOSE | re.DOTALL,
)


def renamed(value: Json, names: Mapping[StepId, StepId]) -> Json:
    """The value with every `steps.<old>` and `loops.<old>` inside {{ }} and {% %} saying the new id.

    Returns the same object when nothing in it changed.
    """
    if isinstance(value, str):
        text = map_blocks(value, lambda block: _rename(block, names)) if "{" in value else value
        return value if text == value else text
    if isinstance(value, list):
        entries = [renamed(each, names) for each in value]
        return value if all(new is old for new, old in zip(entries, value, strict=True)) else entries
    if isinstance(value, dict):
        members = {key: renamed(each, names) for key, each in value.items()}
        return value if all(members[key] is value[key] for key in value) else members
    return value


def renamed_params(step: Step, names: Mapping[StepId, StepId]) -> Mapping[str, Json]:
    """Like `renamed` for all params; the condition of an if or a while is an expression without braces, too."""
    params = {name: renamed(value, names) for name, value in step.params.items()}
    condition = params.get("condition")
    if step.kind.asks_condition and isinstance(condition, str) and "{{" not in condition:
        params["condition"] = _rename(condition, names)
    return step.params if params == step.params else params


def _rename(text: str, names: Mapping[StepId, StepId]) -> str:
    def replace(mention: re.Match[str]) -> str:
        if mention["name"] in names:
            return f"{mention['root']}{mention['dot']}{names[mention['name']]}"
        if mention["key"] in names:
            return f"{mention['root']}{mention['open']}{mention['quote']}{names[mention['key']]}{mention['quote']}"
        return mention.group()

    return _MENTION.sub(replace, text)
