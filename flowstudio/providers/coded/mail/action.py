"""smtp.send_email."""

from collections.abc import Mapping
from typing import Final

from flowstudio.plan.model import Json
from flowstudio.providers.coded.mail.message import build
from flowstudio.providers.coded.mail.session import Server, deliver
from flowstudio.providers.coded.params import Params
from flowstudio.providers.errors import BadParamError
from flowstudio.providers.ports import ActionContext
from flowstudio.providers.result import ProviderResult

PORTS: Final[Mapping[str, int]] = {"starttls": 587, "ssl": 465, "none": 25}


def send_email(ctx: ActionContext) -> ProviderResult:
    """Output: {"message_id", "recipients", "refused": {address: reason}}."""
    server = _server(ctx.credential)
    sender = ctx.credential.get("from", "").strip() or ctx.credential.get("username", "").strip()
    message = build(Params(ctx), sender, ctx.call.idempotency_key)
    if server.tls == "none" and server.username:
        ctx.log("warning", f"The password goes to {server.host} unencrypted; choose STARTTLS or SSL.")
    refused = deliver(message, server, ctx.call.cancel, ctx.limits)
    for address, reason in refused.items():
        ctx.log("warning", f"{server.host} refused the recipient {address}: {reason}.")
    recipients: list[Json] = [
        address.addr_spec for name in ("To", "Cc", "Bcc") if name in message for address in message[name].addresses
    ]
    told: dict[str, Json] = dict(refused)
    output: dict[str, Json] = {"message_id": message["Message-ID"], "recipients": recipients, "refused": told}
    taken = len(recipients) - len(refused)
    return ProviderResult(True, output, f"E-mail taken by {server.host} for {taken} recipient{'s' * (taken != 1)}")


def _server(credential: Mapping[str, str]) -> Server:
    """The server of the credential. Raises BadParamError for what cannot be one."""
    tls = credential.get("tls", "").strip().lower() or "starttls"
    host, port = credential.get("host", "").strip(), credential.get("port", "").strip()
    if tls not in PORTS:
        raise BadParamError(
            f"The encryption '{tls}' in the SMTP credential does not exist.", fix="It is starttls, ssl or none."
        )
    if not host:
        raise BadParamError("The SMTP credential names no host.", fix="It looks like smtp.example.com.")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise BadParamError(f"The port '{port}' in the SMTP credential is no port.", fix="Use 587, 465 or 25.")
    number = int(port) if port else PORTS[tls]
    return Server(host, number, tls, credential.get("username", "").strip(), credential.get("password", ""))
