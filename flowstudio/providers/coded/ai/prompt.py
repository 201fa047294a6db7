"""What is asked of a chat model, and of which service: values, and the request body made of them."""

from dataclasses import dataclass
from typing import Any, Final

JSON_RULE: Final = "Answer with one JSON object and nothing else."


@dataclass(frozen=True, slots=True)
class Service:
    """base_url: the vendor's own API, used unless the credential names another; model: when the step names none."""

    title: str
    base_url: str
    model: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """temperature and max_tokens None leave the choice to the service."""

    text: str
    model: str
    system: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    as_json: bool = False

    def body(self, is_vendors_own: bool) -> dict[str, Any]:
        """Arguments of chat.completions.create.

        OpenAI and Groq call the limit max_completion_tokens now, services that imitate them still max_tokens.
        JSON mode is refused unless the word JSON stands in the messages, so it is put there.
        """
        system = self.system
        if self.as_json and "json" not in f"{system} {self.text}".lower():
            system = f"{system}\n{JSON_RULE}".strip()
        messages = [{"role": "system", "content": system}] if system else []
        body: dict[str, Any] = {"model": self.model, "messages": [*messages, {"role": "user", "content": self.text}]}
        if self.temperature is not None:
            body["temperature"] = self.temperature
        if self.max_tokens is not None:
            body["max_completion_tokens" if is_vendors_own else "max_tokens"] = self.max_tokens
        if self.as_json:
            body["response_format"] = {"type": "json_object"}
        return body
