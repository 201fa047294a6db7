"""Masks secrets in text and JSON: known values wherever they stand, and what looks like a secret.

Known values come from the vault as it decrypts them; each is also looked for as base64, percent-encoded and as JSON
writes it, as a server echoes it back. The patterns catch what never was in the vault: a token in an address, a key in
an error message.
"""

import base64
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from json import dumps
from urllib.parse import quote, quote_plus

from flowstudio.plan.model import Json

MASK = "•••"
SHORTEST = 6
"""Characters. A shorter value ("on", "1234") would mask half of every text; it is no secret worth the name."""
KEPT = 2000
"""Known spellings of values; the ones used longest ago are forgotten first."""

PATTERNS: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"(?i)(?P<keep>\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token|bot)\s+)?)[^\s\"',;]+"
    ),
    re.compile(r"(?i)(?P<keep>\bbearer\s+)[a-z0-9._~+/=-]{8,}"),
    re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]{1,30}://[^\s:/@]{0,100}:)[^\s/@]{1,200}(?=@)"),
    re.compile(
        r"(?i)(?P<keep>\b[\w-]{0,40}(?:password|passwd|secret|api[_-]?key|access[_-]?token|refresh[_-]?token|auth[_-]?token"
        r"|client[_-]?secret|private[_-]?key|webhook[_-]?secret)[\"']?\s*[:=]\s*[\"']?)[^\s\"'&,;}]{4,}"
    ),
    re.compile(r"(?i)(?P<keep>[?&](?:key|token|sig|signature|auth)=)[^\s&#\"']{4,}"),
    re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),  # JSON web token
    re.compile(r"\bsk-[\w-]{16,}"),  # OpenAI, Anthropic
    re.compile(
        r"\b(?:gsk|ghp|gho|ghu|ghs|ghr|glpat|npm|pypi|hf|xox[abeprs]|xapp|secret|ntn|shpat|dop_v1)[_-][\w-]{16,}"
    ),
    re.compile(r"\bgithub_pat_\w{20,}"),
    re.compile(r"\b(?:sk|pk|rk|whsec)_(?:live_|test_)?\w{16,}"),  # Stripe
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),  # AWS
    re.compile(r"\bAIza[\w-]{30,}"),  # Google
    re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{16,}"),  # SendGrid
    re.compile(r"(?P<keep>\b(?:bot)?\d{6,12}:)[\w-]{30,}"),  # Telegram
    re.compile(r"(?P<keep>https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/)[\w-]+"),
    re.compile(r"(?P<keep>https://hooks\.slack\.com/(?:services|workflows|triggers)/)[\w/-]+"),
)
"""What a group named keep matches stays, so that a reader sees what was masked."""


class Redactor:
    """Thread-safe. Grows by what the vault hands out."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._matcher: re.Pattern[str] | None = None
        self._first: Redactor | None = None
        self.learn(values)

    def learn(self, values: Iterable[str]) -> None:
        """Masks these values from now on."""
        spellings = {spelling for value in values if len(value) >= SHORTEST for spelling in _spellings(value)}
        with self._lock:
            is_new = not spellings <= self._known.keys()
            for spelling in spellings:
                self._known[spelling] = None
                self._known.move_to_end(spelling)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
            if is_new:
                self._matcher = _matcher(self._known)

    def also(self, values: Iterable[str]) -> "Redactor":
        """One that masks these values too. However many they are, none that is known here is forgotten for them."""
        more = Redactor(values)
        more._first = self
        return more

    def text(self, text: str) -> str:
        text = self._known_masked(text)
        for pattern in PATTERNS:
            text = pattern.sub(_masked, text)
        return text

    def _known_masked(self, text: str) -> str:
        if self._first is not None:
            text = self._first._known_masked(text)
        matcher = self._matcher
        return matcher.sub(MASK, text) if matcher is not None else text

    def json(self, value: Json) -> Json:
        """The same value with every text in it redacted, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(each) for each in value]
        if isinstance(value, Mapping):
            return {self.text(key): self.json(each) for key, each in value.items()}
        return value


def _masked(match: re.Match[str]) -> str:
    return (match.groupdict().get("keep") or "") + MASK


def _matcher(spellings: Iterable[str]) -> re.Pattern[str]:
    """Longest first: a value that contains another must be masked whole."""
    return re.compile("|".join(re.escape(each) for each in sorted(spellings, key=len, reverse=True)))


def _spellings(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    encoded = base64.b64encode(raw).decode().rstrip("=")
    safe = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    lines = {line for line in value.splitlines() if len(line) >= SHORTEST}
    said = {value} if value.isascii() else {value, raw.decode("latin-1")}  # as who does not expect UTF-8 in a header
    escaped = {dumps(each, ensure_ascii=is_ascii)[1:-1] for each in said for is_ascii in (True, False)}
    return {quote(raw, safe=""), quote_plus(raw), encoded, safe} | said | escaped | lines
