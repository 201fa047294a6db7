"""ANY /api/resume/KEY[/STEP]: what was sent becomes the output of the step that waits for a call.

Who only looks does not call: HEAD and OPTIONS, which link checkers and mail scanners send, and what a browser fetches
ahead of a click, go by without a trace.
"""

from flask import Blueprint, Request, Response, g, request

from flowstudio.server.answers import answer
from flowstudio.server.webhooks import METHODS, read_delivery
from flowstudio.workspace.errors import BadRequestError
from flowstudio.workspace.public_address import RESUME
from flowstudio.workspace.services import Services

PREFIX = RESUME
LOOKING = frozenset({"HEAD", "OPTIONS"})
AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
"""Headers by which browsers say that nobody clicked yet. Source: wicg.github.io/nav-speculation/prefetch.html."""


class ResumeApi:
    def __init__(self, services: Services) -> None:
        self._resumption = services.resumption

    def blueprint(self) -> Blueprint:
        routes = Blueprint("resume", __name__)
        for rule in ("/resume/<key>", "/resume/<key>/<step_id>"):
            routes.add_url_rule(rule, view_func=self.receive, methods=METHODS, provide_automatic_options=False)
        return routes

    def receive(self, key: str, step_id: str | None = None) -> Response:
        if request.method in LOOKING:
            return Response(status=204)
        if _is_ahead(request):
            raise BadRequestError("A browser fetched this address ahead of a click; the run waits for the click.")
        call = read_delivery(request, request.path, is_foreign=g.is_foreign)
        taken_by = self._resumption.deliver(key, call, step_id, request.args.get("iteration"))
        return answer({"message": "The run goes on.", "step": taken_by})


def _is_ahead(call: Request) -> bool:
    said = (call.headers.get(name, "").lower() for name in AHEAD)
    return any("prefetch" in purpose or "preview" in purpose for purpose in said)
