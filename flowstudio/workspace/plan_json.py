"""The Plan shape of the HTTP contract, to and from PlanRecord. Unknown keys are kept and returned."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flowstudio.plan.document import FORMAT_KEY, from_document
from flowstudio.plan.legacy import from_legacy, to_legacy, trigger_from_legacy, trigger_to_legacy
from flowstudio.plan.model import Json, Plan, PlanSettings, Trigger, TriggerKind
from flowstudio.plan.reading.parts import settings_from_json, settings_to_json
from flowstudio.workspace.errors import BadRequestError
from flowstudio.workspace.ports import PlanRecord

STATUSES = ("draft", "approved", "rejected", "active", "paused", "archived")

_TYPES: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "description": (str, type(None)),
    "original_prompt": (str, type(None)),
    "plan_json": (list, dict),
    "plain_english_steps": (list, type(None)),
    "status": (str,),
    "trigger": (dict, type(None)),
    "enabled": (bool,),
    "legacy_trigger_offset": (bool,),
    "approved_at": (str, type(None)),
    "settings": (dict, type(None)),
}
_OWN = frozenset(
    {*_TYPES, "id", "user_id", "steps", "required_providers", "missing_auth", "created_at", "updated_at", "revision"}
)
_GRAPH = ("plan_json", "steps", "legacy_trigger_offset")
_BESIDE_FLOW = ("original_prompt", "plain_english_steps", "status", "enabled", "approved_at")
"""Keys of a stored plan that a `.flow` document has no place for."""
_TYPE_NAMES: Mapping[type, str] = {str: "text", list: "a list", dict: "an object", bool: "true or false"}


def new_record(user_id: str, plan_id: str, doc: Mapping[str, Any], now: datetime) -> PlanRecord:
    """A record of a plan a client sent. Raises BadRequestError naming the field, PlanError for an unreadable plan."""
    check_types(doc)
    graph = _flow_document(doc)
    if graph is None:
        if not str(doc.get("name") or "").strip():
            doc = {**doc, "name": str(doc.get("original_prompt") or "")[:80].strip() or "Untitled plan"}
        plan = _with_settings(from_legacy({"plan_json": [], **_plan_part(doc), "id": plan_id}), doc)
    else:
        doc = _without_graph(doc)
        plan = _with_plain_fields(replace(from_document(graph), id=plan_id), doc)
    record = PlanRecord(plan_id, user_id, plan, created_at=now, updated_at=now)
    return _with_record_part(record, doc, now)


def changed_record(record: PlanRecord, doc: Mapping[str, Any], now: datetime) -> PlanRecord:
    """The record with any subset of a plan's keys replaced; a graph that was not sent stays as it is drawn."""
    check_types(doc)
    plan = record.plan
    graph = _flow_document(doc)
    if graph is not None:
        doc = _without_graph(doc)
        plan = _with_plain_fields(replace(from_document(graph), id=plan.id), doc)
    elif doc.get("plan_json") == to_legacy(plan) and "legacy_trigger_offset" not in doc:
        # A client sends back the array it was shown: what an array cannot say of the graph is not to be lost by that.
        plan = _with_plain_fields(plan, doc)
    elif any(key in doc for key in _GRAPH):
        current = {**_plan_document(plan), **_plan_part(doc), "id": plan.id}
        current.pop("settings", None)
        plan = _with_other_triggers(replace(from_legacy(current), settings=plan.settings), plan)
        plan = _with_settings(plan, doc)
    else:
        plan = _with_plain_fields(plan, doc)
    record = replace(record, plan=plan, updated_at=now, revision=record.revision + 1)
    return _with_record_part(record, doc, now)


