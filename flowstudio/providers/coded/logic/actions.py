"""The actions of `logic`: params in, a value out. The engine has rendered every expression already."""

from flowstudio.plan.model import Json
from flowstudio.providers.coded.logic import filtering, grouping, matching, ordering, paths
from flowstudio.providers.coded.params import Params, as_text
from flowstudio.providers.ports import ActionContext
from flowstudio.providers.result import ProviderResult


def transform(ctx: ActionContext) -> ProviderResult:
    """The template as rendered: text stays text (also when it reads as JSON), a whole-value expression its type."""
    return ProviderResult(success=True, output=Params(ctx).raw("template"), message="Template rendered")


def set_fields(ctx: ActionContext) -> ProviderResult:
    """Fields set on one object or on each object of a list; `keep: only` drops all others."""
    params = Params(ctx)
    fields, removed = params.mapping("fields"), params.names("remove")
    only = params.choice("keep", ("all", "only"), "all") == "only"
    source = params.value("input")
    if isinstance(source, list) or (isinstance(source, str) and source.lstrip().startswith("[")):
        records: list[Json] = [_set(record, fields, removed, only) for record in params.records("input")]
        return _listed(records, "changed")
    record = _set(params.mapping("input"), fields, removed, only)
    return ProviderResult(success=True, output=record, message="Fields set")


def filter_items(ctx: ActionContext) -> ProviderResult:
    params = Params(ctx)
    items = params.items("items")
    rules = filtering.rules_from(_documents(params, "rules"))
    kept = filtering.kept(items, rules, match_any=params.choice("combine", ("all", "any"), "all") == "any")
    return ProviderResult(success=True, output=kept, message=f"{len(kept)} of {_count(len(items))} kept")


def sort(ctx: ActionContext) -> ProviderResult:
    params = Params(ctx)
    descending = params.choice("direction", ("ascending", "descending"), "ascending") == "descending"
    keys = ordering.sort_bys(params.names("by"), descending)
    return _listed(ordering.ordered(params.items("items"), keys), "sorted")


def aggregate(ctx: ActionContext) -> ProviderResult:
    params = Params(ctx)
    measures = grouping.measures_from(_documents(params, "measures"))
    groups = grouping.grouped(params.items("items"), params.names("group_by"), measures)
    return ProviderResult(success=True, output=groups, message=f"{len(groups)} group{'s' * (len(groups) != 1)}")


def dedupe(ctx: ActionContext) -> ProviderResult:
    params = Params(ctx)
    items = params.items("items")
    keep_last = params.choice("keep", ("first", "last"), "first") == "last"
    left = ordering.unique(items, params.names("by"), keep_last)
    return ProviderResult(success=True, output=left, message=f"{len(left)} of {_count(len(items))} kept")


def limit(ctx: ActionContext) -> ProviderResult:
    params = Params(ctx)
    skip, count = params.integer("skip", 0), params.integer("count", 10)
    return _listed(params.items("items")[skip : skip + count], "taken")


def match(ctx: ActionContext) -> ProviderResult:
    params = Params(ctx)
    field = params.required_text("field").strip()
    joined = matching.matched(
        params.records("items"),
        params.records("with"),
        field,
        params.text("with_field").strip() or field,
        keep_unmatched=params.flag("keep_unmatched", True),
    )
    return _listed(joined, "matched")


def split(ctx: ActionContext) -> ProviderResult:
    """Text into parts at the separator, or a list into batches of `size`."""
    params = Params(ctx)
    source = params.raw("value")
    if isinstance(source, list):
        return _listed(ordering.batches(source, params.integer("size", 100, minimum=1)), "made")
    parts = params.text("value").split(_unescaped(params.text("separator") or ","))
    if params.flag("trim", True):
        parts = [stripped for part in parts if (stripped := part.strip())]
    result: list[Json] = list(parts)
    return _listed(result, "made")


def join(ctx: ActionContext) -> ProviderResult:
    """The items, or one field of each, as text between separators."""
    params = Params(ctx)
    field, separator = params.text("field").strip(), _unescaped(params.text("separator", ", "))
    items = params.items("items")
    texts = [as_text(paths.read_or_none(item, field) if field else item) for item in items]
    joined = separator.join(texts)
    return ProviderResult(success=True, output=joined, message=f"{_count(len(items))} joined")


def _set(record: Json, fields: dict[str, Json], removed: list[str], only: bool) -> Json:
    result: dict[str, Json] = {} if only or not isinstance(record, dict) else record
    for path, value in fields.items():
        result = paths.written(result, path, value)
    for path in removed:
        result = paths.without(result, path)
    return result


def _documents(params: Params, name: str) -> list[Json]:
    """A list of small objects from a form; absent is empty, one object alone is a list of it."""
    value = params.value(name)
    if value is None or value in ("", [], {}):
        return []
    return [value] if isinstance(value, dict) else params.items(name)


def _unescaped(separator: str) -> str:
    r"""A one-line form field can only write a line break or a tab as \n or \t."""
    return separator.replace("\\r\\n", "\r\n").replace("\\n", "\n").replace("\\t", "\t")


def _listed(items: list[Json], verb: str) -> ProviderResult:
    return ProviderResult(success=True, output=items, message=f"{_count(len(items))} {verb}")


def _count(number: int) -> str:
    return f"{number} item" if number == 1 else f"{number} items"
