"""Tries one request of an integration with the user's credential, outside any plan."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from flowstudio.engine.cancel import CancelToken
from flowstudio.plan.model import Json
from flowstudio.providers.auth import authorise
from flowstudio.providers.ports import CredentialSource, HttpAnswer, HttpCall, HttpSender, Limits
from flowstudio.workspace.errors import BadRequestError
from flowstudio.workspace.integrations import METHODS, manifest_of, provider_of
from flowstudio.workspace.ports import Integration

LIMITS = Limits(connect_s=10, read_s=30, total_s=30, max_bytes=5 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Trial:
    """endpoint: a path under the integration's base address, or a full address of the same host."""

    endpoint: str
    method: str = "GET"
    headers: Mapping[str, str] | None = None
    body: Json = None


class IntegrationTrials:
    def __init__(self, http: HttpSender, credentials: CredentialSource) -> None:
        self._http = http
        self._credentials = credentials

    def run(self, integration: Integration, trial: Trial) -> tuple[int, Json]:
        """The vendor's status and answer, JSON where it is JSON. Raises ProviderError, BadRequestError."""
        if trial.method.upper() not in METHODS:
            raise BadRequestError(f"`method` must be one of {', '.join(METHODS)}.", facts={"field": "method"})
        manifest = manifest_of(integration)
        url = _url(manifest.base_url, trial.endpoint)
        secret = self._credentials.fields(integration.user_id, provider_of(integration.id), None) or {}
        added = authorise(manifest.auth, secret)
        body = None if trial.body is None else _encoded(trial.body)
        headers = {**({"Content-Type": "application/json"} if body else {}), **(trial.headers or {}), **added.headers}
        call = HttpCall(trial.method.upper(), url, headers, added.query, body)
        answer = self._http.send(call, cancel=CancelToken(), limits=LIMITS)
        return answer.status, _decoded(answer)


def _url(base: str, endpoint: str) -> str:
    """The credential goes with the request, so it may only go to the integration's own host."""
    url = endpoint if "://" in endpoint else f"{base.rstrip('/')}/{endpoint.lstrip('/')}"
    here, there = urlsplit(base), urlsplit(urljoin(base, url))
    if there.scheme not in ("http", "https") or not there.hostname:
        raise BadRequestError(
            "`endpoint` has no address: the integration has no base_url.", facts={"field": "endpoint"}
        )
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise BadRequestError(
            "`endpoint` must be a path of the integration's own address.", facts={"field": "endpoint"}
        )
    return url


def _encoded(body: Json) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()


def _decoded(answer: HttpAnswer) -> Json:
    try:
        value: Json = json.loads(answer.content)
    except ValueError:
        return answer.content.decode("utf-8", errors="replace")
    return value
