"""ANY /api/resume/KEY[/STEP]: what was sent becomes the output of the step that waits for a call."""

from flask import Blueprint, Response, g, request

from flowstudio.server.answers import answer
from flowstudio.server.webhooks import METHODS, read_delivery
from flowstudio.workspace.public_address import RESUME
from flowstudio.workspace.services import Services

PREFIX = RESUME


class ResumeApi:
    def __init__(self, services: Services) -> None:
        self._resumption = services.resumption

    def blueprint(self) -> Blueprint:
        routes = Blueprint("resume", __name__)
        for rule in ("/resume/<key>", "/resume/<key>/<step_id>"):
            routes.add_url_rule(rule, view_func=self.receive, methods=METHODS, provide_automatic_options=False)
        return routes

    def receive(self, key: str, step_id: str | None = None) -> Response:
        call = read_delivery(request, request.path, is_foreign=g.is_foreign)
        taken_by = self._resumption.deliver(key, call, step_id, request.args.get("iteration"))
        return answer({"message": "The run goes on.", "step": taken_by})
