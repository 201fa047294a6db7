"""The old service's plans (an array of steps run in order) as graphs, and back without loss.

A condition step leaves by `true` to the next entry and by `false` to its `else_jump`; a loop step becomes a loop with
one step in its body. `ordinals` keeps the order that `step_N` references count.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from flowstudio.plan.editing.ids import unused
from flowstudio.plan.errors import DocumentError
from flowstudio.plan.graph import Graph, topological_order
from flowstudio.plan.model import Edge, Json, Plan, Step, StepId, StepKind, Trigger, ports_of
from flowstudio.plan.reading.legacy_steps import (
    HINT,
    action_entry,
    action_from,
    condition_entry,
    condition_from,
    form_of,
    hint_of,
    loop_entry,
    loop_from,
)
from flowstudio.plan.reading.legacy_triggers import trigger_from_legacy, trigger_to_legacy
from flowstudio.plan.reading.reader import MAX_VALUE_DEPTH, check_json, wrong_type

__all__ = ["from_legacy", "to_legacy", "trigger_from_legacy", "trigger_to_legacy"]

TRIGGER_OFFSET = "legacy_trigger_offset"
"""Key in Plan.extra: true where `step_1` is the trigger's data whenever the run has some."""

LEFT, TOP, STRIDE, LOOP_STRIDE = 80.0, 120.0, 280.0, 400.0
"""The row of cards, in scene pixels; a loop's container is wider than a card."""

_OF_THE_INSTALLATION = frozenset(
    {"user_id", "status", "enabled", "required_providers", "missing_auth", "created_at", "updated_at", "approved_at"}
)
_READ = frozenset({"id", "name", "description", "plan_json", "steps", "trigger"})


def from_legacy(document: Mapping[str, Json]) -> Plan:
    """A plan in API.md's shape; `steps` may stand for `plan_json`, which may be an object with `steps`.

    Raises DocumentError naming the place.
    """
    check_json(document, "", MAX_VALUE_DEPTH)  # an entry sinks some levels when it becomes a step with its hints
    entries, wrapping = _entries(document)
    steps, ordinals = _steps(entries)
    rest = {key: value for key, value in document.items() if key not in _READ | _OF_THE_INSTALLATION}
    extra: dict[str, Json] = {key: rest.pop(key) for key in (TRIGGER_OFFSET,) if key in rest}
    if rest or wrapping:
        extra[HINT] = {**rest, **({"plan_json": wrapping} if wrapping else {})}
    trigger = document.get("trigger")
    return Plan(
        id=_text(document, "id") or f"plan_{_digest(entries)}",
        name=_text(document, "name") or "Untitled plan",
        description=_text(document, "description"),
        steps=tuple(steps),
        edges=tuple(_edges(steps, ordinals, entries)),
        triggers=() if trigger is None else (_trigger(trigger),),
        ordinals=tuple(ordinals),
        extra=extra,
    )


def _text(document: Mapping[str, Json], key: str) -> str:
    value = document.get(key)
    if value is not None and not isinstance(value, str):
        raise wrong_type(key, "a text", value)
    return value or ""


def _digest(entries: Sequence[Json]) -> str:
    """A stable id for a plan that has none: the same array is the same plan."""
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()[:12]


def _trigger(document: Json) -> Trigger:
    if not isinstance(document, dict):
        raise wrong_type("trigger", "an object", document)
    try:
        return trigger_from_legacy(document)
    except ValueError:
        raise DocumentError(
            f"trigger.type is “{document.get('type')}”; it must be manual, webhook, schedule or event.",
            where="trigger.type",
        ) from None


def _entries(document: Mapping[str, Json]) -> tuple[list[dict[str, Json]], dict[str, Json]]:
    """The array, and the keys of an object around it."""
    where = "steps" if "steps" in document else "plan_json"
    value = document.get(where, [])
    wrapping: dict[str, Json] = {}
    if isinstance(value, dict):
        wrapping = {key: each for key, each in value.items() if key != "steps"}
        where, value = f"{where}.steps", value.get("steps", [])
    if not isinstance(value, list):
        raise wrong_type(where, "a list of steps", value)
    entries: list[dict[str, Json]] = []
    for index, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise wrong_type(f"{where}[{index}]", "an object", entry)
        entries.append(entry)
    return entries, wrapping