def _flow_document(doc: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The `.flow` document a client sent, as the whole body or as its `plan_json`; None for the old array."""
    if FORMAT_KEY in doc:
        return doc
    graph = doc.get("plan_json")
    return graph if isinstance(graph, dict) and FORMAT_KEY in graph else None


def _without_graph(doc: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the body says beside the graph: of a bare `.flow` document nothing, since all of it is the plan."""
    if FORMAT_KEY in doc:
        return {key: doc[key] for key in _BESIDE_FLOW if key in doc}
    return {key: value for key, value in doc.items() if key not in _GRAPH}


def with_trigger(plan: Plan, doc: Mapping[str, Any] | None) -> Plan:
    """The plan with its first trigger (the one the contract knows) replaced or, for None, removed."""
    if doc is None:
        return replace(plan, triggers=plan.triggers[1:])
    old = plan.triggers[0] if plan.triggers else None
    return replace(plan, triggers=(read_trigger(doc, old), *plan.triggers[1:]))


def read_trigger(doc: Mapping[str, Any], old: Trigger | None = None) -> Trigger:
    """Either trigger dialect; keeps the id of the trigger it replaces, since addresses and runs refer to it."""
    try:
        trigger = trigger_from_legacy(dict(doc))
    except (ValueError, KeyError) as error:
        kinds = ", ".join(TriggerKind)
        raise BadRequestError(
            "`trigger.type` is not a kind of trigger.", fix=f"Use one of {kinds}.", facts={"field": "trigger.type"}
        ) from error
    return replace(trigger, id=old.id) if old is not None else trigger


def as_json(record: PlanRecord, required: Sequence[str], missing: Sequence[str]) -> dict[str, Json]:
    """The Plan shape. required, missing: computed provider names."""
    plan = record.plan
    document: dict[str, Json] = dict(record.extra)
    document.update(
        _plan_document(plan),
        user_id=record.user_id,
        original_prompt=record.original_prompt,
        plain_english_steps=list(record.plain_english_steps),
        status=record.status,
        required_providers=list(required),
        missing_auth=list(missing),
        enabled=record.enabled,
        created_at=iso(record.created_at),
        updated_at=iso(record.updated_at),
        approved_at=iso(record.approved_at),
    )
    return document


def check_types(doc: Mapping[str, Any]) -> None:
    for key, types in _TYPES.items():
        if key in doc and not isinstance(doc[key], types):
            wanted = " or ".join(_TYPE_NAMES[each] for each in types if each in _TYPE_NAMES)
            raise BadRequestError(f"`{key}` must be {wanted}.", facts={"field": key})
    status = doc.get("status")
    if status is not None and status not in STATUSES:
        raise BadRequestError(f"`status` must be one of {', '.join(STATUSES)}.", facts={"field": "status"})
    for index, line in enumerate(doc.get("plain_english_steps") or ()):
        if not isinstance(line, str):
            field = f"plain_english_steps[{index}]"
            raise BadRequestError(f"`{field}` must be text.", facts={"field": field})


def iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _plan_document(plan: Plan) -> dict[str, Json]:
    """The graph as the old array, the first trigger, name, description, and the settings that differ from usual."""
    document: dict[str, Json] = {
        "id": plan.id,
        "name": plan.name,
        "description": plan.description,
        "plan_json": [*to_legacy(plan)],
        "trigger": trigger_to_legacy(plan.triggers[0]) if plan.triggers else None,
    }
    if plan.extra.get("legacy_trigger_offset") is True:
        document["legacy_trigger_offset"] = True
    if plan.settings != PlanSettings():
        document["settings"] = settings_to_json(plan.settings)
    return document


def _plan_part(doc: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("name", "description", "plan_json", "steps", "trigger", "legacy_trigger_offset")
    part = {key: doc[key] for key in keys if key in doc}
    if part.get("description", "") is None:
        part["description"] = ""
    if part.get("trigger", {}) is None:
        del part["trigger"]
    if isinstance(part.get("trigger"), dict):
        read_trigger(part["trigger"])
    return part


def _with_plain_fields(plan: Plan, doc: Mapping[str, Any]) -> Plan:
    if "trigger" in doc:
        plan = with_trigger(plan, doc["trigger"])
    if "name" in doc and doc["name"].strip():
        plan = replace(plan, name=doc["name"])
    if "description" in doc:
        plan = replace(plan, description=doc["description"] or "")
    return _with_settings(plan, doc)


def _with_settings(plan: Plan, doc: Mapping[str, Any]) -> Plan:
    """What is left out of `settings` has its default; a body without them leaves them as they are."""
    if "settings" not in doc:
        return plan
    return replace(plan, settings=settings_from_json(doc["settings"] or {}, "settings"))


def _with_other_triggers(new: Plan, old: Plan) -> Plan:
    """The contract shows one trigger; those it does not show survive a new graph, and the first keeps its id."""
    first = new.triggers[:1]
    if first and old.triggers:
        first = (replace(first[0], id=old.triggers[0].id),)
    return replace(new, triggers=(*first, *old.triggers[1:]))


def _with_record_part(record: PlanRecord, doc: Mapping[str, Any], now: datetime) -> PlanRecord:
    status = doc.get("status", record.status)
    approved = record.approved_at
    if doc.get("approved_at"):
        approved = _moment(doc["approved_at"], "approved_at")
    elif status == "approved" and record.status != "approved":
        approved = now
    return replace(
        record,
        status=status,
        enabled=doc.get("enabled", record.enabled),
        original_prompt=doc.get("original_prompt", record.original_prompt) or "",
        plain_english_steps=tuple(doc.get("plain_english_steps", record.plain_english_steps) or ()),
        approved_at=approved,
        extra={**record.extra, **{key: value for key, value in doc.items() if key not in _OWN}},
    )


def _moment(text: str, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError(
            f"`{field}` must be an ISO time such as 2025-01-31T09:00:00Z.", facts={"field": field}
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
