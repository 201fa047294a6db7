"""The `.flow` document: canonical JSON of a plan. The same plan gives the same bytes, unknown keys stay.

{"flowstudio": 1, "id", "name", "description", "steps": [...], "edges": [...], "triggers", "variables", "notes",
"frames", "ordinals", "pins", "settings"}; empty parts are left out. A document of a newer format is refused, never
half understood.
"""

import hashlib
import json
import re
from collections.abc import Callable
from typing import TypeVar

from flowstudio.plan.errors import DocumentError
from flowstudio.plan.legacy import from_legacy
from flowstudio.plan.model import Json, Plan
from flowstudio.plan.reading import parts
from flowstudio.plan.reading.json_text import parse
from flowstudio.plan.reading.reader import Reader, check_json, plain_text, wrong_type

FORMAT = 1
FORMAT_KEY = "flowstudio"

P = TypeVar("P")

_LEGACY_KEYS = ("plan_json", "steps")


def to_document(plan: Plan) -> dict[str, Json]:
    document: dict[str, Json] = {**plan.extra, FORMAT_KEY: FORMAT, "id": plan.id, "name": plan.name}
    if plan.description:
        document["description"] = plan.description
    if plan.variables:
        document["variables"] = dict(plan.variables)
    if plan.ordinals:
        document["ordinals"] = list(plan.ordinals)
    if plan.pins:
        document["pins"] = dict(plan.pins)
    settings = parts.settings_to_json(plan.settings)
    if settings:
        document["settings"] = settings
    _write(document, "steps", plan.steps, parts.step_to_json)
    _write(document, "edges", plan.edges, parts.edge_to_json)
    _write(document, "triggers", plan.triggers, parts.trigger_to_json)
    _write(document, "notes", plan.notes, parts.note_to_json)
    _write(document, "frames", plan.frames, parts.frame_to_json)
    return document


def _write(document: dict[str, Json], key: str, entries: tuple[P, ...], write: Callable[[P], dict[str, Json]]) -> None:
    if entries:
        document[key] = [write(entry) for entry in entries]


def from_document(document: object) -> Plan:
    """Raises DocumentError naming the place, e.g. "steps[2].retry.tries"."""
    check_json(document, "")
    reader = Reader(document, "")
    _check_format(reader.take(FORMAT_KEY))
    return Plan(
        id=reader.text("id"),
        name=reader.text("name", ""),
        description=reader.text("description", ""),
        steps=reader.items("steps", parts.step_from_json),
        edges=reader.items("edges", parts.edge_from_json),
        triggers=reader.items("triggers", parts.trigger_from_json),
        variables=reader.mapping("variables"),
        notes=reader.items("notes", parts.note_from_json),
        frames=reader.items("frames", parts.frame_from_json),
        ordinals=reader.items("ordinals", plain_text),
        pins=reader.mapping("pins"),
        settings=parts.settings_from_json(reader.take("settings", {}), "settings"),
        extra=reader.rest(),
    )


def _check_format(version: Json) -> None:
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise DocumentError(
            f"This is not a FlowStudio plan: its key “{FORMAT_KEY}” must be {FORMAT}.", where=FORMAT_KEY
        )
    if version > FORMAT:
        raise DocumentError(
            f"This plan was written by a newer FlowStudio (format {version}, this one reads {FORMAT}).",
            fix="Update FlowStudio to open it. The file was not changed.",
            where=FORMAT_KEY,
        )


def dumps(plan: Plan) -> bytes:
    """UTF-8, sorted keys, two spaces, one newline at the end."""
    try:
        text = json.dumps(to_document(plan), ensure_ascii=False, allow_nan=False, sort_keys=True, indent=2)
    except (TypeError, ValueError, RecursionError):
        check_json(to_document(plan), "")
        raise
    return _encoded(text + "\n")


def _encoded(text: str) -> bytes:
    """A lone surrogate has no UTF-8, so it is written as JSON's own escape."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udfff]", lambda lone: f"\\u{ord(lone.group()):04x}", text).encode()


def loads(data: bytes | str) -> Plan:
    """Raises DocumentError: with line and column for broken JSON, with the place for anything else."""
    return from_document(parse(data))


def read_plan(data: bytes | str) -> Plan:
    """A plan from a `.flow` document or from the old service's shape: a plan, or the bare array of its steps."""
    document = parse(data)
    if isinstance(document, list):
        return from_legacy({"plan_json": document})
    if not isinstance(document, dict):
        raise wrong_type("", "an object", document)
    if FORMAT_KEY not in document and any(key in document for key in _LEGACY_KEYS):
        return from_legacy(document)
    return from_document(document)


def content_hash(plan: Plan) -> str:
    """SHA-256 of the whole document, hexadecimal."""
    return hashlib.sha256(dumps(plan)).hexdigest()
