"""The e-mail of a step as an EmailMessage, which refuses line breaks in headers: nothing can be smuggled in."""

import hashlib
import mimetypes
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, getaddresses
from pathlib import Path
from typing import Final

from flowstudio.plan.model import Json
from flowstudio.providers.coded.files.faults import told
from flowstudio.providers.coded.files.reading import path_of
from flowstudio.providers.coded.params import Params, as_text
from flowstudio.providers.errors import BadParamError

MOST_ATTACHED_BYTES: Final = 25 * 1024 * 1024


def build(params: Params, default_sender: str, idempotency_key: str) -> EmailMessage:
    """Raises BadParamError naming the field. Bcc is in the message; smtplib leaves it out of what it sends."""
    message = EmailMessage(policy=SMTP)
    sender = _addresses(params, "from", params.text("from") or default_sender)
    if len(sender) != 1:
        raise params.fault("from", "needs exactly one address", "Fill in 'from' here or in the credential.")
    _set(message, params, "from", "From", sender)
    for field, name in (("to", "To"), ("cc", "Cc"), ("bcc", "Bcc"), ("reply_to", "Reply-To")):
        if found := _addresses(params, field, params.value(field)):
            _set(message, params, field, name, found)
    if not any(name in message for name in ("To", "Cc", "Bcc")):
        raise params.fault("to", "is empty", "Name at least one recipient.")
    _set(message, params, "subject", "Subject", params.text("subject"))
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = _message_id(idempotency_key, sender[0].domain)
    _set_body(message, params)
    _attach(message, params)
    return message


def _set(message: EmailMessage, params: Params, field: str, name: str, value: Sequence[Address] | str) -> None:
    try:
        message[name] = value
    except (ValueError, IndexError):
        raise params.fault(field, "holds a line break or another character that a header cannot have") from None


def _addresses(params: Params, field: str, value: Json) -> list[Address]:
    """Addresses from a list or from text with commas; `Ada <ada@example.com>` keeps the name."""
    parts = [as_text(each) for each in value] if isinstance(value, list) else [as_text(value)]
    # A colon begins a group of addresses (RFC 5322, 3.4), which nobody means who writes "Bcc: eve@example.com" here.
    if any(character in part for part in parts for character in "\r\n\0:;"):
        raise params.fault(field, "holds a line break, a colon or a semicolon; addresses stand between commas")
    return [_address(params, field, name, address) for name, address in getaddresses(parts) if name or address]


def _address(params: Params, field: str, name: str, address: str) -> Address:
    user, at, domain = address.rpartition("@")
    if not at or not user or not domain or any(character.isspace() for character in address):
        raise params.fault(field, f"holds '{address or name}', which is not an e-mail address")
    return Address(name, user, domain)


def _set_body(message: EmailMessage, params: Params) -> None:
    text, html = params.text("body"), params.text("html")
    if text or not html:
        message.set_content(text)
    if html and text:
        message.add_alternative(html, subtype="html")
    elif html:
        message.set_content(html, subtype="html")


def _attach(message: EmailMessage, params: Params) -> None:
    left = MOST_ATTACHED_BYTES
    for text in params.names("attachments"):
        path = path_of(params, "attachments", text)
        with told(path, "attached"):
            if not path.is_file():
                raise BadParamError(f"There is no file {path} to attach.", fix="Check the path.")
            left -= path.stat().st_size
            if left < 0:
                limit_mb = MOST_ATTACHED_BYTES // 1024 // 1024
                raise BadParamError(f"The attachments have more than {limit_mb} MB.", fix="Send a link instead.")
            content = path.read_bytes()
        _add(message, path, content)


def _add(message: EmailMessage, path: Path, content: bytes) -> None:
    kind, packed = mimetypes.guess_type(path.name)
    main, _, sub = (kind if kind and not packed else "application/octet-stream").partition("/")
    message.add_attachment(content, maintype=main, subtype=sub, filename=path.name)


def _message_id(idempotency_key: str, domain: str) -> str:
    """The same for every try of a step, so that mail servers can tell a repeat."""
    return f"<{hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]}@{domain}>"
