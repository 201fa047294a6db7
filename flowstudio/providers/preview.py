"""A request as a person reads it before it is sent: what a dry run shows. Pure, and sends nothing.

{"method", "url", "headers", "body"}: the address with its query, every header the network adds, the body as JSON or
text. Secrets are masked by whoever knows them; what authorises the request is hidden here, however short it is.
"""

import json
from collections.abc import Mapping
from typing import Final

from flowstudio.plan.model import Json
from flowstudio.providers.auth import authorise
from flowstudio.providers.manifest import Action, Manifest
from flowstudio.providers.ports import HttpCall
from flowstudio.providers.redaction import MASK

LONGEST_BODY: Final = 64 * 1024
"""Characters of a body that are shown."""


def request_shown(manifest: Manifest, credential: Mapping[str, str], call: HttpCall) -> Json:
    """The request as it goes out. Raises BadParamError when it cannot."""
    from flowstudio.providers.network import as_sent  # here: it loads requests, which few starts need

    sent = as_sent(call)
    secret = {name.lower() for name in authorise(manifest.auth, credential).headers}
    headers: dict[str, Json] = {
        name: MASK if name.lower() in secret else value for name, value in sorted(sent.headers.items())
    }
    return {"method": sent.method, "url": sent.url, "headers": headers, "body": _body(sent)}


def action_shown(manifest: Manifest, action: Action, params: Mapping[str, Json]) -> Json:
    """What stands for the request of an action that is code, such as a mail or a file."""
    return {"provider": manifest.id, "action": action.id, "params": dict(params)}


def _body(call: HttpCall) -> Json:
    if call.body is None:
        return None
    kind = next((value for name, value in call.headers.items() if name.lower() == "content-type"), "")
    try:
        text = call.body.decode()
    except UnicodeDecodeError:
        return f"({len(call.body)} bytes of {kind or 'data'})"
    if kind.partition(";")[0].strip() == "application/json" and len(text) <= LONGEST_BODY:
        try:
            value: Json = json.loads(text)
        except (ValueError, RecursionError):
            return text  # a body written by hand need not be what its header says
        return value
    return text if len(text) <= LONGEST_BODY else f"{text[:LONGEST_BODY]}…"
