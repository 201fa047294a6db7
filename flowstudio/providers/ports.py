"""What providers need from others, and the shape of a coded action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from flowstudio.plan.model import Json
from flowstudio.providers.result import ProviderResult


class Cancel(Protocol):
    """The part of the engine's cancel token that providers use."""

    @property
    def is_set(self) -> bool: ...
    def on_cancel(self, close: Callable[[], None]) -> Callable[[], None]: ...
    def wait(self, seconds: float) -> bool: ...


class Call(Protocol):
    """One call of one action, as the engine hands it over (engine.ports.Invocation)."""

    @property
    def user_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def step_id(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def params(self) -> Mapping[str, Json]: ...
    @property
    def credential(self) -> str | None: ...
    @property
    def timeout_s(self) -> float | None: ...
    @property
    def cancel(self) -> Cancel: ...
    @property
    def log(self) -> Callable[[str, str], None]: ...
    @property
    def keep(self) -> Callable[[datetime, Mapping[str, Json]], None]:
        """Takes what the call said to a server and heard from it, with the time; see exchanges.py for the document."""
        ...

    @property
    def idempotency_key(self) -> str: ...


class CredentialSource(Protocol):
    """Decrypts a user's credential for the length of one call."""

    def fields(self, user_id: str, provider: str, name: str | None) -> Mapping[str, str] | None:
        """Field name -> plain value; None when the user has no such credential."""
        ...


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One HTTP request, ready to send. body: bytes as sent; content type stands in headers."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, whole. headers with lower-case names; elapsed_ms to the last byte; url after redirects.

    wait_ms: of the last request alone, until its answer began. sent: that request as it went out, with the headers that
    the network adds. hops: the redirects that led to it, each with its time since the first request.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str
    elapsed_ms: float
    wait_ms: float = 0.0
    sent: HttpCall | None = None
    hops: "tuple[HttpAnswer, ...]" = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """connect_s and read_s bound one wait on the socket, total_s the whole call, max_bytes the answer's body."""

    connect_s: float = 10.0
    read_s: float = 60.0
    total_s: float = 60.0
    max_bytes: int = 50 * 1024 * 1024


class HttpSender(Protocol):
    """Sends one request and reads the whole answer; any status is an answer.

    Raises ConnectionFailedError, ActionTimeoutError, BadAnswerError (over max_bytes), ActionCancelledError.
    """

    def send(self, call: HttpCall, *, cancel: Cancel, limits: Limits) -> HttpAnswer: ...


@dataclass(frozen=True, slots=True)
class ActionContext:
    """All a coded action gets. params are coerced and hold defaults; credential is {} when there is none.

    log: the call's own, with the credential's secrets masked.
    """

    call: Call
    params: Mapping[str, Json]
    credential: Mapping[str, str]
    limits: Limits
    http: HttpSender
    log: Callable[[str, str], None]


CodedAction = Callable[[ActionContext], ProviderResult]
"""Returns a result, or raises a ProviderError that dispatch turns into one."""
