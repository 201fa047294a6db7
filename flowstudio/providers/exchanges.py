"""What an action said to a server and heard from it, as a document for the history. Pure but for the clock.

{"method", "url", "headers", "body", "body_bytes", "status", "answer_headers", "answer", "answer_bytes", "wait_ms",
"elapsed_ms", "error"}: headers as [name, value] pairs, bodies as text and null for what is no text; a body that was cut
ends with an ellipsis, its bytes tell how long it was. status is 0 and error a sentence when no answer came.

Secrets: the call's mask hides what the vault gave; a value whose name says that it is secret is hidden, too, for it may
have been written into the plan.
"""

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from flowstudio.plan.model import Json
from flowstudio.providers.errors import ProviderError
from flowstudio.providers.ports import Cancel, HttpAnswer, HttpCall, HttpSender, Limits
from flowstudio.providers.redaction import ELLIPSIS, MASK, Mask
from flowstudio.providers.secret_names import is_secret_parameter

LONGEST_BODY: Final = 16 * 1024
"""Bytes of a body that are kept."""

MOST: Final = 50
"""Exchanges of one attempt that are kept: an action that turns pages may make thousands."""

Keep = Callable[[datetime, Mapping[str, Json]], None]


class RecordedSender:
    """HttpSender for one attempt of one step: sends as the network does, and keeps what went and came."""

    __slots__ = ("_keep", "_kept", "_mask", "_network")

    def __init__(self, network: HttpSender, mask: Mask, keep: Keep) -> None:
        """keep is called with the time at which a request was sent, and its document."""
        self._network = network
        self._mask = mask
        self._keep = keep
        self._kept = 0

    def send(self, call: HttpCall, *, cancel: Cancel, limits: Limits) -> HttpAnswer:
        at = datetime.now(UTC)
        try:
            answer = self._network.send(call, cancel=cancel, limits=limits)
        except ProviderError as error:
            elapsed_ms = (datetime.now(UTC) - at).total_seconds() * 1000
            self._note(at, _unanswered(call, error, elapsed_ms))
            raise
        before_ms = 0.0
        for hop in (*answer.hops, answer):
            sent_at = at + timedelta(milliseconds=before_ms)
            self._note(sent_at, _answered(hop.sent or call, hop, hop.elapsed_ms - before_ms))
            before_ms = hop.elapsed_ms
        return answer

    def _note(self, at: datetime, document: Mapping[str, Json]) -> None:
        self._kept += 1
        if self._kept <= MOST:
            self._keep(at, {name: self._mask.value(value) for name, value in document.items()})


def _answered(call: HttpCall, answer: HttpAnswer, elapsed_ms: float) -> dict[str, Json]:
    return {
        **_request(call),
        "status": answer.status,
        "answer_headers": _pairs(answer.headers.items()),
        "answer": _text(answer.content),
        "answer_bytes": len(answer.content),
        "wait_ms": round(answer.wait_ms, 3),
        "elapsed_ms": round(elapsed_ms, 3),
        "error": None,
    }


def _unanswered(call: HttpCall, error: ProviderError, elapsed_ms: float) -> dict[str, Json]:
    return {
        **_request(call),
        "status": 0,
        "answer_headers": [],
        "answer": None,
        "answer_bytes": 0,
        "wait_ms": round(elapsed_ms, 3),
        "elapsed_ms": round(elapsed_ms, 3),
        "error": error.sentence,
    }


def _request(call: HttpCall) -> dict[str, Json]:
    return {
        "method": call.method,
        "url": _address(call),
        "headers": _pairs(call.headers.items()),
        "body": None if call.body is None else _text(call.body),
        "body_bytes": len(call.body or b""),
    }


def _pairs(headers: Iterable[tuple[str, str]]) -> list[Json]:
    return [[name, MASK if is_secret_parameter(name) else value] for name, value in headers]


def _address(call: HttpCall) -> str:
    """The whole address; values of its query whose names say so are hidden, and a password before the host."""
    parts = urlsplit(call.url)
    query = "&".join([*filter(None, parts.query.split("&")), *(f"{name}={value}" for name, value in call.query)])
    if "@" in parts.netloc:
        parts = parts._replace(netloc=f"{MASK}@{parts.netloc.rpartition('@')[2]}")
    return urlunsplit(parts._replace(query="&".join(map(_hidden, query.split("&"))), fragment=""))


def _hidden(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={MASK}" if equals and is_secret_parameter(name) else pair


def _text(content: bytes) -> str | None:
    """The beginning of a body as text, None when it is none. A character that the cut split is left out."""
    is_cut = len(content) > LONGEST_BODY
    try:
        text = getincrementaldecoder("utf-8")().decode(content[:LONGEST_BODY], final=not is_cut)
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    return text + ELLIPSIS if is_cut else text
