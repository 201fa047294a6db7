"""GET /api/storage: how much room the history takes."""

from flask import Blueprint, Response

from flowstudio.server.answers import answer
from flowstudio.server.inputs import user_id
from flowstudio.workspace.history_space import report_as_json
from flowstudio.workspace.services import Services


class StorageApi:
    def __init__(self, services: Services) -> None:
        self._space = services.history_space

    def blueprint(self) -> Blueprint:
        routes = Blueprint("storage", __name__)
        routes.add_url_rule("/storage", view_func=self.show)
        return routes

    def show(self) -> Response:
        return answer(report_as_json(self._space.report(), user_id()))
