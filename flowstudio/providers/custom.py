"""Users' own integrations, in the old service's shape, as manifests. Pure."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from flowstudio.plan.model import Json
from flowstudio.providers.auth import authorise
from flowstudio.providers.manifest import (
    Action,
    AuthKind,
    AuthScheme,
    BodyKind,
    Category,
    CredentialField,
    Effect,
    Field,
    FieldKind,
    HttpRequest,
    Manifest,
)
from flowstudio.providers.ports import HttpCall
from flowstudio.providers.request import json_body
from flowstudio.providers.template import PLACEHOLDER, as_text

_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


class CustomIntegration(Protocol):
    """What a user described: workspace.ports.Integration."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def display_name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def oauth_config(self) -> Mapping[str, Json]: ...
    @property
    def actions(self) -> Sequence[Mapping[str, Json]]: ...


def provider_id(integration_id: str) -> str:
    return f"custom_{integration_id}"


def to_manifest(integration: CustomIntegration) -> Manifest:
    """A provider `custom_<id>` that also answers to the integration's name."""
    provider = provider_id(integration.id)
    return Manifest(
        id=provider,
        title=integration.display_name or integration.name,
        category=Category.HTTP,
        icon="fa5s.plug",
        description=integration.description,
        auth=_auth(integration.oauth_config),
        base_url=_literal(_text(integration.oauth_config, "base_url")).rstrip("/"),
        actions=tuple(_action(provider, each) for each in integration.actions),
        aliases=(integration.name,),
        keywords=("custom", "own"),
    )


def trial(
    integration: CustomIntegration,
    method: str,
    endpoint: str,
    headers: Mapping[str, str],
    body: Json,
    credential: Mapping[str, str],
) -> HttpCall:
    """A request for trying the integration out, with its address and authorisation."""
    manifest = to_manifest(integration)
    absolute = endpoint.startswith(("http://", "https://"))
    url = endpoint if absolute else f"{_text(integration.oauth_config, 'base_url').rstrip('/')}/{endpoint.lstrip('/')}"
    # The key belongs to the integration's own host; a trial of another address goes without it.
    authorisation = {} if absolute else authorise(manifest.auth, credential).headers
    content_type = {} if body is None else {"Content-Type": "application/json"}
    data = None if body is None else json_body(body)
    return HttpCall(method.upper(), url, {**content_type, **authorisation, **headers}, (), data)


def _auth(config: Mapping[str, Json]) -> AuthScheme:
    field = CredentialField("api_key", "API key or token", help="Sent with every call of this integration.")
    header = _text(config, "auth_header") or "Authorization"
    prefix = as_text(config.get("auth_prefix", "Bearer"))
    return AuthScheme(AuthKind.BEARER, (field,), header, prefix)


def _action(provider: str, action: Mapping[str, Json]) -> Action:
    """Params named in the endpoint go there; the others into the query of a GET or DELETE, else into a JSON body."""
    method = (_text(action, "method") or "POST").upper()
    endpoint = "/" + _text(action, "endpoint").lstrip("/")
    names = _param_names(action.get("params"))
    in_path = {match[1] for match in PLACEHOLDER.finditer(endpoint) if match[1]}
    rest: dict[str, Json] = {_literal(name): f"{{{name}}}" for name in names if name not in in_path}
    if method in _WITHOUT_BODY or not rest:
        request = HttpRequest(method, endpoint, query=rest)
    else:
        request = HttpRequest(method, endpoint, body_kind=BodyKind.JSON, body=rest)
    return Action(
        provider=provider,
        id=_text(action, "id"),
        title=_text(action, "name") or _text(action, "id"),
        description=_text(action, "description"),
        effect=Effect.READ if method in ("GET", "HEAD") else Effect.WRITE,
        fields=tuple(Field(name, name, FieldKind.JSON, required=name in in_path) for name in names),
        request=request,
    )


def _param_names(params: Json) -> list[str]:
    """Names in order, each once; placeholders cannot spell names with braces or colons, so these are left out."""
    given = params if isinstance(params, list) else []
    names = [as_text(each.get("name") if isinstance(each, dict) else each).strip() for each in given]
    return list(dict.fromkeys(name for name in names if PLACEHOLDER.fullmatch(f"{{{name}}}")))


def _text(values: Mapping[str, Json], key: str) -> str:
    return as_text(values.get(key)).strip()


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
