"""/api/provider-credentials. Values go in and never come out."""

from typing import Any

from flask import Blueprint, Response

from flowstudio.server.answers import answer
from flowstudio.server.inputs import body, field, moment, user_id
from flowstudio.server.problems import problem
from flowstudio.vault.ports import DEFAULT_NAME
from flowstudio.workspace.errors import BadRequestError
from flowstudio.workspace.plan_json import iso
from flowstudio.workspace.services import Services


class CredentialsApi:
    def __init__(self, services: Services) -> None:
        self._credentials = services.credentials

    def blueprint(self) -> Blueprint:
        routes = Blueprint("credentials", __name__)
        many, one = "/provider-credentials", "/provider-credentials/<name>"
        routes.add_url_rule(many, view_func=self.list, methods=["GET"])
        routes.add_url_rule(many, view_func=self.store, methods=["POST"])
        routes.add_url_rule(one, view_func=self.store_all, methods=["POST"])
        routes.add_url_rule(one, view_func=self.delete, methods=["DELETE"])
        return routes

    def list(self) -> Response:
        """One entry a credential, without values."""
        return answer(
            [
                {
                    "id": each.id,
                    "provider": each.provider,
                    "name": each.name,
                    "type": each.types[0] if each.types else None,
                    "types": [*each.types],
                    "expires_at": iso(each.expires_at),
                    "created_at": iso(each.created_at),
                }
                for each in self._credentials.list(user_id())
            ]
        )

    def store(self) -> Response:
        document = body()
        provider = field(document, "provider", str)
        fields = {field(document, "type", str, "api_key"): field(document, "value", str)}
        return self._save(provider, fields, document)

    def store_all(self, name: str) -> Response:
        document = body()
        return self._save(name, text_values(field(document, "credentials", dict), "credentials"), document)

    def delete(self, name: str) -> Response:
        if not self._credentials.delete(user_id(), name):
            return problem("Credential not found", 404, "workspace.no_credential")
        return answer({"message": "Credential deleted"})

    def _save(self, provider: str, fields: dict[str, str], document: dict[str, Any]) -> Response:
        name = field(document, "name", str, DEFAULT_NAME)
        ids = self._credentials.save(user_id(), provider, fields, name, moment(document, "expires_at"))
        return answer({"message": "Credential stored", "credential_id": ids[0], "credential_ids": [*ids]}, 201)


def text_values(values: dict[str, Any], place: str) -> dict[str, str]:
    """Name -> value, all of them text. The sentence names the field, never what it held."""
    for key, value in values.items():
        if not isinstance(value, str):
            raise BadRequestError(f"`{place}.{key}` must be text.", facts={"field": f"{place}.{key}"})
    return values
