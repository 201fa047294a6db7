"""Who may call: Host, Origin and caller rules as pure functions over header values.

A page on the internet can make a browser call 127.0.0.1. It cannot forge Host (which defeats DNS rebinding) nor hide
its Origin on a request that changes something; both are checked before anything else, under every policy.
"""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from flowstudio.errors import FlowStudioError
from flowstudio.settings import Settings
from flowstudio.workspace.ports import LOCAL_USER
from flowstudio.workspace.users import check_user_id

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound


class AccessError(FlowStudioError):
    """A caller that may not do this. status: the HTTP answer."""

    code: ClassVar[str] = "access.refused"
    status = 403


class ForeignHostError(AccessError):
    code = "access.host"
    status = 421


class ForeignOriginError(AccessError):
    code = "access.origin"


class TokenMissingError(AccessError):
    code = "access.token"
    status = 401


class OtherUserError(AccessError):
    code = "access.other_user"


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server.

    bound: the host it listens on; user_of_token: None for a token nobody has. public_host: the name by which callers
    from outside reach it; without tokens, webhooks and resume addresses alone answer to that.
    """

    policy: str
    bound: str
    allowed_origins: frozenset[str]
    user_of_token: Callable[[str], str | None]
    public_host: str = ""

    @classmethod
    def of(cls, settings: Settings, host: str, user_of_token: Callable[[str], str | None]) -> "Access":
        """Binding to anything but loopback forces the token policy."""
        policy = settings.auth if is_loopback(host) else "token"
        public_host = (urlsplit(settings.public_url).hostname or "").rstrip(".")
        return cls(policy, host, frozenset(settings.allowed_origins), user_of_token, public_host)

    def check_host(self, header: str | None, *, is_open: bool = False) -> None:
        """Raises ForeignHostError unless the name is the bound host's or a loopback name.

        is_open: the request is for an address that strangers may call.
        """
        if header is None:
            return  # no browser leaves it out, so no page can be behind it
        name = host_name(header)
        if name and (is_loopback(name) or name in self._own_names()):
            return
        if name and name == self.public_host and (is_open or self.policy == "token"):
            return
        raise ForeignHostError(
            f"This server does not answer for the host {name or 'without a name'}.",
            fix="Call it as localhost, or by the host it listens on.",
        )

    def is_welcome(self, origin: str) -> bool:
        """Whether pages of this origin may read answers and change things."""
        if origin in self.allowed_origins:
            return True
        parts = _split(origin)
        return self.policy == "local" and parts is not None and is_loopback(parts)

    def check_origin(self, origin: str | None, method: str) -> None:
        """Raises ForeignOriginError for a state-changing request of a page that is not welcome."""
        if origin is not None and method not in SAFE_METHODS and not self.is_welcome(origin):
            raise ForeignOriginError(
                f"A page from {origin} may not change anything here.",
                fix="Add it to allowed_origins in config.toml if it is yours.",
            )

    def user(self, authorization: str | None, asked: str | None) -> str:
        """The user a request acts as. asked: the user_id of its query or body.

        local: a known token's user, else whoever was asked for, else the desktop's own user. token: the token's user.
        """
        token = bearer(authorization)
        named = self.user_of_token(token) if token else None
        if named is None and self.policy == "token":
            sentence = "This token is not valid." if token else "This server wants a token."
            raise TokenMissingError(sentence, fix="Send it as Authorization: Bearer <token>.")
        if named is None:
            return check_user_id(asked) if asked is not None else LOCAL_USER
        if asked is not None and asked != named:
            raise OtherUserError("The token names another user than user_id does.", facts={"field": "user_id"})
        return named

    def _own_names(self) -> frozenset[str]:
        if self.bound not in WILDCARDS:
            return frozenset({self.bound.lower()})
        # Listening everywhere, the machine is called by whatever name or address it has; the token guards it then.
        return own_names() | {host for each in self.allowed_origins if (host := _split(each)) is not None}


def is_loopback(name: str) -> bool:
    """localhost, *.localhost, 127.0.0.0/8 and ::1."""
    bare = name.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def host_name(header: str) -> str:
    """The name in a Host header, lower case, without port, brackets and trailing dot; "" when there is none.

    0.0.0.0, which the old client's development proxy sends, means this computer.
    """
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    name, _, port = text.partition(":")
    if port and not port.isdigit():
        return ""
    return "127.0.0.1" if name == "0.0.0.0" else name.rstrip(".")  # noqa: S104


def bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def own_names() -> frozenset[str]:
    """This machine's names and the addresses they resolve to, lower case."""
    names = {socket.gethostname().lower(), socket.getfqdn().lower()}
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        found = []
    return frozenset(names | {str(each[4][0]) for each in found})


def _split(origin: str) -> str | None:
    """The host of an http(s) origin, None for anything else ("null", a path, a file)."""
    try:
        parts = urlsplit(origin)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.path or parts.query or parts.username:
        return None
    return host
