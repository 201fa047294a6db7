"""Secrets out of anything that leaves a call: sentences, facts, messages, metadata. Pure."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from json import dumps
from urllib.parse import quote, quote_plus

from flowstudio.plan.model import Json
from flowstudio.providers.result import ProviderResult, ResultError

MASK = "••••"
ELLIPSIS = "…"
SHORTEST = 4
"""Less of a secret that was cut is no use to anybody, and would mask half of any sentence."""

UNMISTAKABLE = 8
"""Characters. A shorter secret may stand in a vendor's data by chance, and masking it there would corrupt it."""


class Mask:
    """Hides known secret values in text, also as addresses, JSON and base64 spell them, and cut off by an ellipsis."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spelled = {form for secret in secrets if secret for form in _spellings(secret)}
        self._forms = sorted(spelled, key=len, reverse=True)

    @property
    def unmistakable(self) -> "Mask":
        """The part of this mask that hits nothing by chance."""
        mask = Mask(())
        mask._forms = [form for form in self._forms if len(form) >= UNMISTAKABLE]
        return mask

    def text(self, text: str) -> str:
        if not self._forms:
            return text
        for form in self._forms:
            text = text.replace(form, MASK)
        return ELLIPSIS.join(self._without_cut_ends(text)) if ELLIPSIS in text else text

    def value(self, value: Json) -> Json:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        return value

    def result(self, result: ProviderResult) -> ProviderResult:
        """The result without secrets; the output, which is data, keeps those too short to be told from chance."""
        if not self._forms:
            return result
        output = self.unmistakable.value(result.output)
        metadata = {self.text(key): self.value(item) for key, item in result.metadata.items()}
        error = self._error(result.error) if result.error else None
        return replace(result, output=output, message=self.text(result.message), metadata=metadata, error=error)

    def _error(self, error: ResultError) -> ResultError:
        facts = {self.text(key): self.value(item) for key, item in error.facts.items()}
        return replace(error, sentence=self.text(error.sentence), fix=self.text(error.fix), facts=facts)

    def _without_cut_ends(self, text: str) -> Iterator[str]:
        """The parts between ellipses; a long answer was shortened before it came here, maybe within a secret."""
        *shortened, rest = text.split(ELLIPSIS)
        for part in shortened:
            cut = max((_overlap(part, form) for form in self._forms), default=0)
            yield part[:-cut] + MASK if cut >= SHORTEST else part
        yield rest


def _spellings(secret: str) -> Iterator[str]:
    """As it is and as a request or JSON spells it, or who takes a header's UTF-8 for Latin-1.

    Of a secret address also what follows the host: vendors repeat just that.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    yield from (secret, quote(raw, safe=""), quote(raw), quote_plus(raw))
    for said in (secret,) if secret.isascii() else (secret, raw.decode("latin-1")):
        yield from (said, dumps(said)[1:-1], dumps(said, ensure_ascii=False)[1:-1])
    for coded in (b64encode(raw), urlsafe_b64encode(raw)):
        yield coded.decode()
        yield coded.decode().rstrip("=")
    if "://" in secret:
        _, _, path = secret.partition("://")[2].partition("/")
        if len(path) >= SHORTEST:
            yield path


def _overlap(text: str, form: str) -> int:
    """How many characters at the end of text begin form."""
    longest = min(len(text), len(form) - 1)
    return next((size for size in range(longest, SHORTEST - 1, -1) if text.endswith(form[:size])), 0)
