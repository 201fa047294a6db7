"""Tries one request of an integration with the user's credential, outside any plan."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flowstudio.engine.cancel import CancelToken
from flowstudio.plan.model import Json
from flowstudio.providers.auth import complete
from flowstudio.providers.custom import provider_id, to_manifest, trial
from flowstudio.providers.ports import CredentialSource, HttpAnswer, HttpSender, Limits
from flowstudio.workspace.errors import BadRequestError
from flowstudio.workspace.integrations import METHODS
from flowstudio.workspace.ports import Integration

LIMITS = Limits(connect_s=10, read_s=30, total_s=30, max_bytes=5 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Trial:
    """endpoint: a path under the integration's base address, or a full address, which is called without the key."""

    endpoint: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None


class IntegrationTrials:
    def __init__(self, http: HttpSender, credentials: CredentialSource) -> None:
        self._http = http
        self._credentials = credentials

    def run(self, integration: Integration, wanted: Trial) -> tuple[int, Json]:
        """The vendor's status and answer, JSON where it is JSON. Raises ProviderError, BadRequestError."""
        if wanted.method.upper() not in METHODS:
            raise BadRequestError(f"`method` must be one of {', '.join(METHODS)}.", facts={"field": "method"})
        found = self._credentials.fields(integration.user_id, provider_id(integration.id), None)
        secret = complete(to_manifest(integration), found, None) if found else {}
        call = trial(integration, wanted.method, wanted.endpoint, wanted.headers, wanted.body, secret)
        if not urlsplit(call.url).hostname:
            raise BadRequestError(
                "`endpoint` has no address: the integration has no base_url.", facts={"field": "endpoint"}
            )
        answer = self._http.send(call, cancel=CancelToken(), limits=LIMITS)
        return answer.status, _decoded(answer)


def _decoded(answer: HttpAnswer) -> Json:
    try:
        value: Json = json.loads(answer.content)
    except (ValueError, RecursionError):
        return answer.content.decode("utf-8", errors="replace")
    return value
