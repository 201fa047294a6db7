"""Webhooks stand in front of Flask: its routing and its contexts would take longer than a short run."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Response
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Request

from flowstudio.server import problems
from flowstudio.server.gate import Gate
from flowstudio.server.webhooks import METHODS, PREFIX, WebhooksApi

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Door:
    """A WSGI application: webhooks are answered here, all else goes on to the one behind. Same rules for both."""

    def __init__(self, behind: "WSGIApplication", gate: Gate, webhooks: WebhooksApi, max_body_bytes: int) -> None:
        self._behind = behind
        self._gate = gate
        self._webhooks = webhooks
        self._max_body_bytes = max_body_bytes

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(PREFIX):
            return self._behind(environ, start_response)
        with Request(environ) as request:  # closes what was uploaded
            request.max_content_length = request.max_form_memory_size = self._max_body_bytes
            response = self._gate.leave(request, self._answer(request))
            return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            if request.method not in METHODS:
                raise MethodNotAllowed(METHODS)
            early = self._gate.admit(request)
            return early or self._webhooks.receive(request, is_foreign=self._gate.is_foreign(request))
        except Exception as error:  # noqa: BLE001 - the outermost frame of a request; what is no known fault is logged
            return problems.response_to(error)
