"""/api/execute-plan, /api/executions, /api/execution-logs, /api/monitoring/status."""

from flask import Blueprint, Response, request

from flowstudio.engine.model import TriggerEvent
from flowstudio.plan.model import TriggerKind
from flowstudio.server.answers import answer
from flowstudio.server.inputs import body, field, flag, limit, user_id
from flowstudio.workspace.services import Services

WAIT_LIMIT_S = 600.0
"""How long execute-plan waits for the end before it answers 202 and the run goes on."""


class ExecutionsApi:
    def __init__(self, services: Services) -> None:
        self._plans = services.plans
        self._runs = services.runs
        self._history = services.history

    def blueprint(self) -> Blueprint:
        routes = Blueprint("executions", __name__)
        routes.add_url_rule("/execute-plan", view_func=self.execute, methods=["POST"])
        routes.add_url_rule("/executions/<run_id>", view_func=self.get)
        routes.add_url_rule("/execution-logs", view_func=self.logs)
        routes.add_url_rule("/monitoring/status", view_func=self.status)
        return routes

    def execute(self) -> Response:
        document = body()
        wait = flag("wait", default=True)
        record = self._plans.get(user_id(), field(document, "execution_plan_id", str))
        event = TriggerEvent(TriggerKind.MANUAL, document.get("trigger_data"))
        run_id = self._runs.start(user_id(), record.plan, event)
        ended = wait and self._runs.wait(run_id, WAIT_LIMIT_S) is not None
        return self._answer(user_id(), run_id, 200 if ended else 202)

    def get(self, run_id: str) -> Response:
        return self._answer(user_id(), run_id, 200)

    def logs(self) -> Response:
        return answer(self._history.logs(user_id(), request.args.get("plan_id"), limit()))

    def status(self) -> Response:
        return answer(self._history.status(user_id()))

    def _answer(self, user: str, run_id: str, status: int) -> Response:
        response = answer(self._history.execution(user, run_id), status)
        if status == 202:
            response.headers["Location"] = f"/api/executions/{run_id}"
        return response
