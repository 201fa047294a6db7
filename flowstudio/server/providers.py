"""GET /api/providers: what steps can call."""

from threading import Lock

from flask import Blueprint, Response, request

from flowstudio.providers.registry import Registry
from flowstudio.server.answers import JSON_TYPE, answer, to_json
from flowstudio.server.inputs import user_id
from flowstudio.workspace.catalogue import providers_as_json
from flowstudio.workspace.services import Services


class ProvidersApi:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = Lock()
        self._whole: tuple[Registry, bytes] | None = None

    def blueprint(self) -> Blueprint:
        routes = Blueprint("providers", __name__)
        routes.add_url_rule("/providers", view_func=self.list)
        return routes

    def list(self) -> Response:
        registry = self._services.registry(user_id())
        query = request.args.get("q", "").strip()
        if query:
            return answer(providers_as_json(registry, query))
        return Response(self._all(registry), content_type=JSON_TYPE)

    def _all(self, registry: Registry) -> bytes:
        """A registry never changes, so the text of the one asked for last is kept."""
        with self._lock:
            if self._whole is None or self._whole[0] is not registry:
                self._whole = (registry, to_json(providers_as_json(registry)))
            return self._whole[1]
