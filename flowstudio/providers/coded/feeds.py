"""RSS 2.0, RSS 1.0 (RDF) and Atom feeds, fetched over HTTP and read into one shape."""

import calendar
import io
from collections.abc import Mapping, Sized
from dataclasses import replace
from datetime import UTC, datetime
from time import struct_time
from typing import Any, Final
from urllib.parse import urlsplit
from xml.sax import ContentHandler, SAXException

import defusedxml.sax
from defusedxml import DefusedXmlException

from flowstudio.plan.model import Json
from flowstudio.providers.coded.params import Params
from flowstudio.providers.coded.refusals import refusal
from flowstudio.providers.errors import BadAnswerError
from flowstudio.providers.ports import ActionContext, HttpAnswer, HttpCall
from flowstudio.providers.result import ProviderResult

ACCEPT: Final = "application/rss+xml, application/atom+xml, application/rdf+xml, application/xml;q=0.9, */*;q=0.5"
MAX_BYTES: Final = 10 * 1024 * 1024
MOST_ATTRIBUTES: Final = 1000


def parse_feed(ctx: ActionContext) -> ProviderResult:
    """Output: {"title", "link", "items": [{"title", "link", "summary", "published", "id", "author"}]}."""
    params = Params(ctx)
    address = _address(params)
    limits = replace(ctx.limits, max_bytes=min(ctx.limits.max_bytes, MAX_BYTES))
    answer = ctx.http.send(HttpCall("GET", address, {"accept": ACCEPT}), cancel=ctx.call.cancel, limits=limits)
    if answer.status >= 400:
        raise refusal(answer.status, answer.headers, f"The server of the feed {_host(address)}")
    feed = read_feed(answer)
    limit = params.integer("limit", 0)
    items = feed["items"]
    assert isinstance(items, list)
    output: dict[str, Json] = {**feed, "items": items[:limit] if limit else items}
    metadata: dict[str, Json] = {"status": answer.status, "url": answer.url, "size_bytes": len(answer.content)}
    return ProviderResult(True, output, f"{len(items)} entries in {feed['title'] or _host(address)}", metadata)


def read_feed(answer: HttpAnswer) -> dict[str, Json]:
    """The feed in an answer. Raises BadAnswerError for what is no feed or declares XML entities."""
    _refuse_entities(answer.content, answer.url)
    from feedparser.api import parse  # here, for it is slow to import and few plans need it

    headers = {"content-type": answer.headers.get("content-type", ""), "content-location": answer.url}
    # A stream, because feedparser takes a string or bytes for the name of a file or an address and would open it.
    parsed: Any = parse(io.BytesIO(answer.content), response_headers=headers)  # type: ignore[no-untyped-call]
    if not parsed.get("version"):
        kind = answer.headers.get("content-type", "").partition(";")[0] or "unknown type"
        raise BadAnswerError(
            f"What {_host(answer.url)} sent is not a feed ({kind}).",
            fix="Use the address of the RSS or Atom feed itself, not of the page that shows it.",
        )
    return {
        "title": _text(parsed.feed, "title"),
        "link": _text(parsed.feed, "link"),
        "items": [_item(entry) for entry in parsed.entries],
    }


def _item(entry: Mapping[str, Any]) -> dict[str, Json]:
    return {
        "title": _text(entry, "title"),
        "link": _text(entry, "link"),
        "summary": _text(entry, "summary"),
        "published": _iso(entry.get("published_parsed") or entry.get("updated_parsed")),
        "id": _text(entry, "id") or _text(entry, "link"),
        "author": _text(entry, "author"),
    }


def _iso(moment: struct_time | None) -> str | None:
    """feedparser gives times in UTC. None when the feed has none, or one outside the calendar."""
    if moment is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(moment), UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _refuse_entities(content: bytes, address: str) -> None:
    """Entity declarations can blow a kilobyte up to gigabytes or read local files; no real feed needs one.

    A document type that points outside (RSS 0.91 has one) passes: it is never fetched. So do feeds that are not
    well-formed: feedparser's lenient reader expands no declared entity that holds another.
    """
    try:
        defusedxml.sax.parseString(content, _Ignoring(), forbid_dtd=False, forbid_external=False)
    except _TooManyAttributesError:
        raise BadAnswerError(
            f"The feed of {_host(address)} has an element of more than {MOST_ATTRIBUTES} attributes."
        ) from None
    except DefusedXmlException:
        sentence = f"The feed of {_host(address)} declares XML entities, which are not read for safety."
        raise BadAnswerError(sentence) from None
    except (SAXException, ValueError, LookupError):
        pass  # not well-formed, or in an encoding that only feedparser knows


class _Ignoring(ContentHandler):
    """Reads a document for the sake of its faults alone."""

    def startElement(self, name: str, attrs: Sized) -> None:  # noqa: N802
        if len(attrs) > MOST_ATTRIBUTES:  # feedparser's time grows with their square
            raise _TooManyAttributesError(name)


class _TooManyAttributesError(Exception):
    """No feed has elements like this."""


def _text(source: Mapping[str, Any], key: str) -> str:
    value = source.get(key)
    return value.strip() if isinstance(value, str) else ""


def _address(params: Params) -> str:
    address = params.required_text("feed_url").strip()
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise params.fault("feed_url", "must be an address that starts with http:// or https://")
    return address


def _host(address: str) -> str:
    return urlsplit(address).hostname or address
