import datetime
import email
import email.policy
import ssl
import threading
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from flowstudio.providers.errors import (
    ActionCancelledError,
    ActionTimeoutError,
    AuthRejectedError,
    BadParamError,
    ConnectionFailedError,
    VendorError,
)
from flowstudio.providers.ports import Limits

PASSWORD = "pass-word-1"
MESSAGE = {"to": "bo@example.com", "subject": "Grüße", "body": "Hallo\n.\nWelt"}


class Inbox:
    """Keeps what it takes; refuses recipients called `refused`."""

    def __init__(self) -> None:
        self.envelopes = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 no such user"
        if address.startswith("later"):
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.envelopes.append(envelope)
        return "250 taken"

    def message(self):
        return email.message_from_bytes(self.envelopes[-1].content, policy=email.policy.default)


class AnyPort(Controller):
    """A controller that finds out which port the system gave it before it tries it."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def authenticator(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"ada" and data.password == PASSWORD.encode(), handled=False)


@pytest.fixture
def start():
    running = []

    def start(**options):
        inbox = Inbox()
        controller = AnyPort(inbox, hostname="127.0.0.1", port=0, **options)
        controller.start()
        running.append(controller)
        return inbox, controller.port

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def mail(act, start):
    inbox, port = start()
    credential = {"host": "127.0.0.1", "port": str(port), "tls": "none", "from": "Ada <ada@example.com>"}

    def send(**params):
        return act("smtp", "send_email", MESSAGE | params, credential=credential)

    send.inbox = inbox
    return send


def test_an_email_arrives(mail) -> None:
    result = mail()
    message = mail.inbox.message()
    assert (message["subject"], message["from"], message["to"]) == ("Grüße", "Ada <ada@example.com>", "bo@example.com")
    assert message.get_content().splitlines() == ["Hallo", ".", "Welt"]
    assert result.output == {"message_id": message["message-id"], "recipients": ["bo@example.com"], "refused": {}}


def test_copies_go_out_and_blind_ones_are_not_shown(mail) -> None:
    mail(
        to=["Bo <bo@example.com>", "cy@example.com"],
        cc="di@example.com",
        bcc="ed@example.com",
        reply_to="fi@example.com",
    )
    names = ["bo", "cy", "di", "ed"]
    assert sorted(mail.inbox.envelopes[-1].rcpt_tos) == [f"{name}@example.com" for name in names]
    assert b"ed@example.com" not in mail.inbox.envelopes[-1].content
    assert mail.inbox.message()["reply-to"] == "fi@example.com"


def test_html_and_attachments_are_sent(mail, tmp_path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n")
    mail(html="<b>Hallo</b>", attachments=[str(tmp_path / "a.csv")])
    message = mail.inbox.message()
    assert message.get_body(("html",)).get_content().strip() == "<b>Hallo</b>"
    assert message.get_body(("plain",)).get_content().startswith("Hallo")
    attached = list(message.iter_attachments())
    assert [(part.get_filename(), part.get_content_type()) for part in attached] == [("a.csv", "text/csv")]


def test_a_repeated_step_sends_the_same_message_id(mail) -> None:
    assert mail().output["message_id"] == mail().output["message_id"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "Hi\r\nBcc: eve@example.com"),
        ("to", "bo@example.com\r\nBcc: eve@example.com"),
        ("from", "ada@example.com\nX: y"),
        ("reply_to", "ada@example.com\r\nX: y"),
        ("to", "not an address"),
        ("to", "@example.com"),
        ("from", "a@example.com, b@example.com"),
    ],
)
def test_what_no_header_can_hold_is_refused_before_anything_is_sent(mail, field, value) -> None:
    with pytest.raises(BadParamError, match=f"The field '{field}'"):
        mail(**{field: value})
    assert not mail.inbox.envelopes


def test_a_missing_attachment_is_a_sentence(mail, tmp_path) -> None:
    with pytest.raises(BadParamError, match="to attach"):
        mail(attachments=[str(tmp_path / "gone.pdf")])


def test_a_refused_recipient_among_others_is_said(mail, act) -> None:
    assert mail(to="bo@example.com, refused@example.com").output["refused"] == {"refused@example.com": "no such user"}
    assert "refused@example.com" in act.lines[0][1]


@pytest.mark.parametrize(("name", "retryable"), [("refused", False), ("later", True)])
def test_when_all_are_refused_the_server_is_quoted(mail, name, retryable) -> None:
    with pytest.raises(VendorError, match=f"refused the recipient {name}@example.com") as caught:
        mail(to=f"{name}@example.com")
    assert caught.value.retryable is retryable


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A certificate of 127.0.0.1 that the machine trusts for this test."""
    x509 = pytest.importorskip("cryptography.x509")
    import ipaddress

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=1)
    )
    signed = (
        builder.add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context


def secure(port: int, **more):
    return {"host": "127.0.0.1", "port": str(port), "username": "ada", "password": PASSWORD, **more}


def test_starttls_and_login_work(act, start, certificate) -> None:
    inbox, port = start(tls_context=certificate, require_starttls=True, authenticator=authenticator, auth_required=True)
    params = MESSAGE | {"from": "ada@example.com"}
    assert act("smtp", "send_email", params, credential=secure(port)).success
    assert len(inbox.envelopes) == 1


def test_a_wrong_password_is_a_sentence_without_it(act, start, certificate) -> None:
    _, port = start(tls_context=certificate, require_starttls=True, authenticator=authenticator, auth_required=True)
    with pytest.raises(AuthRejectedError) as caught:
        act("smtp", "send_email", MESSAGE | {"from": "a@example.com"}, credential=secure(port, password="wrong-one"))
    assert "wrong-one" not in str(caught.value)


def test_tls_from_the_first_byte_works(act, start, certificate) -> None:
    inbox, port = start(ssl_context=certificate)
    credential = {"host": "127.0.0.1", "port": str(port), "tls": "ssl", "from": "ada@example.com"}
    assert act("smtp", "send_email", MESSAGE, credential=credential).success
    assert len(inbox.envelopes) == 1


def test_a_certificate_nobody_vouches_for_is_refused(act, start, certificate, monkeypatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    inbox, port = start(tls_context=certificate)
    with pytest.raises(ConnectionFailedError, match="is not trusted"):
        act("smtp", "send_email", MESSAGE | {"from": "a@example.com"}, credential=secure(port))
    assert not inbox.envelopes


def test_a_server_without_starttls_is_a_sentence(act, start) -> None:
    _, port = start()
    with pytest.raises(VendorError, match="STARTTLS"):
        act("smtp", "send_email", MESSAGE | {"from": "a@example.com"}, credential=secure(port))


@pytest.mark.parametrize(
    ("change", "part"),
    [({"tls": "tlsv9"}, "tlsv9"), ({"host": ""}, "names no host"), ({"port": "99999"}, "99999")],
)
def test_a_credential_that_cannot_work_is_a_sentence(act, change, part) -> None:
    with pytest.raises(BadParamError, match=part):
        act("smtp", "send_email", MESSAGE, credential={"host": "127.0.0.1", "from": "a@example.com"} | change)


@pytest.fixture
def silent():
    """The port of a server that accepts and then says nothing."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_cancel_ends_a_blocked_conversation_within_100_ms(act, silent) -> None:
    timer = threading.Timer(0.2, act.cancel.cancel)
    timer.start()
    started = time.monotonic()
    credential = {"host": "127.0.0.1", "port": str(silent), "tls": "none", "from": "a@example.com"}
    with pytest.raises(ActionCancelledError):
        act("smtp", "send_email", MESSAGE, credential=credential)
    assert time.monotonic() - started < 0.3
    timer.join()


def test_the_total_time_limit_holds(act, silent) -> None:
    credential = {"host": "127.0.0.1", "port": str(silent), "tls": "none", "from": "a@example.com"}
    with pytest.raises(ActionTimeoutError):
        act("smtp", "send_email", MESSAGE, credential=credential, limits=Limits(total_s=0.2))