def _steps(entries: Sequence[Mapping[str, Json]]) -> tuple[list[Step], list[StepId]]:
    """All steps, and for each entry the id of the step it is."""
    steps: list[Step] = []
    ordinals: list[StepId] = []
    taken: set[StepId] = set()
    x = LEFT

    def fresh(wanted: str) -> StepId:
        taken.add(step_id := unused(taken, wanted))
        return step_id

    for index, entry in enumerate(entries):
        form = entry.get("type")
        action = entry.get("action_id", entry.get("action"))
        wanted = action if isinstance(action, str) else "step"
        if form == "loop":
            made = loop_from(entry, fresh(f"each_{wanted}"), fresh(wanted), x, TOP, index)
        elif form == "condition":
            has_edge = _jump(entry, len(entries)) is not None
            kept = {key: value for key, value in entry.items() if key != "else_jump" or not has_edge}
            made = [condition_from(kept, fresh("condition"), x, TOP, index)]
        else:
            made = [action_from(entry, fresh(wanted), x, TOP, index)]
        steps += made
        ordinals.append(made[0].id)
        x += LOOP_STRIDE if made[0].kind.holds_steps else STRIDE
    return steps, ordinals


def _edges(steps: Sequence[Step], ordinals: Sequence[StepId], entries: Sequence[Mapping[str, Json]]) -> list[Edge]:
    by_id = {step.id: step for step in steps}
    edges = [Edge(step.parent, "body", step.id) for step in steps if step.parent is not None]
    for index, step_id in enumerate(ordinals):
        step = by_id[step_id]
        port = next((port.name for port in ports_of(step) if not port.container), None)
        if port is not None and index + 1 < len(ordinals):
            edges.append(Edge(step_id, port, ordinals[index + 1]))
        jump = _jump(entries[index], len(ordinals))
        if jump is not None and entries[index].get("type") == "condition":
            edges.append(Edge(step_id, "false", ordinals[jump]))
    return edges


def _jump(entry: Mapping[str, Json], count: int) -> int | None:
    """A jump past the end, or to nothing, ends the run: no edge."""
    jump = entry.get("else_jump")
    return jump if isinstance(jump, int) and not isinstance(jump, bool) and 0 <= jump < count else None


def to_legacy(plan: Plan) -> list[dict[str, Json]]:
    """The array of a plan: exactly what from_legacy read, as long as nothing changed; else the best an array can say.

    Branches that meet again, switches and bodies of several steps come in an order in which they could run.
    """
    rows = _rows(plan)
    position = {step.id: index for index, row in enumerate(rows) for step in row}
    jumps = {
        edge.source: position[edge.target] for edge in plan.edges if edge.port == "false" and edge.target in position
    }
    entries = [_entry(row, jumps.get(row[0].id)) for row in rows]
    if any(hint_of(row[0]).get("index") != index for index, row in enumerate(rows)):
        for index, entry in enumerate(entries):
            entry["order"] = index + 1
    return entries


def _rows(plan: Plan) -> list[tuple[Step, ...]]:
    """The steps in the array's order; a loop and the one action of its body share a row."""
    by_id = {step.id: step for step in plan.steps}
    bodies: dict[StepId, list[Step]] = {}
    for step in plan.steps:
        if step.parent is not None:
            bodies.setdefault(step.parent, []).append(step)
    order = _array_order(plan, by_id)
    folded = {
        loop
        for loop, body in bodies.items()
        if len(body) == 1 and body[0].kind is StepKind.ACTION and loop in by_id and by_id[loop].kind is StepKind.LOOP
    }
    rows: list[tuple[Step, ...]] = []
    for step_id in order:
        step = by_id[step_id]
        if step_id in folded:
            rows.append((step, bodies[step_id][0]))
        elif step.parent not in folded:
            rows.append((step,))
    return rows


def _array_order(plan: Plan, by_id: Mapping[StepId, Step]) -> list[StepId]:
    """The order it was read in, unless steps came or went or were wired to run otherwise."""
    top = {step.id for step in plan.steps if step.parent is None}
    position = {step_id: index for index, step_id in enumerate(plan.ordinals)}
    is_kept = position.keys() == top and all(
        position[edge.source] < position[edge.target]
        for edge in plan.edges
        if edge.port != "false" and edge.source in top and edge.target in top
    )
    if not is_kept:
        return topological_order(plan, Graph(plan))
    bodies: dict[StepId | None, list[StepId]] = {}
    for step in plan.steps:
        bodies.setdefault(step.parent, []).append(step.id)
    order: list[StepId] = []
    waiting = list(reversed(plan.ordinals))
    while waiting:
        step_id = waiting.pop()
        order.append(step_id)
        waiting += reversed(bodies.get(step_id, ()))
    return order


def _entry(row: tuple[Step, ...], jump: int | None) -> dict[str, Json]:
    form = form_of(row[0])
    if form == "condition":
        return condition_entry(row[0], jump)
    if form == "loop":
        return loop_entry(row[0], row[1] if len(row) == 2 else None)
    return action_entry(row[0])
