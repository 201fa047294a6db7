"""Vendors of the internet, played on the loopback interface: an HTTPS proxy that answers for every host itself.

The program reads proxy and certificate bundle from the environment, so nothing in it is changed to be tested.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOSTS = ("slack.com", "api.telegram.org", "api.github.com", "api.notion.com", "discord.com")


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class World:
    """answers: host and path -> (status, JSON); everything else gets {"ok": true}."""

    environment: dict[str, str]
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    echoes: bool = False

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """An echo repeats the whole request in an error, as careless vendors do."""
        self.asked.append(asked)
        if self.echoes:
            told = f"Bad request {asked.method} {asked.url} {asked.headers} {asked.body.decode()}"
            return 400, {"ok": False, "error": told, "description": told, "message": told}
        return self.answers.get(asked.url.partition("?")[0], (200, {"ok": True}))


@contextmanager
def world_on_loopback(folder: Path) -> Iterator[World]:
    bundle, context = _certificate(folder)
    world = World({})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _proxy(world, context))
    server.daemon_threads = True
    proxy = f"http://127.0.0.1:{server.server_port}"
    world.environment = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "REQUESTS_CA_BUNDLE": str(bundle)}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _proxy(world: World, context: ssl.SSLContext) -> type[BaseHTTPRequestHandler]:
    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        host = ""

        def do_CONNECT(self) -> None:
            """What follows on this connection is for that host, over TLS."""
            self.host = self.path.partition(":")[0]
            self.send_response(200)
            self.end_headers()
            self.close_connection = False  # the CONNECT of Python's own client is HTTP/1.0
            with suppress(OSError):
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", 0)

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.host + self.path, dict(self.headers.items()), body)
            status, value = world.answer(asked)
            answer = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()
            self.connection.close()

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    return Proxy


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate that signs itself for all the hosts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The world, for tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    bundle, secret = folder / "world.pem", folder / "world.key"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, secret)
    return bundle, context
