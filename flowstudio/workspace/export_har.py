"""A run's HTTP exchanges as an HTTP Archive. Source: HAR 1.2, softwareishard.com/blog/har-12-spec.

Names of the project's own begin with an underscore, as the format asks. A request that got no answer has status 0.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flowstudio import __version__
from flowstudio.engine.model import Run
from flowstudio.engine.ports import Exchange
from flowstudio.plan.model import Json
from flowstudio.workspace.plan_json import iso
from flowstudio.workspace.run_json import path_as_text

HTTP = "HTTP/1.1"
UNKNOWN = -1
NO_TEXT = "The body is no text and is not kept."


def head(run: Run) -> dict[str, Json]:
    """The log's members before its entries."""
    page: dict[str, Json] = {
        "startedDateTime": iso(run.started_at or run.created_at),
        "id": run.id,
        "title": run.plan.name,
        "pageTimings": {},
    }
    return {"version": "1.2", "creator": {"name": "FlowStudio", "version": __version__}, "pages": [page]}


def entry(exchange: Exchange) -> dict[str, Json]:
    document = exchange.document
    wait_ms, elapsed_ms = float(document["wait_ms"]), float(document["elapsed_ms"])  # type: ignore[arg-type]
    receive_ms = max(0.0, round(elapsed_ms - wait_ms, 3))
    made: dict[str, Json] = {
        "pageref": exchange.run_id,
        "startedDateTime": iso(exchange.at),
        "time": round(wait_ms + receive_ms, 3),
        "request": _request(document),
        "response": _response(document),
        "cache": {},
        "timings": {"send": 0, "wait": wait_ms, "receive": receive_ms},
        "_step": exchange.step_id,
        "_iteration": path_as_text(exchange.iteration),
        "_attempt": exchange.attempt,
    }
    if document["error"]:
        made["_error"] = document["error"]
    return made


def _request(document: Mapping[str, Any]) -> dict[str, Json]:
    url = document["url"]
    request: dict[str, Json] = {
        "method": document["method"],
        "url": url,
        "httpVersion": HTTP,
        "cookies": [],
        "headers": _named(document["headers"]),
        "queryString": _named(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
        "headersSize": UNKNOWN,
        "bodySize": document["body_bytes"],
    }
    if document["body_bytes"]:
        posted: dict[str, Json] = {"mimeType": _header(document["headers"], "content-type"), "params": []}
        posted["text"] = document["body"] or ""
        if document["body"] is None:
            posted["comment"] = NO_TEXT
        request["postData"] = posted
    return request


def _response(document: Mapping[str, Any]) -> dict[str, Json]:
    headers = document["answer_headers"]
    kind = _header(headers, "content-type")
    content: dict[str, Json] = {"size": document["answer_bytes"], "mimeType": kind or "x-unknown"}
    if document["answer"] is not None:
        content["text"] = document["answer"]
    elif document["answer_bytes"]:
        content["comment"] = NO_TEXT
    return {
        "status": document["status"],
        "statusText": _phrase(document["status"]),
        "httpVersion": HTTP,
        "cookies": [],
        "headers": _named(headers),
        "content": content,
        "redirectURL": _header(headers, "location"),
        "headersSize": UNKNOWN,
        "bodySize": UNKNOWN,
    }


def _named(pairs: Any) -> list[Json]:
    return [{"name": name, "value": value} for name, value in pairs]


def _header(pairs: Any, wanted: str) -> str:
    return next((value for name, value in pairs if name.lower() == wanted), "")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
