"""How a merge step joins what its live branches bring. Pure: values in, a value out.

Raises FlowParamError, which names the param, when one is not usable.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from flowstudio.engine.errors import FlowParamError
from flowstudio.plan.evaluation.deferred import opened
from flowstudio.plan.model import Json, StepId

Row: TypeAlias = dict[str, Json]
MOST_ROWS = 1_000_000
"""Rows a join may give: keys that repeat on both sides multiply."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A live result that reached a merge. sequence: when, within the run."""

    source: StepId
    output: Json
    sequence: int


def merge(params: Mapping[str, Json], arrivals: Sequence[Arrival]) -> Json:
    """What the merge gives. arrivals: in the order of the wires, as an edge's place in the plan says.

    all: {source: output}. append: the outputs as one list, lists laid end to end. any: the first to arrive. first: the
    first in the order of the wires. combine_by_key, combine_by_position: lists of objects joined row by row.
    """
    mode = params.get("mode", "all")
    join = _MODES.get(mode) if isinstance(mode, str) else None
    if join is None:
        raise FlowParamError(f"“mode” is “{mode}”, which is no way to merge.", fix=f"Choose {', '.join(_MODES)}.")
    return join(params, arrivals)


def _all(params: Mapping[str, Json], arrivals: Sequence[Arrival]) -> Json:
    return {each.source: each.output for each in arrivals}


def _append(params: Mapping[str, Json], arrivals: Sequence[Arrival]) -> Json:
    return [entry for each in arrivals for entry in _entries(each.output)]


def _any(params: Mapping[str, Json], arrivals: Sequence[Arrival]) -> Json:
    return min(arrivals, key=lambda arrival: arrival.sequence).output if arrivals else None


def _first(params: Mapping[str, Json], arrivals: Sequence[Arrival]) -> Json:
    return arrivals[0].output if arrivals else None


def _by_position(params: Mapping[str, Json], arrivals: Sequence[Arrival]) -> Json:
    """The first entries of all lists make the first row, and so on. Of objects the members are joined, later ones win;
    any other entry is kept under its step's id."""
    lists = [(each.source, _entries(each.output)) for each in arrivals if each.output is not None]
    lengths = [len(entries) for _, entries in lists] or [0]
    count = min(lengths) if _keep(params, "longest", "shortest") == "shortest" else max(lengths)
    rows: list[Json] = []
    for index in range(count):
        row: Row = {}
        for source, entries in lists:
            if index < len(entries):
                entry = opened(entries[index])
                row.update(entry if isinstance(entry, dict) else {source: entry})
        rows.append(row)
    return rows


def _by_key(params: Mapping[str, Json], arrivals: Sequence[Arrival]) -> Json:
    """Branch by branch, each row so far is joined with every row of the next that has the same key; later members win.

    keep "all": rows without a partner stay, in their order, those of the later branch at the end. "matched": they go.
    """
    name = params.get("key")
    if not isinstance(name, str) or not name.strip():
        raise FlowParamError("“key” is empty; rows are joined by the key it names.", fix="Fill in “key”.")
    keeps_all = _keep(params, "all", "matched") == "all"
    joined: list[Row] = []
    for position, arrival in enumerate(arrivals):
        rows = _rows(arrival)
        joined = _join(joined, rows, name.strip(), keeps_all) if position else rows
        if len(joined) > MOST_ROWS:
            raise FlowParamError(
                f"Joining by “{name}” gives more than {MOST_ROWS:,} rows: the same keys repeat in several branches.",
                fix="Join by a key that is different for every row.",
            )
    return list(joined)


def _join(left: Sequence[Row], right: Sequence[Row], name: str, keeps_all: bool) -> list[Row]:
    partners: dict[str, list[Row]] = {}
    for row in right:
        key = _key_of(row, name)
        if key is not None:
            partners.setdefault(key, []).append(row)
    joined: list[Row] = []
    met: set[str] = set()
    for row in left:
        key = _key_of(row, name)
        found = partners.get(key, ()) if key is not None else ()
        if found and key is not None:
            met.add(key)
            joined.extend({**row, **partner} for partner in found)
            if len(joined) > MOST_ROWS:
                return joined
        elif keeps_all:
            joined.append(row)
    if keeps_all:
        joined.extend(row for row in right if _key_of(row, name) not in met)
    return joined


def _key_of(row: Row, name: str) -> str | None:
    """A row's key as text, so that 7, 7.0 and "7" meet; None when it has none. Dots lead into members."""
    value: Json = row
    for part in [name] if name in row else name.split("."):
        value = opened(value.get(part)) if isinstance(value, dict) else None
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _rows(arrival: Arrival) -> list[Row]:
    rows: list[Row] = []
    for entry in map(opened, _entries(arrival.output)) if arrival.output is not None else ():
        if not isinstance(entry, dict):
            raise FlowParamError(
                f"What “{arrival.source}” brings holds something that is no object, so it has no key to be joined by.",
                fix="Let every branch bring a list of objects, or combine by position.",
            )
        rows.append(entry)
    return rows


def _entries(output: Json) -> list[Json]:
    """A list's entries; anything else counts as a list of one."""
    entries = opened(output)
    return entries if isinstance(entries, list) else [entries]


def _keep(params: Mapping[str, Json], default: str, other: str) -> str:
    keep = params.get("keep") or default
    if keep not in (default, other):
        raise FlowParamError(f"“keep” is “{keep}”; here it is {default} or {other}.", fix="Change “keep”.")
    return str(keep)


_MODES: Mapping[str, Callable[[Mapping[str, Json], Sequence[Arrival]], Json]] = {
    "all": _all,
    "append": _append,
    "combine_by_key": _by_key,
    "combine_by_position": _by_position,
    "first": _first,
    "any": _any,
}
