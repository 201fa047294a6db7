"""Finds actions by what a person types: words in any order, beginnings, initials, letters left out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flowstudio.providers.manifest import Action, Manifest


@dataclass(frozen=True, slots=True)
class Found:
    """An action and how well it fits; higher is better."""

    manifest: Manifest
    action: Action
    score: float


def find_actions(manifests: Sequence[Manifest], text: str, limit: int) -> list[Found]:
    """The best matches first; every word typed must be found. All actions, in the catalogue's order, for no text."""
    words = text.lower().split()
    pairs: Iterable[tuple[Manifest, Action]] = ((each, action) for each in manifests for action in each.actions)
    if not words:
        return [Found(manifest, action, 0.0) for manifest, action in pairs][:limit]
    found = [Found(m, a, score) for m, a in pairs if (score := _score(words, _texts(m, a))) > 0]
    found.sort(key=lambda each: (-each.score, each.manifest.title, each.action.title))
    return found[:limit]


Texts = tuple[tuple[str, float], ...]


def _texts(manifest: Manifest, action: Action) -> Texts:
    """What is searched, lower case, each with its weight."""
    words = (*manifest.keywords, *manifest.aliases, *action.aliases)
    return _texts_of(manifest.id, manifest.title, words, action.id, action.title, action.description)


@lru_cache(maxsize=8192)
def _texts_of(
    provider: str, provider_title: str, words: tuple[str, ...], action: str, title: str, description: str
) -> Texts:
    return (
        (title.lower(), 1.0),
        (provider_title.lower(), 0.9),
        (f"{provider} {action}".replace("_", " ").lower(), 0.8),
        (" ".join(words).replace("_", " ").lower(), 0.7),
        (description.lower(), 0.3),
    )


def _score(words: Sequence[str], texts: Texts) -> float:
    total = 0.0
    for word in words:
        best = max(weight * _fit(word, text) for text, weight in texts)
        if best == 0:
            return 0.0
        total += best
    return total


def _fit(word: str, text: str) -> float:
    """1 for the whole text down to 0.2 for its letters in order, near each other; 0 when it is not there."""
    if word == text:
        return 1.0
    at = text.find(word)
    if at == 0:
        return 0.9
    if at > 0:
        return 0.8 if text[at - 1] in " -._" else 0.5
    if len(word) > 1 and _initials(text).startswith(word):
        return 0.6
    return _letters_in_order(word, text)


def _initials(text: str) -> str:
    return "".join(part[0] for part in text.split())


def _letters_in_order(word: str, text: str) -> float:
    """Typing skips letters ("pst msg"), but a match spread over the whole text is chance, not intent."""
    if len(word) < 3:
        return 0.0
    start = text.find(word[0])
    while start >= 0:
        at = start
        for letter in word[1:]:
            at = text.find(letter, at + 1)
            if at < 0:
                return 0.0
        if at - start < 2 * len(word) and (start == 0 or text[start - 1] == " "):
            return 0.2 + 0.2 * len(word) / (at - start + 1)
        start = text.find(word[0], start + 1)
    return 0.0
