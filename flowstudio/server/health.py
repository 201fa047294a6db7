"""GET /api/health."""

from datetime import UTC, datetime

from flask import Blueprint, Response

from flowstudio import __version__
from flowstudio.server.answers import answer
from flowstudio.workspace.services import Services


class HealthApi:
    def __init__(self, services: Services) -> None:
        self._services = services

    def blueprint(self) -> Blueprint:
        routes = Blueprint("health", __name__)
        routes.add_url_rule("/health", view_func=self.show)
        return routes

    def show(self) -> Response:
        parts = self._services.health()
        document = {
            "status": "healthy" if all(parts.values()) else "degraded",
            "timestamp": datetime.now(UTC).isoformat(),
            "version": __version__,
            "scheduler": "active" if parts.get("scheduler") else "stopped",
            "database": "connected" if parts.get("database") else "disconnected",
        }
        return answer(document, 200 if all(parts.values()) else 503)
