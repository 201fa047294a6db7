"""The catalogue as the contract and `flowstudio providers --json` show it."""

from collections.abc import Sequence

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Action, Field, FieldKind, Manifest
from flowstudio.providers.registry import Registry

SEARCH_LIMIT = 200

_JSON_TYPES = {
    FieldKind.NUMBER: "number",
    FieldKind.INTEGER: "integer",
    FieldKind.BOOLEAN: "boolean",
    FieldKind.KEYVALUE: "object",
    FieldKind.LIST: "array",
}


def providers_as_json(registry: Registry, query: str = "") -> dict[str, Json]:
    """{total, providers}. With a query only what it finds, best first."""
    if query:
        found: dict[str, list[Action]] = {}
        for hit in registry.search(query, SEARCH_LIMIT):
            found.setdefault(hit.manifest.id, []).append(hit.action)
        chosen = [(manifest, found[name]) for name in found if (manifest := registry.provider(name)) is not None]
    else:
        chosen = [(manifest, list(manifest.actions)) for manifest in registry.manifests]
    return {"total": len(chosen), "providers": [_provider(manifest, actions) for manifest, actions in chosen]}


def _provider(manifest: Manifest, actions: Sequence[Action]) -> dict[str, Json]:
    return {
        "name": manifest.id,
        "display_name": manifest.title,
        "description": manifest.description,
        "category": str(manifest.category),
        "auth": str(manifest.auth.kind),
        "credential_fields": [each.name for each in manifest.auth.fields],
        "aliases": list(manifest.aliases),
        "actions": [_action(action) for action in actions],
    }


def _action(action: Action) -> dict[str, Json]:
    return {
        "id": action.id,
        "name": action.title,
        "description": action.description,
        "params": [each.name for each in action.fields],
        "aliases": list(action.aliases),
        "effect": str(action.effect),
        "schema": params_schema(action),
    }


def params_schema(action: Action) -> dict[str, Json]:
    """JSON Schema (2020-12) of an action's params. A text may always be an expression, so types are hints to forms."""
    return {
        "type": "object",
        "properties": {each.name: _field(each) for each in action.fields},
        "required": [each.name for each in action.fields if each.required],
    }


def _field(field: Field) -> dict[str, Json]:
    schema: dict[str, Json] = {"title": field.title}
    if field.kind is not FieldKind.JSON:
        schema["type"] = _JSON_TYPES.get(field.kind, "string")
    if field.help:
        schema["description"] = field.help
    if field.default is not None:
        schema["default"] = field.default
    if field.choices:
        schema["enum"] = [choice.value for choice in field.choices]
    if field.minimum is not None:
        schema["minimum"] = field.minimum
    if field.maximum is not None:
        schema["maximum"] = field.maximum
    return schema
