"""/api/execution-plans: plans, their trigger and their schedule."""

from flask import Blueprint, Response

from flowstudio.server.answers import answer
from flowstudio.server.inputs import body, field, optional, user_id
from flowstudio.workspace.errors import BadRequestError
from flowstudio.workspace.services import Services


class PlansApi:
    def __init__(self, services: Services) -> None:
        self._plans = services.plans

    def blueprint(self) -> Blueprint:
        routes = Blueprint("plans", __name__)
        many, one = "/execution-plans", "/execution-plans/<plan_id>"
        routes.add_url_rule(many, view_func=self.list, methods=["GET"])
        routes.add_url_rule(many, view_func=self.create, methods=["POST"])
        routes.add_url_rule(one, view_func=self.get, methods=["GET"])
        routes.add_url_rule(one, view_func=self.update, methods=["PUT"])
        routes.add_url_rule(one, view_func=self.delete, methods=["DELETE"])
        routes.add_url_rule(f"{one}/trigger", view_func=self.set_trigger, methods=["POST"])
        routes.add_url_rule(f"{one}/schedule", view_func=self.set_schedule, methods=["POST"])
        routes.add_url_rule(f"{one}/schedule", view_func=self.remove_schedule, methods=["DELETE"])
        return routes

    def list(self) -> Response:
        user = user_id()
        return answer(self._plans.all_as_json(user, self._plans.list(user)))

    def create(self) -> Response:
        return answer(self._plans.as_json(self._plans.create(user_id(), body())), 201)

    def get(self, plan_id: str) -> Response:
        return answer(self._plans.as_json(self._plans.get(user_id(), plan_id)))

    def update(self, plan_id: str) -> Response:
        return answer(self._plans.as_json(self._plans.update(user_id(), plan_id, body())))

    def delete(self, plan_id: str) -> Response:
        self._plans.delete(user_id(), plan_id)
        return answer({"message": "Plan deleted"})

    def set_trigger(self, plan_id: str) -> Response:
        """{trigger: Trigger or null, enabled}. Leaving both out is a mistake worth a sentence."""
        document = body()
        if "trigger" not in document and "enabled" not in document:
            raise BadRequestError("`trigger` is missing: send a trigger, or null.", facts={"field": "trigger"})
        enabled = optional(document, "enabled", bool)
        if "trigger" in document:
            trigger = optional(document, "trigger", dict)
            record = self._plans.set_trigger(user_id(), plan_id, trigger, enabled)
        else:
            record = self._plans.update(user_id(), plan_id, {"enabled": enabled})
        return answer(self._plans.as_json(record))

    def set_schedule(self, plan_id: str) -> Response:
        document = body()
        cron = field(document, "cron_expression", str)
        self._plans.set_schedule(user_id(), plan_id, cron, optional(document, "timezone", str))
        return answer({"message": "Plan scheduled", "job_id": f"plan_{plan_id}", "schedule": cron})

    def remove_schedule(self, plan_id: str) -> Response:
        self._plans.remove_schedule(user_id(), plan_id)
        return answer({"message": "Schedule removed"})
