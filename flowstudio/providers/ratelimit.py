"""Which calls share a vendor's limit, and what it is. The engine keeps to it; see engine.gates."""

from dataclasses import dataclass

from flowstudio.providers.manifest import Manifest


@dataclass(frozen=True, slots=True)
class CallLimit:
    """key: equal for all calls that share it. title: the vendor's name. calls within per_s seconds, concurrent at
    once; None for no limit of that sort: then only a pause the vendor asks for holds calls back."""

    key: tuple[str, str, str | None]
    title: str
    calls: int | None = None
    per_s: float = 1.0
    concurrent: int | None = None


def limit_of(manifest: Manifest, user_id: str, credential: str | None) -> CallLimit | None:
    """The limit of a user's calls with that credential; None where no one vendor stands behind the provider.

    A generic HTTP action calls whom the plan says: one vendor's wish to be left alone says nothing about the next.
    """
    rate = manifest.rate
    is_bounded = rate.calls is not None or rate.concurrent is not None
    if not is_bounded and not manifest.base_url and not manifest.auth.is_needed:
        return None
    return CallLimit((manifest.id, user_id, credential), manifest.title, rate.calls, rate.per_s, rate.concurrent)
