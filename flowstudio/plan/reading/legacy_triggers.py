"""The old service's triggers, both dialects: {"type", "config": {...}} and {"type": "cron", "cron_expression"}."""

from collections.abc import Mapping

from flowstudio.plan.model import Json, Trigger, TriggerKind
from flowstudio.plan.reading.legacy_steps import HINT

_CONFIG_KEYS = frozenset(
    {"webhook_path", "webhook_secret", "cron_expression", "timezone", "event_source", "event_type"}
)
_TRIGGER_ID = "trigger"


def trigger_from_legacy(document: Mapping[str, Json]) -> Trigger:
    """Raises ValueError when the type is not one of manual, webhook, schedule, event or cron."""
    config = document.get("config")
    inner: dict[str, Json] = dict(config) if isinstance(config, dict) else {}
    outer = [key for key in document if key in _CONFIG_KEYS and key not in inner]
    hint: dict[str, Json] = {key: document[key] for key in ("type",) if key in document}
    if outer:
        hint["outer"] = [*sorted(outer)]
    if isinstance(config, dict):
        hint["config"] = True
    taken = {"type", *outer} | ({"config"} if isinstance(config, dict) else set())
    extra = {key: value for key, value in document.items() if key not in taken}
    merged = {**inner, **{key: document[key] for key in outer}}
    return Trigger(_TRIGGER_ID, _kind(document.get("type"), merged), merged, extra={HINT: hint, **_shelved(extra)})


def _kind(name: Json, config: Mapping[str, Json]) -> TriggerKind:
    if name == "cron":
        return TriggerKind.SCHEDULE
    if name is None:
        if "cron_expression" in config:
            return TriggerKind.SCHEDULE
        return TriggerKind.WEBHOOK if "webhook_path" in config else TriggerKind.MANUAL
    return TriggerKind(str(name))


def _shelved(extra: dict[str, Json]) -> dict[str, Json]:
    """Unknown keys stand apart, so that an unknown "id" or "kind" does not meet the trigger's own."""
    return {"legacy_rest": extra} if extra else {}


def trigger_to_legacy(trigger: Trigger) -> dict[str, Json]:
    hint = trigger.extra.get(HINT)
    rest = trigger.extra.get("legacy_rest")
    document: dict[str, Json] = dict(rest) if isinstance(rest, dict) else {}
    if not isinstance(hint, dict):
        return {**document, "type": str(trigger.kind), "config": dict(trigger.config)}
    outer = hint.get("outer")
    outside = outer if isinstance(outer, list) else []
    name = hint.get("type")
    if name is not None or "type" in hint or _kind(None, trigger.config) is not trigger.kind:
        document["type"] = name if _names(name, trigger) else str(trigger.kind)
    inner = {key: value for key, value in trigger.config.items() if key not in outside}
    document.update({key: value for key, value in trigger.config.items() if key in outside})
    if inner or "config" in hint:
        document["config"] = inner
    return document


def _names(name: Json, trigger: Trigger) -> bool:
    try:
        return _kind(name, trigger.config) is trigger.kind
    except ValueError:
        return False
