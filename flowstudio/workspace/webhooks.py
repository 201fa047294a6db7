"""Webhooks: from a request at a path to the run it starts, and the answer it gets."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flowstudio.engine.model import Run, StepRun, TriggerEvent
from flowstudio.plan.model import Json, Trigger, TriggerKind
from flowstudio.workspace.errors import NoSuchWebhookError, WebhookSecretError
from flowstudio.workspace.live_plans import LivePlans
from flowstudio.workspace.plans import clean_path
from flowstudio.workspace.ports import PlanRecord
from flowstudio.workspace.routes import Routes
from flowstudio.workspace.runs import Runs

SECRET_HEADER = "x-webhook-secret"
SECRET_QUERY = "secret"
DELIVERY_HEADERS = ("x-delivery-id", "x-github-delivery", "idempotency-key")
"""Where senders name a delivery; a repeat of the same one meets the run of the first."""

PRIVATE_HEADERS = frozenset(
    {
        SECRET_HEADER,
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
        "x-hub-signature",
        "x-hub-signature-256",
    }
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it came in. headers with the sender's spelling; query values are text or a list of texts.

    is_foreign_page: a browser sent it for a page that is not welcome here.
    """

    path: str
    method: str
    headers: Mapping[str, str]
    query: Mapping[str, Json]
    body: Json
    received_at: datetime
    is_foreign_page: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """run is None when it had neither answered nor ended within the time given; steps: its results, if at hand."""

    user_id: str
    run_id: str
    run: Run | None
    steps: Sequence[StepRun] | None = None


class Webhooks:
    """Thread-safe. A plan that is switched off has no webhook, as strangers see it."""

    def __init__(self, routes: Routes, live: LivePlans, runs: Runs) -> None:
        self._routes = routes
        self._live = live
        self._runs = runs

    def deliver(self, delivery: Delivery, wait_s: float) -> Delivered:
        """Runs the plan whose trigger owns the path and waits for its answer or end, wait_s seconds at most.

        Raises NoSuchWebhookError, WebhookSecretError, PlanNotRunnableError.
        """
        record, trigger = self._find(delivery.path)
        _check_secret(trigger, delivery)
        event = TriggerEvent(TriggerKind.WEBHOOK, trigger_data(delivery), trigger.id)
        run_id = _run_id(record, trigger, delivery)
        if run_id is None:
            run_id, performed = self._runs.perform(record.user_id, record.plan, event, wait_s)
            return Delivered(record.user_id, run_id, performed.run, performed.steps)
        self._runs.start(record.user_id, record.plan, event, run_id)
        return Delivered(record.user_id, run_id, self._runs.wait_for_reply(run_id, wait_s))

    def _find(self, path: str) -> tuple[PlanRecord, Trigger]:
        route = self._routes.find(clean_path(path))
        record = self._live.of(route.plan) if route else None
        if route is not None and record is not None and record.enabled:
            for trigger in record.plan.triggers:
                if trigger.id == route.trigger_id and trigger.enabled:
                    return record, trigger
        raise NoSuchWebhookError("Webhook not found")


def trigger_data(delivery: Delivery) -> dict[str, Json]:
    """What the run reads as `{{ trigger }}`: the request without what authenticated it."""
    return {
        "method": delivery.method,
        "headers": {name: text for name, text in delivery.headers.items() if name.lower() not in PRIVATE_HEADERS},
        "body": delivery.body,
        "query": {name: value for name, value in delivery.query.items() if name != SECRET_QUERY},
        "timestamp": delivery.received_at.astimezone(UTC).isoformat(),
    }


def _header(delivery: Delivery, name: str) -> str:
    return next((text for key, text in delivery.headers.items() if key.lower() == name), "")


def _check_secret(trigger: Trigger, delivery: Delivery) -> None:
    """The secret is shown in the X-Webhook-Secret header or, for senders that set no header, as `?secret=`."""
    secret = trigger.config.get("webhook_secret")
    if not isinstance(secret, str) or not secret:
        if delivery.is_foreign_page:
            # Any page a browser shows could reach an open webhook on this computer; only a secret tells friends apart.
            raise WebhookSecretError(
                "A page from elsewhere may not call this webhook.", fix="Give the webhook a secret and send it."
            )
        return
    shown = _header(delivery, SECRET_HEADER) or delivery.query.get(SECRET_QUERY)
    given = shown if isinstance(shown, str) else ""
    if not hmac.compare_digest(given.encode(), secret.encode()):
        raise WebhookSecretError(
            "This webhook wants its secret.",
            fix="Send it in the X-Webhook-Secret header, or as ?secret= when the sender cannot set headers.",
        )


def _run_id(record: PlanRecord, trigger: Trigger, delivery: Delivery) -> str | None:
    """The same id for a repeat of the same delivery at the same webhook; None when the sender names none."""
    named = next((text for name in DELIVERY_HEADERS if (text := _header(delivery, name))), "")
    if not named:
        return None
    parts = "\0".join((record.user_id, record.id, trigger.id, named))
    return f"webhook:{hashlib.sha256(parts.encode()).hexdigest()[:40]}"
