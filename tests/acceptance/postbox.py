"""A mail server on the loopback interface that keeps its letters."""

from email import message_from_bytes, policy
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller


class Postbox:
    """aiosmtpd's handler."""

    def __init__(self) -> None:
        self.letters: list[Message] = []
        self.recipients: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        return "250 OK"


class AnyPort(Controller):
    """Finds out which port the system gave it before it tries it."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
