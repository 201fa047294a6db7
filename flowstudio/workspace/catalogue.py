"""What each user's steps can call, and how the contract and `flowstudio providers --json` show it."""

from collections.abc import Callable, Sequence
from threading import Lock

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


class Catalogue:
    """The shipped providers with a user's own integrations. Thread-safe; the same object until something changes.

    integrations: the user's own as manifests, asked once for each user until `forget`.
    """

    def __init__(self, shipped: Registry, integrations: Callable[[str], Sequence[Manifest]]) -> None:
        self._shipped = shipped
        self._integrations = integrations
        self._lock = Lock()
        self._by_user: dict[str, Registry] = {}

    def __call__(self, user_id: str) -> Registry:
        known = self._by_user.get(user_id)
        if known is None:
            own = self._integrations(user_id)
            with self._lock:
                known = self._by_user.setdefault(user_id, self._shipped.with_custom(own) if own else self._shipped)
        return known

    def forget(self, user_id: str) -> None:
        """The user's integrations have changed."""
        with self._lock:
            self._by_user.pop(user_id, None)


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
