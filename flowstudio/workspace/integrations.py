"""Integrations: a user's own providers, described through the API. Each acts as `custom_<id>` and under its name."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from flowstudio.engine.ports import Clock
from flowstudio.plan.model import Json
from flowstudio.providers.custom import to_manifest
from flowstudio.providers.manifest import Manifest
from flowstudio.workspace.errors import BadRequestError, NoSuchIntegrationError
from flowstudio.workspace.plan_json import iso
from flowstudio.workspace.ports import Integration, IntegrationStore

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
AUTH_TYPES = ("api_key", "oauth")

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,99}$")


@dataclass(frozen=True, slots=True)
class IntegrationsChanged:
    """Published when what the user's steps can call has changed."""

    user_id: str


class Integrations:
    """Thread-safe."""

    def __init__(self, store: IntegrationStore, clock: Clock, publish: Callable[[object], None]) -> None:
        self._store = store
        self._clock = clock
        self._publish = publish

    def create(self, user_id: str, doc: Mapping[str, Any]) -> Integration:
        """Stores an integration in the contract's shape. Raises BadRequestError naming the field."""
        now = self._clock.now()
        empty = Integration(str(uuid4()), user_id, "", "", "", "api_key", {}, (), created_at=now, updated_at=now)
        return self._save(_read({"oauth_config": {}, "actions": [], **doc}, empty))

    def update(self, user_id: str, integration_id: str, doc: Mapping[str, Any]) -> Integration:
        """Replaces any subset of the keys."""
        return self._save(replace(_read(doc, self.get(user_id, integration_id)), updated_at=self._clock.now()))

    def get(self, user_id: str, integration_id: str) -> Integration:
        integration = self._store.get(user_id, integration_id)
        if integration is None:
            raise NoSuchIntegrationError("Integration not found")
        return integration

    def list(self, user_id: str) -> Sequence[Integration]:
        return self._store.list(user_id)

    def delete(self, user_id: str, integration_id: str) -> None:
        if not self._store.delete(user_id, integration_id):
            raise NoSuchIntegrationError("Integration not found")
        self._publish(IntegrationsChanged(user_id))

    def manifests(self, user_id: str) -> Sequence[Manifest]:
        """The user's integrations as providers."""
        return [to_manifest(each) for each in self._store.list(user_id)]

    def _save(self, integration: Integration) -> Integration:
        same = next((each for each in self._store.list(integration.user_id) if each.name == integration.name), None)
        if same is not None and same.id != integration.id:
            raise BadRequestError(
                f"There is an integration named `{integration.name}` already.",
                fix="Choose another name or change that one.",
                facts={"field": "name"},
            )
        self._store.save(integration)
        self._publish(IntegrationsChanged(integration.user_id))
        return integration


def as_json(integration: Integration) -> dict[str, Json]:
    return {
        "id": integration.id,
        "user_id": integration.user_id,
        "name": integration.name,
        "display_name": integration.display_name,
        "description": integration.description,
        "auth_type": integration.auth_type,
        "oauth_config": dict(integration.oauth_config),
        "actions": [dict(each) for each in integration.actions],
        "created_at": iso(integration.created_at),
        "updated_at": iso(integration.updated_at),
    }


def _read(doc: Mapping[str, Any], old: Integration) -> Integration:
    name = _text(doc, "name", old.name)
    if not _NAME.match(name):
        raise BadRequestError(
            "`name` must start with a letter and hold only letters, digits, `_` and `-`.", facts={"field": "name"}
        )
    auth_type = _text(doc, "auth_type", old.auth_type)
    if auth_type not in AUTH_TYPES:
        raise BadRequestError("`auth_type` must be api_key or oauth.", facts={"field": "auth_type"})
    return replace(
        old,
        name=name,
        display_name=_text(doc, "display_name", old.display_name) or name,
        description=_text(doc, "description", old.description),
        auth_type=auth_type,
        oauth_config=_config(doc["oauth_config"]) if "oauth_config" in doc else old.oauth_config,
        actions=_actions(doc["actions"]) if "actions" in doc else old.actions,
    )


def _text(doc: Mapping[str, Any], key: str, default: str, field: str = "") -> str:
    value = doc.get(key, default)
    if value is None:
        return default
    if not isinstance(value, str):
        raise BadRequestError(f"`{field or key}` must be text.", facts={"field": field or key})
    return value.strip()


def _config(value: Any) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise BadRequestError("`oauth_config` must be an object.", facts={"field": "oauth_config"})
    config = {"auth_header": "Authorization", "auth_prefix": "Bearer", **value}
    for key in ("base_url", "auth_header", "auth_prefix"):
        if not isinstance(config.get(key, ""), str):
            raise BadRequestError(f"`oauth_config.{key}` must be text.", facts={"field": f"oauth_config.{key}"})
    base_url = config.get("base_url", "")
    if base_url and not re.match(r"^https?://[^/\s]", base_url):
        raise BadRequestError(
            "`oauth_config.base_url` must begin with http:// or https://.", facts={"field": "oauth_config.base_url"}
        )
    return config


def _actions(value: Any) -> tuple[dict[str, Json], ...]:
    if not isinstance(value, list):
        raise BadRequestError("`actions` must be a list.", facts={"field": "actions"})
    actions = tuple(_read_action(each, f"actions[{index}]") for index, each in enumerate(value))
    ids = [action["id"] for action in actions]
    for index, each in enumerate(ids):
        if each in ids[:index]:
            field = f"actions[{index}].id"
            raise BadRequestError(f"`{field}` is {each} a second time.", facts={"field": field})
    return actions


def _read_action(value: Any, place: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise BadRequestError(f"`{place}` must be an object.", facts={"field": place})
    action: dict[str, Json] = dict(value)
    for key, default in (("id", ""), ("name", ""), ("description", ""), ("method", "POST"), ("endpoint", "")):
        action[key] = _text(value, key, default, f"{place}.{key}")
    for key in ("id", "endpoint"):
        if not action[key]:
            raise BadRequestError(f"`{place}.{key}` is missing.", facts={"field": f"{place}.{key}"})
    action["name"] = action["name"] or action["id"]
    action["method"] = str(action["method"]).upper()
    if action["method"] not in METHODS:
        raise BadRequestError(
            f"`{place}.method` must be one of {', '.join(METHODS)}.", facts={"field": f"{place}.method"}
        )
    params = value.get("params") or []
    if not isinstance(params, list) or not all(isinstance(each, str) for each in params):
        raise BadRequestError(f"`{place}.params` must be a list of names.", facts={"field": f"{place}.params"})
    action["params"] = list(params)
    return action
