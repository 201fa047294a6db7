"""The Flask application: access checks in front, one resource a module behind, errors in one shape."""

from flask import Flask

from flowstudio.server import problems
from flowstudio.server.access import Access
from flowstudio.server.credentials import CredentialsApi
from flowstudio.server.door import Door
from flowstudio.server.executions import ExecutionsApi
from flowstudio.server.gate import Gate
from flowstudio.server.health import HealthApi
from flowstudio.server.integrations import IntegrationsApi
from flowstudio.server.plans import PlansApi
from flowstudio.server.providers import ProvidersApi
from flowstudio.server.resume import ResumeApi
from flowstudio.server.runs import RunsApi
from flowstudio.server.scheduler import SchedulerApi
from flowstudio.server.steering import SteeringApi
from flowstudio.server.storage import StorageApi
from flowstudio.server.webhooks import WebhooksApi
from flowstudio.workspace.services import Services


def create_app(services: Services, access: Access) -> Flask:
    app = Flask("flowstudio.server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = services.settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = services.settings.max_body_bytes
    app.url_map.strict_slashes = False
    problems.install(app)
    gate = Gate(access)
    gate.install(app)
    for resource in (
        HealthApi(services),
        ProvidersApi(services),
        PlansApi(services),
        ExecutionsApi(services),
        RunsApi(services),
        SteeringApi(services),
        ResumeApi(services),
        SchedulerApi(services),
        IntegrationsApi(services),
        CredentialsApi(services),
        StorageApi(services),
    ):
        app.register_blueprint(resource.blueprint(), url_prefix="/api")
    door = Door(app.wsgi_app, gate, WebhooksApi(services), services.settings.max_body_bytes)
    app.wsgi_app = door  # type: ignore[method-assign]  # as Flask's manual puts it
    return app
