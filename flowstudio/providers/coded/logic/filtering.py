"""Rules that decide which items stay: a field, an operator and a value, combined by all or any."""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flowstudio.plan.model import Json
from flowstudio.providers.coded.logic.comparing import equal, order
from flowstudio.providers.coded.logic.paths import read_or_none
from flowstudio.providers.coded.params import as_text
from flowstudio.providers.errors import BadParamError

Test = Callable[[Json, Json], bool]


def _contains(left: Json, right: Json) -> bool:
    """A list holds the item, an object the key, a text the text (whatever its case)."""
    if isinstance(left, list):
        return any(equal(each, right) for each in left)
    if isinstance(left, dict):
        return as_text(right) in left
    return as_text(right).casefold() in as_text(left).casefold()


def _is_in(left: Json, right: Json) -> bool:
    """The value is one of a list, or of comma-separated text."""
    options = right if isinstance(right, list) else [part.strip() for part in as_text(right).split(",")]
    return any(equal(left, each) for each in options)


def _ordered(*signs: int) -> Test:
    return lambda left, right: order(left, right) in signs


def _like(left: Json, right: Json) -> bool:
    """Wildcards: * any text, ? one character; whatever the case. No regular expressions: some of those never end."""
    return fnmatch.fnmatchcase(as_text(left).casefold(), as_text(right).casefold())


OPERATORS: Mapping[str, Test] = {
    "equals": equal,
    "not_equals": lambda left, right: not equal(left, right),
    "contains": _contains,
    "not_contains": lambda left, right: not _contains(left, right),
    "starts_with": lambda left, right: as_text(left).casefold().startswith(as_text(right).casefold()),
    "ends_with": lambda left, right: as_text(left).casefold().endswith(as_text(right).casefold()),
    "like": _like,
    "greater": _ordered(1),
    "greater_or_equal": _ordered(0, 1),
    "less": _ordered(-1),
    "less_or_equal": _ordered(-1, 0),
    "in": _is_in,
    "not_in": lambda left, right: not _is_in(left, right),
    "is_empty": lambda left, _: left in (None, "", [], {}),
    "is_not_empty": lambda left, _: left not in (None, "", [], {}),
    "is_true": lambda left, _: equal(left, True),
    "is_false": lambda left, _: equal(left, False),
}
"""Operator -> test of the item's value against the rule's. A missing field is tested as null."""

SIGNS: Mapping[str, str] = {
    "=": "equals",
    "==": "equals",
    "!=": "not_equals",
    ">": "greater",
    ">=": "greater_or_equal",
    "<": "less",
    "<=": "less_or_equal",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """field: a dotted path, "" for the item itself."""

    field: str
    operator: str
    value: Json = None

    def holds(self, item: Json) -> bool:
        found = read_or_none(item, self.field) if self.field else item
        return OPERATORS[self.operator](found, self.value)


def rules_from(documents: Sequence[Json]) -> list[Rule]:
    """Rules as a form or a plan file writes them: [{"field", "operator", "value"}]. Raises BadParamError."""
    return [_rule(document, position) for position, document in enumerate(documents, start=1)]


def kept(items: Sequence[Json], rules: Sequence[Rule], match_any: bool = False) -> list[Json]:
    """The items that satisfy all rules (or any of them), in their order. No rules keep everything."""
    if not rules:
        return list(items)
    combine = any if match_any else all
    return [item for item in items if combine(rule.holds(item) for rule in rules)]


def _rule(document: Json, position: int) -> Rule:
    if not isinstance(document, dict):
        raise BadParamError(f"Rule {position} of the filter must be an object with field, operator and value.")
    name = as_text(document.get("operator", "equals")).strip().lower().replace(" ", "_")
    operator = SIGNS.get(name, name)
    if operator not in OPERATORS:
        raise BadParamError(
            f"Rule {position} of the filter has the operator '{name}', which does not exist.",
            fix=f"Use one of: {', '.join(OPERATORS)}.",
        )
    return Rule(as_text(document.get("field")).strip(), operator, document.get("value"))
