"""ANY /api/webhook/PATH: the request becomes trigger data, the run's answer becomes the response."""

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.util import is_hop_by_hop

from flask import Response
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request

from flowstudio.plan.evaluation.deferred import opened
from flowstudio.plan.model import Json
from flowstudio.plan.reading.reader import check_json
from flowstudio.plan.rules import DocumentError
from flowstudio.server.answers import answer
from flowstudio.server.inputs import no_constant
from flowstudio.workspace.services import Services
from flowstudio.workspace.webhooks import Delivered, Delivery

PREFIX = "/api/webhook/"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
WAIT_LIMIT_S = 60.0
"""How long a sender waits for the run's end before it gets 202 and the run goes on."""


class WebhooksApi:
    def __init__(self, services: Services) -> None:
        self._webhooks = services.webhooks
        self._history = services.history

    def receive(self, request: Request, *, is_foreign: bool) -> Response:
        """is_foreign: a browser sent it for a page that is not welcome here."""
        delivery = read_delivery(request, request.path.removeprefix(PREFIX), is_foreign=is_foreign)
        return self._respond(self._webhooks.deliver(delivery, WAIT_LIMIT_S))

    def _respond(self, delivered: Delivered) -> Response:
        run = delivered.run
        if run is None:
            response = answer(self._history.execution(delivered.user_id, delivered.run_id), 202)
            response.headers["Location"] = f"/api/executions/{delivered.run_id}"
            return response
        response = opened(run.response)
        if isinstance(response, dict):
            return response_of(response)
        return answer(self._history.of(run, delivered.steps))


def read_delivery(request: Request, path: str, *, is_foreign: bool) -> Delivery:
    """A request as what came in at that path."""
    return Delivery(
        path=path,
        method=request.method,
        headers=dict(request.headers.items()),
        query=_values(request.args),
        body=read_body(request),
        received_at=datetime.now(UTC),
        is_foreign_page=is_foreign,
    )


def response_of(document: dict[str, Json]) -> Response:
    """A respond step's {"status", "headers", "body"} as HTTP; text stays text, everything else is JSON."""
    status, content = document.get("status"), opened(document.get("body"))
    code = status if isinstance(status, int) and 200 <= status <= 599 else 200
    if content is None or isinstance(content, str):
        response = Response((content or "").encode("utf-8", "replace"), code, content_type="text/plain; charset=utf-8")
    else:
        response = answer(content, code)
    headers = document.get("headers")
    for name, value in (headers if isinstance(headers, dict) else {}).items():
        # Headers of the connection are the server's own.
        if value is not None and not is_hop_by_hop(name) and name.lower() != "content-length":
            response.headers[name] = header_text(str(value))
    return response


def header_text(text: str) -> str:
    """One line, as WSGI wants it: UTF-8's bytes spelled in Latin-1 (PEP 3333), for more than Latin-1 cannot be sent."""
    return _CONTROLS.sub(" ", text).strip().encode("utf-8", "replace").decode("latin-1")


def read_body(request: Request) -> Json:
    """JSON as its value, forms as an object, text as text, other bytes as {"base64": …}; None when it is empty."""
    if request.mimetype == "multipart/form-data":
        return {**_values(request.form), **{name: _file(file) for name, file in request.files.items()}}
    raw = request.get_data()
    if not raw:
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode("ascii")}
    # Senders such as `curl -d` call JSON a form: what reads as an object or a list is taken as what it is.
    if "json" in request.mimetype or text.lstrip()[:1] in ("{", "["):
        try:
            value: Json = json.loads(text, parse_constant=no_constant)
            check_json(value, "")
        except (ValueError, RecursionError, DocumentError):
            pass  # NaN, infinity, a pit of brackets: no JSON that could be kept, so it stays text
        else:
            return value
    if request.mimetype == "application/x-www-form-urlencoded":
        return _values(MultiDict(parse_qsl(text, keep_blank_values=True)))
    return text


def _file(file: Any) -> Json:
    content: bytes = file.read()
    return {
        "filename": file.filename or "",
        "content_type": file.mimetype or "",
        "base64": base64.b64encode(content).decode("ascii"),
    }


def _values(values: "MultiDict[str, str]") -> dict[str, Json]:
    """Name -> value, or a list of values for a name that comes several times."""
    return {name: found[0] if len(found) == 1 else list(found) for name, found in values.lists()}
