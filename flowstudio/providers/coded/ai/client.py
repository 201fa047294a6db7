"""One call of the openai library, over FlowStudio's own network: its limits, its cancel, its proxies.

The library reads a dozen variables of the process environment (OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID,
OPENAI_CUSTOM_HEADERS ...). None may reach a request: key and address come from the credential alone, and the transport
lets only the headers pass that are named here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import openai
from openai.types.chat import ChatCompletion

from flowstudio.plan.model import Json
from flowstudio.providers.coded.ai.prompt import Prompt, Service
from flowstudio.providers.coded.refusals import refusal
from flowstudio.providers.errors import BadAnswerError, BadParamError, CredentialMissingError, ProviderError
from flowstudio.providers.ports import ActionContext, HttpCall

PASSED: Final = frozenset({"accept", "content-type"})


def complete(ctx: ActionContext, service: Service, prompt: Prompt) -> dict[str, Json]:
    """{"text", "model", "usage", "finish_reason"}. Raises ProviderError; the engine does the retrying."""
    base_url, headers = _address(ctx, service), _authorization(ctx, service)
    body = prompt.body(is_vendors_own=base_url == service.base_url)
    with httpx2.Client(transport=_Door(ctx, headers), trust_env=False) as client:
        try:
            completion: object = _library(client, base_url).chat.completions.create(**body)
        except openai.APIStatusError as error:
            raise _refusal(error, service) from error
        except openai.OpenAIError as error:
            raise _unusable(service, str(error)) from error
        except ValueError as error:
            raise _unusable(service, "it is not JSON") from error
    return _reply(completion, service)


class _Door(httpx2.BaseTransport):
    """The library's way out: every request becomes an HttpCall of this step."""

    def __init__(self, ctx: ActionContext, headers: Mapping[str, str]) -> None:
        self._ctx = ctx
        self._headers = headers
        # A model may think in silence for as long as the step allows.
        self._limits = replace(ctx.limits, read_s=ctx.limits.total_s)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        passed = {name: value for name, value in request.headers.items() if name.lower() in PASSED}
        call = HttpCall(request.method, str(request.url), {**passed, **self._headers}, (), request.read())
        answer = self._ctx.http.send(call, cancel=self._ctx.call.cancel, limits=self._limits)
        # The body is whole and unpacked already; what described it on the wire no longer holds.
        wire = ("content-encoding", "content-length", "transfer-encoding")
        headers = {name: value for name, value in answer.headers.items() if name not in wire}
        return httpx2.Response(answer.status, headers=headers, content=answer.content, request=request)


def _library(client: httpx2.Client, base_url: str) -> openai.OpenAI:
    """The key given here never travels: _Door sets the header itself."""
    return openai.OpenAI(api_key="set by the transport", base_url=base_url, http_client=client, max_retries=0)


def _address(ctx: ActionContext, service: Service) -> str:
    """The credential's address, so that a plan from elsewhere cannot send the key to a server of its own."""
    address = ctx.credential.get("base_url", "").strip().rstrip("/") or service.base_url
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadParamError(
            f"The base URL in the credential of {service.title} is not a web address.",
            fix="Correct it in the vault; it looks like https://api.example.com/v1.",
        )
    return address


def _authorization(ctx: ActionContext, service: Service) -> dict[str, str]:
    key = ctx.credential.get("api_key", "").strip()
    if not key:
        raise CredentialMissingError(
            f"This step needs a credential for {service.title}, and there is none.",
            fix=f"Add the API key of {service.title} in the vault.",
        )
    if not key.isascii() or not key.isprintable():
        raise CredentialMissingError(
            f"The API key of {service.title} holds characters that no key has.", fix="Copy it again from the vendor."
        )
    headers = {"authorization": f"Bearer {key}"}
    for field, name in (("organization", "openai-organization"), ("project", "openai-project")):
        if value := ctx.credential.get(field, "").strip():
            headers[name] = value
    return headers


def _reply(completion: object, service: Service) -> dict[str, Json]:
    if not isinstance(completion, ChatCompletion):
        raise _unusable(service, "it is not the answer of a chat model; check the base URL")
    if not completion.choices:
        raise _unusable(service, "it holds no choice")
    choice = completion.choices[0]
    message: Any = choice.message  # the library does not check that what it calls required is there
    if message is None:
        raise _unusable(service, "it holds no message")
    if message.refusal:
        raise BadAnswerError(f"The model of {service.title} declined: {message.refusal.strip().rstrip('.')}.")
    return {
        "text": message.content or "",
        "model": completion.model,
        "usage": _usage(completion),
        "finish_reason": choice.finish_reason,
    }


def _usage(completion: ChatCompletion) -> dict[str, Json] | None:
    usage = completion.usage
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


def _refusal(error: openai.APIStatusError, service: Service) -> ProviderError:
    body: Any = error.body
    reason = body.get("message") if isinstance(body, dict) else None
    return refusal(error.status_code, error.response.headers, service.title, str(reason or ""))


def _unusable(service: Service, reason: str) -> BadAnswerError:
    return BadAnswerError(f"The answer of {service.title} cannot be used: {reason.strip().rstrip('.')}.")
