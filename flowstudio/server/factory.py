"""The Flask application: access checks in front, one resource a module behind, errors in one shape."""

from flask import Flask, Response, g, request

from flowstudio.server import inputs, problems, resume, webhooks
from flowstudio.server.access import Access
from flowstudio.server.credentials import CredentialsApi
from flowstudio.server.executions import ExecutionsApi
from flowstudio.server.health import HealthApi
from flowstudio.server.integrations import IntegrationsApi
from flowstudio.server.plans import PlansApi
from flowstudio.server.providers import ProvidersApi
from flowstudio.server.resume import ResumeApi
from flowstudio.server.runs import RunsApi
from flowstudio.server.scheduler import SchedulerApi
from flowstudio.server.storage import StorageApi
from flowstudio.server.webhooks import WebhooksApi
from flowstudio.workspace.services import Services

METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
PREFLIGHT_SECONDS = 600
OPEN = (webhooks.PREFIX, resume.PREFIX)
"""Where a request needs no user."""


def create_app(services: Services, access: Access) -> Flask:
    app = Flask("flowstudio.server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = services.settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = services.settings.max_body_bytes
    app.url_map.strict_slashes = False
    problems.install(app)
    Gate(access).install(app)
    for resource in (
        HealthApi(services),
        ProvidersApi(services),
        PlansApi(services),
        ExecutionsApi(services),
        RunsApi(services),
        WebhooksApi(services),
        ResumeApi(services),
        SchedulerApi(services),
        IntegrationsApi(services),
        CredentialsApi(services),
        StorageApi(services),
    ):
        app.register_blueprint(resource.blueprint(), url_prefix="/api")
    return app


class Gate:
    """Applies the access rules before each request and CORS headers after it."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def install(self, app: Flask) -> None:
        app.before_request(self.enter)
        app.after_request(self.leave)

    def enter(self) -> Response | None:
        """Host first, then a preflight's answer, then Origin, then who it is.

        Webhooks and resume addresses are for strangers: they carry a secret of their own.
        """
        is_open = request.path.startswith(OPEN)
        self._access.check_host(request.headers.get("Host"), is_open=is_open)
        origin = request.headers.get("Origin")
        if request.method == "OPTIONS" and request.headers.get("Access-Control-Request-Method"):
            welcome = origin is not None and self._access.is_welcome(origin)
            return Response(status=204 if welcome else 403)
        g.is_foreign = origin is not None and not self._access.is_welcome(origin)
        if not is_open:
            self._access.check_origin(origin, request.method)
            if request.path != "/api/health":
                g.user_id = self._access.user(request.headers.get("Authorization"), inputs.asked_user())
        return None

    def leave(self, response: Response) -> Response:
        origin = request.headers.get("Origin")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.add("Origin")
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
