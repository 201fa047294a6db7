"""Each part of a plan as JSON and back. Only what differs from the default is written, so files stay readable."""

from dataclasses import fields
from typing import TypeVar

from flowstudio.plan.model import (
    AfterCrash,
    Backoff,
    Edge,
    Frame,
    Json,
    Note,
    OnError,
    PlanSettings,
    Retry,
    Step,
    Trigger,
    TriggerKind,
    WhenBusy,
)
from flowstudio.plan.reading.reader import Reader, wrong_type

D = TypeVar("D")

_RETRY = Retry()
_STEP = Step(id="", provider="", action="")
_SETTINGS = PlanSettings()
_NOTE = Note(id="", text="", x=0.0, y=0.0)


def step_to_json(step: Step) -> dict[str, Json]:
    document: dict[str, Json] = {
        **{key: value for key, value in step.extra.items() if key != "retry"},
        "id": step.id,
        "provider": step.provider,
        "action": step.action,
    }
    for name in ("title", "parent", "on_error", "timeout_s", "credential", "disabled", "notes"):
        value = getattr(step, name)
        if value != getattr(_STEP, name):
            document[name] = short(value)
    if step.params:
        document["params"] = dict(step.params)
    if step.x or step.y:
        document["x"], document["y"] = short(step.x), short(step.y)
    unknown = step.extra.get("retry", {})
    retry = {**(unknown if isinstance(unknown, dict) else {}), **retry_to_json(step.retry)}
    if retry:
        document["retry"] = retry
    return document


def step_from_json(document: object, where: str) -> Step:
    reader = Reader(document, where)
    retry, unknown = _retry_from_json(reader.take("retry", {}), reader.at("retry"))
    step = Step(
        id=reader.text("id"),
        provider=reader.text("provider"),
        action=reader.text("action"),
        title=reader.text("title", ""),
        params=reader.mapping("params"),
        x=reader.number("x", 0.0),
        y=reader.number("y", 0.0),
        parent=reader.optional_text("parent"),
        on_error=reader.choice("on_error", OnError, OnError.STOP),
        retry=retry,
        timeout_s=reader.optional_number("timeout_s"),
        credential=reader.optional_text("credential"),
        disabled=reader.boolean("disabled", False),
        notes=reader.text("notes", ""),
        extra=reader.rest(),
    )
    if unknown:
        reader.rest()["retry"] = unknown
    return step


def retry_to_json(retry: Retry) -> dict[str, Json]:
    return {each.name: short(getattr(retry, each.name)) for each in fields(retry) if _differs(retry, each.name)}


def _differs(retry: Retry, name: str) -> bool:
    return bool(getattr(retry, name) != getattr(_RETRY, name))


def retry_from_json(document: object, where: str) -> Retry:
    return _retry_from_json(document, where)[0]


def _retry_from_json(document: object, where: str) -> tuple[Retry, dict[str, Json]]:
    if document is None or document == {}:
        return _RETRY, {}
    reader = Reader(document, where)
    retry = Retry(
        tries=reader.whole("tries", _RETRY.tries),
        delay_s=reader.number("delay_s", _RETRY.delay_s),
        backoff=reader.choice("backoff", Backoff, _RETRY.backoff),
        max_delay_s=reader.number("max_delay_s", _RETRY.max_delay_s),
        jitter=reader.boolean("jitter", _RETRY.jitter),
    )
    if retry.tries < 1:
        raise wrong_type(reader.at("tries"), "1 or more", retry.tries)
    return retry, reader.rest()


def edge_to_json(edge: Edge) -> dict[str, Json]:
    return {**edge.extra, "source": edge.source, "port": edge.port, "target": edge.target}


def edge_from_json(document: object, where: str) -> Edge:
    reader = Reader(document, where)
    return Edge(reader.text("source"), reader.text("port", "out"), reader.text("target"), reader.rest())


def trigger_to_json(trigger: Trigger) -> dict[str, Json]:
    document: dict[str, Json] = {**trigger.extra, "id": trigger.id, "kind": str(trigger.kind)}
    if trigger.config:
        document["config"] = dict(trigger.config)
    if not trigger.enabled:
        document["enabled"] = False
    return document


def trigger_from_json(document: object, where: str) -> Trigger:
    reader = Reader(document, where)
    return Trigger(
        id=reader.text("id"),
        kind=reader.choice("kind", TriggerKind),
        config=reader.mapping("config"),
        enabled=reader.boolean("enabled", True),
        extra=reader.rest(),
    )


def note_to_json(note: Note) -> dict[str, Json]:
    return {
        **note.extra,
        "id": note.id,
        "text": note.text,
        "x": short(note.x),
        "y": short(note.y),
        "width": short(note.width),
        "height": short(note.height),
    }


def note_from_json(document: object, where: str) -> Note:
    reader = Reader(document, where)
    return Note(
        id=reader.text("id"),
        text=reader.text("text", ""),
        x=reader.number("x", 0.0),
        y=reader.number("y", 0.0),
        width=reader.number("width", _NOTE.width),
        height=reader.number("height", _NOTE.height),
        extra=reader.rest(),
    )


def frame_to_json(frame: Frame) -> dict[str, Json]:
    return {
        **frame.extra,
        "id": frame.id,
        "title": frame.title,
        "x": short(frame.x),
        "y": short(frame.y),
        "width": short(frame.width),
        "height": short(frame.height),
    }


def frame_from_json(document: object, where: str) -> Frame:
    reader = Reader(document, where)
    return Frame(
        id=reader.text("id"),
        title=reader.text("title", ""),
        x=reader.number("x", 0.0),
        y=reader.number("y", 0.0),
        width=reader.number("width"),
        height=reader.number("height"),
        extra=reader.rest(),
    )


def settings_to_json(settings: PlanSettings) -> dict[str, Json]:
    document: dict[str, Json] = dict(settings.extra)
    for each in fields(settings):
        value = getattr(settings, each.name)
        if each.name != "extra" and value != getattr(_SETTINGS, each.name):
            document[each.name] = short(value)
    return document


_RANGES = {"runs_at_once": (1, 1_000_000), "keep_runs": (0, 1_000_000_000), "keep_days": (0, 36_500)}
"""What no database and no calendar could keep is refused here: one such plan would end the cleaning of all."""


def settings_from_json(document: object, where: str) -> PlanSettings:
    reader = Reader(document, where)
    settings = PlanSettings(
        runs_at_once=reader.whole("runs_at_once", _SETTINGS.runs_at_once),
        when_busy=reader.choice("when_busy", WhenBusy, _SETTINGS.when_busy),
        error_plan=reader.optional_text("error_plan"),
        after_crash=reader.choice("after_crash", AfterCrash, _SETTINGS.after_crash),
        keep_runs=reader.optional_whole("keep_runs"),
        keep_days=reader.optional_number("keep_days"),
        extra=reader.rest(),
    )
    for name, (least, most) in _RANGES.items():
        value = getattr(settings, name)
        if value is not None and not least <= value <= most:
            raise wrong_type(reader.at(name), f"from {least} to {most}", value)
    return settings


def short(value: Json) -> Json:
    """80.0 as 80: coordinates read better, and both read back as the same float. Enums become their text."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return str(value) if isinstance(value, str) else value
