"""/api/custom-integrations: users' own providers, their credential, and a test request."""

from flask import Blueprint, Response

from flowstudio.providers.custom import provider_id
from flowstudio.providers.errors import ProviderError
from flowstudio.server.answers import answer
from flowstudio.server.credentials import text_values
from flowstudio.server.inputs import body, field, moment, optional, user_id
from flowstudio.workspace.integration_trial import Trial
from flowstudio.workspace.integrations import as_json
from flowstudio.workspace.services import Services


class IntegrationsApi:
    def __init__(self, services: Services) -> None:
        self._integrations = services.integrations
        self._credentials = services.credentials
        self._trials = services.trials

    def blueprint(self) -> Blueprint:
        routes = Blueprint("integrations", __name__)
        many, one = "/custom-integrations", "/custom-integrations/<integration_id>"
        routes.add_url_rule(many, view_func=self.list, methods=["GET"])
        routes.add_url_rule(many, view_func=self.create, methods=["POST"])
        routes.add_url_rule(one, view_func=self.get, methods=["GET"])
        routes.add_url_rule(one, view_func=self.update, methods=["PUT"])
        routes.add_url_rule(one, view_func=self.delete, methods=["DELETE"])
        routes.add_url_rule(f"{one}/credentials", view_func=self.store_credential, methods=["POST"])
        routes.add_url_rule(f"{one}/test", view_func=self.test, methods=["POST"])
        return routes

    def list(self) -> Response:
        return answer([as_json(each) for each in self._integrations.list(user_id())])

    def create(self) -> Response:
        return answer(as_json(self._integrations.create(user_id(), body())), 201)

    def get(self, integration_id: str) -> Response:
        return answer(as_json(self._integrations.get(user_id(), integration_id)))

    def update(self, integration_id: str) -> Response:
        return answer(as_json(self._integrations.update(user_id(), integration_id, body())))

    def delete(self, integration_id: str) -> Response:
        self._integrations.delete(user_id(), integration_id)
        return answer({"message": "Integration deleted"})

    def store_credential(self, integration_id: str) -> Response:
        document = body()
        integration = self._integrations.get(user_id(), integration_id)
        fields = {field(document, "type", str, "api_key"): field(document, "value", str)}
        ids = self._credentials.save(
            user_id(), provider_id(integration.id), fields, expires_at=moment(document, "expires_at")
        )
        return answer({"message": "Credential stored", "credential_id": ids[0]}, 201)

    def test(self, integration_id: str) -> Response:
        """The vendor's answer whatever its status; {"status": "failed", error} when there was none."""
        document = body()
        integration = self._integrations.get(user_id(), integration_id)
        headers = text_values(field(document, "headers", dict, {}), "headers")
        trial = Trial(
            endpoint=field(document, "endpoint", str),
            method=optional(document, "method", str) or "GET",
            headers=headers,
            body=document.get("body"),
        )
        try:
            status, response = self._trials.run(integration, trial)
        except ProviderError as error:
            return answer({"status": "failed", "error": str(error), "code": error.code}, 400)
        return answer({"status": "success", "status_code": status, "response": response})
