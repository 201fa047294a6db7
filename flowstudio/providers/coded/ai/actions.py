"""chat_completion of openai and groq. The openai library is imported with the first call: it takes half a second."""

import json
from typing import Final

from flowstudio.plan.model import Json
from flowstudio.providers.coded.ai.prompt import Prompt, Service
from flowstudio.providers.coded.params import Params
from flowstudio.providers.errors import BadAnswerError
from flowstudio.providers.ports import ActionContext
from flowstudio.providers.result import ProviderResult

OPENAI: Final = Service("OpenAI", "https://api.openai.com/v1", "gpt-5.4-mini")
GROQ: Final = Service("Groq", "https://api.groq.com/openai/v1", "openai/gpt-oss-120b")


def openai_chat(ctx: ActionContext) -> ProviderResult:
    return _chat(ctx, OPENAI)


def groq_chat(ctx: ActionContext) -> ProviderResult:
    return _chat(ctx, GROQ)


def _chat(ctx: ActionContext, service: Service) -> ProviderResult:
    """Output: {"text", "model", "usage", "finish_reason"}, and "json" when the step asked for JSON."""
    from flowstudio.providers.coded.ai.client import complete

    prompt = _prompt(Params(ctx), service)
    reply = complete(ctx, service, prompt)
    if reply["finish_reason"] == "length":
        ctx.log("warning", "The answer was cut off at the limit of tokens.")
    if prompt.as_json:
        reply["json"] = _parsed(str(reply["text"]), service)
    return ProviderResult(True, reply, f"{reply['model']}: {_tokens(reply['usage'])}", {"model": reply["model"]})


def _prompt(params: Params, service: Service) -> Prompt:
    temperature = params.optional_number("temperature")
    if temperature is not None and not 0 <= temperature <= 2:
        raise params.fault("temperature", f"must be between 0 and 2, not {temperature:g}")
    return Prompt(
        text=params.required_text("prompt"),
        system=params.text("system"),
        model=params.text("model").strip() or service.model,
        temperature=temperature,
        max_tokens=params.integer("max_tokens", 0, minimum=0) or None,
        as_json=params.flag("json", False),
    )


def _parsed(text: str, service: Service) -> Json:
    """The JSON in an answer; some models wrap it in a Markdown fence."""
    bare = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        value: Json = json.loads(bare)
    except (ValueError, RecursionError):
        sentence = f"{service.title} was asked for JSON but answered something else: {text.strip()[:80]!r}."
        raise BadAnswerError(sentence, fix="Say in the prompt which fields the JSON object should have.") from None
    return value


def _tokens(usage: Json) -> str:
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return f"{total} tokens" if total is not None else "answered"
