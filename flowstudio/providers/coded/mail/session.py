"""An SMTP conversation that a cancelled or overdue call can end, and its faults as sentences."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from certifi import where as public_certificates

from flowstudio.providers.errors import (
    ActionTimeoutError,
    AuthRejectedError,
    ConnectionFailedError,
    ProviderError,
    VendorError,
)
from flowstudio.providers.ports import Cancel, Limits
from flowstudio.providers.sockets import Deadlines, Watch, Wire, connect

OWN_NAME: Final = "[127.0.0.1]"
"""What we call ourselves in EHLO (RFC 5321, 4.1.3); the machine's own name would be looked up, slowly, and told."""


@dataclass(frozen=True, slots=True)
class Server:
    """tls: "starttls", "ssl" or "none"."""

    host: str
    port: int
    tls: str
    username: str
    password: str


def deliver(message: EmailMessage, server: Server, cancel: Cancel, limits: Limits) -> dict[str, str]:
    """Sends it; answers the recipients the server refused, each with its reason, when it took at least one.

    Raises ProviderError. What was taken counts even when the goodbye fails.
    """
    deadlines = Deadlines()
    try:
        with Watch(cancel, limits.total_s, deadlines) as watch, _told(server, watch):
            session = _Session(server, watch, limits)
            try:
                _introduce(session, server)
                refused = session.send_message(message)
            finally:
                session.leave()
    finally:
        deadlines.close()
    return {address: _words(reason) for address, (_, reason) in refused.items()}


class _Session(smtplib.SMTP):
    """smtplib over a watched socket; TLS from the first byte when the server wants it."""

    def __init__(self, server: Server, watch: Watch, limits: Limits) -> None:
        self._watch, self._limits, self._server = watch, limits, server
        self._wire: Wire | None = None
        try:
            super().__init__(server.host, server.port, OWN_NAME, timeout=limits.read_s)
        except BaseException:
            self._drop()
            raise

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock, self._wire = connect(host, port, self._watch, self._limits.connect_s)
        sock.settimeout(timeout)
        return trusted().wrap_socket(sock, server_hostname=host) if self._server.tls == "ssl" else sock

    def leave(self) -> None:
        """Says goodbye where that is still possible, and lets go of the socket."""
        with suppress(smtplib.SMTPException, OSError):
            self.quit()
        self._drop()

    def _drop(self) -> None:
        self.close()
        if self._wire is not None:
            self._watch.release(self._wire)
            self._wire.close()


def trusted() -> ssl.SSLContext:
    """The machine's certificates and the public ones; a bundle on macOS has no others."""
    context = ssl.create_default_context()
    context.load_verify_locations(public_certificates())
    return context


def _introduce(session: smtplib.SMTP, server: Server) -> None:
    session.ehlo_or_helo_if_needed()
    if server.tls == "starttls":
        session.starttls(context=trusted())
    if server.username:
        session.login(server.username, server.password)


@contextmanager
def _told(server: Server, watch: Watch) -> Iterator[None]:
    try:
        yield
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise watch.fault(server.host) or _fault(server, error) from error


def _fault(server: Server, error: Exception) -> ProviderError:
    host = server.host
    match error:
        case smtplib.SMTPAuthenticationError():
            sentence = f"{host} refused the user name or password: {_words(error.smtp_error)}."
            return AuthRejectedError(sentence, fix="Check the credential; many services want an app password.")
        case smtplib.SMTPRecipientsRefused():
            address, (code, reason) = next(iter(error.recipients.items()))
            return _refused(f"{host} refused the recipient {address}: {_words(reason)}.", code)
        case smtplib.SMTPSenderRefused():
            return _refused(f"{host} refused the sender {error.sender}: {_words(error.smtp_error)}.", error.smtp_code)
        case smtplib.SMTPNotSupportedError() if server.tls == "starttls":
            fix = "Choose another kind of encryption in the credential."
            return VendorError(f"{host} does not support what is needed: {str(error).rstrip('.')}.", fix=fix)
        case smtplib.SMTPResponseException():
            return _refused(f"{host} refused the e-mail: {_words(error.smtp_error)}.", error.smtp_code)
        case ssl.SSLCertVerificationError():
            sentence = f"The TLS certificate of {host} is not trusted: {error.verify_message.rstrip('.')}."
            return ConnectionFailedError(sentence, fix="Check the host name in the credential.", retryable=False)
        case ssl.SSLError():
            fix = "Check port and encryption in the credential: 587 goes with STARTTLS, 465 with SSL."
            return ConnectionFailedError(f"{host} does not speak TLS as expected.", fix=fix)
        case TimeoutError():
            fix = "Try again, or check port and encryption in the credential."
            return ActionTimeoutError(f"{host} did not answer in time.", fix=fix)
        case smtplib.SMTPServerDisconnected() | OSError():
            fix = "Try again, or check port and encryption in the credential."
            return ConnectionFailedError(f"{host} closed the connection before the e-mail was taken.", fix=fix)
    return VendorError(f"{host} cannot take this e-mail: {str(error).rstrip('.')}.")


def _refused(sentence: str, code: int) -> VendorError:
    """4xx is "not now", 5xx is "never" (RFC 5321, 4.2.1)."""
    return VendorError(sentence, facts={"status": code}, retryable=400 <= code < 500)


def _words(reason: bytes | str) -> str:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    return " ".join(text.split()).rstrip(".")
