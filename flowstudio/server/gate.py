"""The access rules before each request, and what every answer says about itself after it."""

from flask import Flask, Response, g
from flask import request as at_work
from werkzeug.wrappers import Request

from flowstudio.server import inputs, resume, webhooks
from flowstudio.server.access import Access

METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
PREFLIGHT_SECONDS = 600
OPEN = (webhooks.PREFIX, resume.PREFIX)
"""Where a request needs no user."""


class Gate:
    """Applies the access rules before each request and CORS headers after it."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def install(self, app: Flask) -> None:
        app.before_request(self._enter)
        app.after_request(lambda response: self.leave(at_work, response))

    def admit(self, request: Request) -> Response | None:
        """Host first, then a preflight's answer, then Origin. Raises AccessError.

        Webhooks and resume addresses are for strangers: they carry a secret of their own.
        """
        is_open = request.path.startswith(OPEN)
        self._access.check_host(request.headers.get("Host"), is_open=is_open)
        origin = request.headers.get("Origin")
        if request.method == "OPTIONS" and request.headers.get("Access-Control-Request-Method"):
            welcome = origin is not None and self._access.is_welcome(origin)
            return Response(status=204 if welcome else 403)
        if not is_open:
            self._access.check_origin(origin, request.method)
        return None

    def is_foreign(self, request: Request) -> bool:
        """Whether a browser sent it for a page that is not welcome here."""
        origin = request.headers.get("Origin")
        return origin is not None and not self._access.is_welcome(origin)

    def leave(self, request: Request, response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        _vary_by_origin(response)
        origin = request.headers.get("Origin")
        if origin is None or not self._access.is_welcome(origin):
            return response
        response.headers["Access-Control-Allow-Origin"] = origin
        if request.method == "OPTIONS":
            asked = request.headers.get("Access-Control-Request-Headers", "")
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = asked or "Content-Type, Authorization"
            response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
            if request.headers.get("Access-Control-Request-Private-Network") == "true":
                response.headers["Access-Control-Allow-Private-Network"] = "true"
        return response

    def _enter(self) -> Response | None:
        early = self.admit(at_work)
        if early is not None:
            return early
        g.is_foreign = self.is_foreign(at_work)
        if not at_work.path.startswith(OPEN) and at_work.path != "/api/health":
            g.user_id = self._access.user(at_work.headers.get("Authorization"), inputs.asked_user())
        return None


def _vary_by_origin(response: Response) -> None:
    if "Vary" in response.headers:
        response.vary.add("Origin")
    else:
        response.headers["Vary"] = "Origin"  # as above, at a tenth of the cost
