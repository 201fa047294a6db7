"""Secrets out of anything that leaves a call: sentences, facts, messages, metadata. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote, quote_plus

from flowstudio.plan.model import Json
from flowstudio.providers.result import ProviderResult, ResultError

MASK = "••••"


class Mask:
    """Hides known secret values in text, also as they look in an address."""

    def __init__(self, secrets: Iterable[str]) -> None:
        plain = [secret for secret in secrets if secret]
        spelled = {
            form for secret in plain for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))
        }
        self._forms = sorted(spelled, key=len, reverse=True)

    def text(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def value(self, value: Json) -> Json:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        return value

    def result(self, result: ProviderResult) -> ProviderResult:
        """Everything but the output, which is the vendor's data and the user's business."""
        metadata = {self.text(key): self.value(item) for key, item in result.metadata.items()}
        error = self._error(result.error) if result.error else None
        return replace(result, message=self.text(result.message), metadata=metadata, error=error)

    def _error(self, error: ResultError) -> ResultError:
        facts = {self.text(key): self.value(item) for key, item in error.facts.items()}
        return replace(error, sentence=self.text(error.sentence), fix=self.text(error.fix), facts=facts)
