"""Credential fields onto a request, as the provider's scheme says. Pure; the only code that sees plain secrets."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from flowstudio.plan.model import Json
from flowstudio.providers.errors import CredentialMissingError
from flowstudio.providers.manifest import AuthKind, AuthScheme, Manifest


@dataclass(frozen=True, slots=True)
class Authorisation:
    """What a scheme adds to a request."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()


def authorise(scheme: AuthScheme, credential: Mapping[str, str]) -> Authorisation:
    """Nothing for a scheme that works otherwise, or when an optional credential is empty."""
    if scheme.kind is AuthKind.BASIC:
        return _basic(credential)
    secret = credential.get(scheme.fields[0].name, "") if scheme.fields else ""
    if not secret:
        return Authorisation()
    if scheme.kind is AuthKind.BEARER:
        return Authorisation(headers={scheme.header: f"{scheme.prefix} {secret}".strip()})
    if scheme.kind is AuthKind.HEADER:
        return Authorisation(headers={scheme.header: scheme.prefix + secret})
    if scheme.kind is AuthKind.QUERY:
        return Authorisation(query=((scheme.header, secret),))
    return Authorisation()


def complete(manifest: Manifest, credential: Mapping[str, str], name: str | None) -> dict[str, str]:
    """The credential with defaults. Raises CredentialMissingError when a required field is empty.

    The old service stored a lone value under a type like `api_key`, whatever the vendor calls it: a credential of one
    value that the scheme does not know means the scheme's first secret field.
    """
    given = {key: value for key, value in credential.items() if value}
    known = {each.name for each in manifest.auth.fields}
    first = next((each.name for each in manifest.auth.fields if each.secret), "")
    if first and len(given) == 1 and not given.keys() & known:
        given = {first: next(iter(given.values()))}
    filled = {each.name: each.default for each in manifest.auth.fields if each.default} | given
    for each in manifest.auth.fields:
        if each.required and not filled.get(each.name):
            sentence = f"The credential “{name or 'default'}” of {manifest.title} lacks “{each.title}”."
            raise CredentialMissingError(sentence, fix="Complete it in the vault.", facts=_facts(manifest, name))
    return filled


def missing(manifest: Manifest, name: str | None) -> CredentialMissingError:
    """The error for a step without a credential, raised before any request."""
    wanted = f"the credential “{name}”" if name else "a credential"
    titles = ", ".join(each.title for each in manifest.auth.fields if each.required)
    fix = f"Add it in the vault ({titles})." if titles else "Add it in the vault."
    return CredentialMissingError(f"{manifest.title} needs {wanted}.", fix=fix, facts=_facts(manifest, name))


def secrets_of(manifest: Manifest, credential: Mapping[str, str]) -> tuple[str, ...]:
    """Values no message may show: the fields and what the scheme makes of them.

    Fields the manifest does not know count as secret. Values under four letters would mask half of any sentence.
    """
    if not credential:
        return ()
    plain = {each.name for each in manifest.auth.fields if not each.secret}
    values = [value for name, value in credential.items() if name not in plain]
    made = [value.removeprefix("Basic ") for value in authorise(manifest.auth, credential).headers.values()]
    return tuple(value for value in (*made, *values) if len(value) >= 4)


def _basic(credential: Mapping[str, str]) -> Authorisation:
    username, password = credential.get("username", ""), credential.get("password", "")
    if not username and not password:
        return Authorisation()
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Authorisation(headers={"Authorization": f"Basic {pair}"})


def _facts(manifest: Manifest, name: str | None) -> dict[str, Json]:
    return {"provider": manifest.id, "credential": name or "default"}
