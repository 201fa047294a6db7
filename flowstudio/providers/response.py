"""The vendor's answer -> a result, or the ProviderError that says why not. Pure."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Final

from flowstudio.plan.model import Json
from flowstudio.plan.reading.json_text import number_fault, value_of
from flowstudio.providers.errors import (
    AuthRejectedError,
    BadAnswerError,
    NotFoundError,
    ProviderError,
    RateLimitedError,
    VendorError,
)
from flowstudio.providers.manifest import Action, Manifest
from flowstudio.providers.ports import HttpAnswer
from flowstudio.providers.result import ProviderResult

_REQUEST_ID_HEADERS: Final = ("x-request-id", "request-id", "x-github-request-id", "x-slack-req-id", "x-amzn-requestid")
_RETRYABLE: Final = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_REFUSED_CREDENTIAL: Final = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "invalid_token", "account_inactive"}
)
_ERROR_PATHS: Final = (
    "error.message", "error.error_description", "error_description", "message", "description", "detail",
    "errors[0].message", "errors[0].detail", "errors[0].title", "errors[0]", "error", "title", "msg", "reason",
)  # fmt: skip
_LONGEST_SENTENCE: Final = 300


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one answer of one action. now is aware, for Retry-After given as a date."""

    manifest: Manifest
    action: Action
    answer: HttpAnswer
    now: datetime

    def result(self) -> ProviderResult:
        """Raises AuthRejectedError, NotFoundError, RateLimitedError, VendorError or BadAnswerError."""
        if not 200 <= self.answer.status < 300:
            raise self._refusal()
        body = self._body()
        rule = self.action.answer
        if rule.success and not peek(body, rule.success):
            raise self._hidden_refusal(body)
        return ProviderResult(True, self._output(body), self._message(), self._metadata())

    def _output(self, body: Json) -> Json:
        path = self.action.answer.output
        if path == "@":
            return {"status": self.answer.status, "headers": dict(self.answer.headers), "body": body}
        if not path or body is None:
            return body
        try:
            return dig(body, path)
        except KeyError as error:
            raise self._unusable(f"has no “{path}”") from error

    def _body(self) -> Json:
        """JSON as data, text as text, anything else as {"base64", "content_type", "size_bytes"}; None when empty."""
        content, kind = self.answer.content, self._content_type
        if not content.strip():
            return None
        if "json" in kind or (not _is_textual(kind) and content.lstrip()[:1] in (b"{", b"[")):
            return self._json(content)
        if kind in ("text/html", "application/xhtml+xml") and self._expects_data:
            raise self._unusable(f"is a web page instead of data{_quoted(_page_title(self._text(content)))}")
        if _is_textual(kind):
            return self._text(content)
        encoded = base64.b64encode(content).decode()
        return {"base64": encoded, "content_type": kind, "size_bytes": len(content)}

    def _json(self, content: bytes) -> Json:
        try:
            return value_of(content.removeprefix(b"\xef\xbb\xbf"))
        except (ValueError, RecursionError):
            pass
        try:
            return value_of(self._text(content))
        except json.JSONDecodeError as error:
            raise self._unusable("says it is JSON but is not") from error
        except RecursionError as error:
            raise self._unusable("is nested too deeply") from error
        except ValueError as error:
            raise self._unusable(f"is no usable JSON: {number_fault(error)}") from error

    def _text(self, content: bytes) -> str:
        """Decoded as the answer says; a charset that is unknown or wrong gives way to UTF-8, then to Windows-1252."""
        declared = re.search(r"charset=\"?([\w.:-]+)", self.answer.headers.get("content-type", ""), re.I)
        for charset in (declared[1] if declared else "utf-8", "utf-8-sig", "cp1252"):
            try:
                return content.decode(charset)
            except (LookupError, UnicodeDecodeError):
                continue
        return content.decode("utf-8", "replace")

    @property
    def _content_type(self) -> str:
        return self.answer.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def _expects_data(self) -> bool:
        """A vendor's API answers data; a generic request may well fetch a page."""
        return bool(self.manifest.base_url or self.action.answer.success) and self.action.answer.output != "@"

    def _refusal(self) -> ProviderError:
        """The error for a status outside 2xx."""
        status, wait_s = self.answer.status, retry_after_s(self.answer.headers, self.now)
        reason = self._reason()
        refused, facts, title = self._refused(f"{reason} (status {status})"), self._facts(), self.manifest.title
        limited = status == 429 or (status == 403 and self.answer.headers.get("x-ratelimit-remaining") == "0")
        if limited:
            sentence = f"{title} allows no more calls for now: {reason} (status {status})."
            return RateLimitedError(sentence, fix="Try again later.", facts=facts, retry_after_s=wait_s)
        if status in (401, 403):
            return AuthRejectedError(refused, fix=f"Check the credential of {title} and its rights.", facts=facts)
        if status in (404, 410):
            return NotFoundError(refused, fix="Check the ids and names in the step.", facts=facts)
        if 300 <= status < 400:
            return BadAnswerError(refused, fix="Check the address.", facts=facts)
        retryable = status in _RETRYABLE
        fix = "Try again later." if retryable else "Check the step's fields."
        return VendorError(refused, fix=fix, facts=facts, retryable=retryable, retry_after_s=wait_s)

    def _hidden_refusal(self, body: Json) -> ProviderError:
        """The error for a failure inside a 2xx answer."""
        said = peek(body, self.action.answer.error) if self.action.answer.error else None
        sentence, facts = self._refused(self._sentence(body)), self._facts()
        if isinstance(said, str) and said in _REFUSED_CREDENTIAL:
            return AuthRejectedError(sentence, fix=f"Check the credential of {self.manifest.title}.", facts=facts)
        return VendorError(sentence, fix="Check the step's fields.", facts=facts)

    def _refused(self, reason: str) -> str:
        return f"{self.manifest.title} refused “{self.action.title}”: {reason}."

    def _reason(self) -> str:
        """The vendor's own words, from whatever it sent."""
        content, kind = self.answer.content, self._content_type
        try:
            return self._sentence(json.loads(content))
        except (ValueError, RecursionError):
            text = self._text(content)
        if "html" in kind or text.lstrip()[:1] == "<":
            return _short(_page_title(text)) or "it gave no reason"
        return _short(text) or "it gave no reason"

    def _sentence(self, body: Json) -> str:
        if isinstance(body, str):
            return _short(body) or "it gave no reason"
        for path in (self.action.answer.error, *_ERROR_PATHS):
            said = peek(body, path) if path else None
            if isinstance(said, str) and said.strip():
                return _short(said)
        return "it gave no reason"

    def _unusable(self, what: str) -> BadAnswerError:
        sentence = f"The answer of {self.manifest.title} to “{self.action.title}” {what}."
        return BadAnswerError(sentence, fix="Check the address and the vendor's status page.", facts=self._facts())

    def _facts(self) -> dict[str, Json]:
        facts: dict[str, Json] = {
            "provider": self.manifest.id,
            "action": self.action.id,
            "status": self.answer.status,
            "request_id": self._request_id,
        }
        return {key: value for key, value in facts.items() if value is not None}

    @property
    def _request_id(self) -> str | None:
        return next((found for name in _REQUEST_ID_HEADERS if (found := self.answer.headers.get(name))), None)

    def _message(self) -> str:
        return f"{self.action.title}: {self.answer.status} in {self.answer.elapsed_ms:.0f} ms"

    def _metadata(self) -> dict[str, Json]:
        return {
            **self._facts(),
            "elapsed_ms": round(self.answer.elapsed_ms, 1),
            "size_bytes": len(self.answer.content),
            "content_type": self._content_type,
        }


def dig(value: Json, path: str) -> Json:
    """What stands at a dotted path like `data.items[0].id`. Raises KeyError with the first part that is missing."""
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise KeyError(part)
    return value


def peek(value: Json, path: str) -> Json:
    """The same, None for what is missing."""
    try:
        return dig(value, path)
    except KeyError:
        return None


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the vendor asks to wait: Retry-After as seconds or HTTP date (RFC 9110, 10.2.3)."""
    given = headers.get("retry-after", "").strip()
    if not given:
        return None
    try:
        return max(0.0, float(given)) if float(given) < 1e9 else None
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(given)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def _is_textual(kind: str) -> bool:
    return (
        kind == "" or kind.startswith("text/") or kind.endswith(("xml", "javascript", "x-www-form-urlencoded", "yaml"))
    )


def _page_title(page: str) -> str:
    found = re.search(r"<title[^>]*>(.*?)</title>", page[:20_000], re.I | re.S)
    return unescape(found[1]).strip() if found else ""


def _quoted(text: str) -> str:
    return f" (“{_short(text)}”)" if text else ""


def _short(text: str) -> str:
    """One line, without a full stop at its end."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST_SENTENCE else line[: _LONGEST_SENTENCE - 1] + "…"
