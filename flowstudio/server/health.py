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
            "status": "degraded" if any(parts.values()) else "healthy",
            "timestamp": datetime.now(UTC).isoformat(),
            "version": __version__,
            "scheduler": "stopped" if parts["scheduler"] else "active",
            "database": "disconnected" if parts["database"] else "connected",
            "journal": "stalled" if parts["journal"] else "writing",
            "problems": [sentence for sentence in parts.values() if sentence],
        }
        return answer(document, 503 if any(parts.values()) else 200)
