"""Registry: every provider a user has, by id and alias. Immutable once built; look-ups are O(1)."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flowstudio.providers.loader import ManifestProblem
from flowstudio.providers.manifest import Action, Manifest


@dataclass(frozen=True, slots=True)
class Hit:
    """An action found by a search; higher scores fit better."""

    manifest: Manifest
    action: Action
    score: float


class Registry:
    """Ids win over aliases, and what was there first wins over what comes later."""

    def __init__(self, manifests: Iterable[Manifest], problems: Sequence[ManifestProblem] = ()) -> None:
        self._by_id: dict[str, Manifest] = {}
        repeated = [each for each in manifests if self._by_id.setdefault(each.id, each) is not each]
        self.manifests: tuple[Manifest, ...] = tuple(self._by_id.values())
        self.problems: tuple[ManifestProblem, ...] = (*problems, *map(_repeated, repeated))
        self._by_name = dict(self._by_id)
        for manifest in self.manifests:
            for alias in manifest.aliases:
                self._by_name.setdefault(alias, manifest)
        self._actions = _index(self._by_name)

    def provider(self, name: str) -> Manifest | None:
        """By id or alias."""
        return self._by_name.get(name)

    def find(self, provider: str, action: str) -> Action | None:
        """By ids or aliases."""
        return self._actions.get((provider, action))

    def suggest(self, provider: str, action: str) -> str:
        """ "Did you mean slack.post_message?", or "" when nothing is like it."""
        manifest = self._by_name.get(provider)
        if manifest is None:
            close = difflib.get_close_matches(provider, self._by_name, n=1)
            if not close:
                return ""
            manifest = self._by_name[close[0]]
        nearest = _nearest(manifest, action)
        return f"Did you mean {manifest.id}.{nearest.id}?" if nearest else ""

    def search(self, text: str, limit: int = 50) -> list[Hit]:
        """Actions in which every word of the text is found, best first; all of them for an empty text."""
        words = text.lower().split()
        hits = [
            Hit(manifest, action, score)
            for manifest in self.manifests
            for action in manifest.actions
            if (score := _score(words, manifest, action)) > 0
        ]
        hits.sort(key=lambda hit: (-hit.score, hit.manifest.title.lower(), hit.manifest.actions.index(hit.action)))
        return hits[:limit]

    def with_custom(self, manifests: Iterable[Manifest]) -> "Registry":
        """This registry and a user's own integrations."""
        return Registry((*self.manifests, *manifests), self.problems)


def _repeated(manifest: Manifest) -> ManifestProblem:
    return ManifestProblem(f"{manifest.id}.yaml", 1, "id", f"Another provider has the id “{manifest.id}” already.")


def _index(providers: dict[str, Manifest]) -> dict[tuple[str, str], Action]:
    index: dict[tuple[str, str], Action] = {}
    for name, manifest in providers.items():
        for action in manifest.actions:
            index[name, action.id] = action
        for action in manifest.actions:
            for alias in action.aliases:
                index.setdefault((name, alias), action)
    return index


def _nearest(manifest: Manifest, action: str) -> Action | None:
    """The action of the most similar name; the only one there is, whatever the name."""
    names = {name: each for each in manifest.actions for name in (*each.aliases, each.id)}
    close = difflib.get_close_matches(action, names, n=1, cutoff=0.5)
    if close:
        return names[close[0]]
    return manifest.actions[0] if len(manifest.actions) == 1 else None


def _score(words: Sequence[str], manifest: Manifest, action: Action) -> float:
    """0 when a word is nowhere; else the sum of the best place of each word."""
    total = 1.0
    for word in words:
        best = max(
            _place(word, manifest.title, 10),
            _place(word, action.title, 8),
            _place(word, f"{manifest.id} {action.id}".replace("_", " "), 7),
            _place(word, " ".join((*manifest.keywords, *manifest.aliases, *action.aliases)), 5),
            _place(word, f"{manifest.description} {action.description}", 2),
        )
        if best == 0:
            return 0.0
        total += best
    return total


def _place(word: str, text: str, weight: float) -> float:
    """Full weight for a whole text or word, less for a word's beginning, least for anywhere inside."""
    lower = text.lower()
    if word not in lower:
        return 0.0
    parts = lower.split()
    if lower == word:
        return weight * 2
    if word in parts:
        return weight
    return weight * 0.8 if any(part.startswith(word) for part in parts) else weight * 0.3
