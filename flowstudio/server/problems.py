"""Every error as {"error": sentence, "code", "details"} with the right status; never a traceback."""

import logging
from collections.abc import Mapping

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from flowstudio.engine.errors import BreakpointError, NotInterruptedError, NotWaitingError, StalledError
from flowstudio.errors import FlowStudioError
from flowstudio.plan.expression import ExpressionError
from flowstudio.plan.rules import PlanError
from flowstudio.scheduling.errors import ScheduleError
from flowstudio.server.access import AccessError
from flowstudio.server.answers import answer
from flowstudio.workspace.errors import (
    BadRequestError,
    DatabaseLockedError,
    DiskFullError,
    NoSuchIntegrationError,
    NoSuchPlanError,
    NoSuchRunError,
    NoSuchWebhookError,
    OutputsNeededError,
    PlanNotRunnableError,
    PlanTakenError,
    RunStateError,
    StorageError,
    UnstorableValueError,
    WebhookSecretError,
    WebhookTakenError,
)

_STATUS: tuple[tuple[type[FlowStudioError], int], ...] = (
    (NoSuchPlanError, 404),
    (NoSuchRunError, 404),
    (NoSuchWebhookError, 404),
    (NoSuchIntegrationError, 404),
    (WebhookTakenError, 409),
    (PlanTakenError, 409),
    (RunStateError, 409),
    (OutputsNeededError, 409),
    (BreakpointError, 400),
    (NotInterruptedError, 409),
    (NotWaitingError, 409),
    (WebhookSecretError, 401),
    (PlanNotRunnableError, 400),
    (BadRequestError, 400),
    (PlanError, 400),
    (ExpressionError, 400),
    (ScheduleError, 400),
    (UnstorableValueError, 400),
    (StalledError, 503),
    (DiskFullError, 507),
    (DatabaseLockedError, 503),
    (StorageError, 503),
)
"""The first match wins; what is not listed is 500, with its sentence."""

log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    app.register_error_handler(Exception, response_to)


def response_to(error: Exception) -> Response:
    """What the caller is told of any error."""
    if isinstance(error, FlowStudioError):
        return known(error)
    return refused(error) if isinstance(error, HTTPException) else unexpected(error)


def known(error: FlowStudioError) -> Response:
    status = status_of(error)
    if status >= 500:
        log.error("%s: %s", error.code, error)
    return problem(str(error), status, error.code, error.facts)


def status_of(error: FlowStudioError) -> int:
    if isinstance(error, AccessError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def refused(error: HTTPException) -> Response:
    """What Flask itself refuses: an unknown address, a method, a body that is too large."""
    status = error.code or 500
    sentences = {
        404: "There is nothing at this address.",
        405: "This address does not know that method.",
        413: "The body is larger than this server accepts.",
    }
    response = problem(sentences.get(status, error.description or error.name), status, f"http.{status}")
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def unexpected(error: Exception) -> Response:
    """A bug of ours: its traceback goes to the log, the caller gets a sentence."""
    log.error("A request failed on a bug", exc_info=error)
    return problem("FlowStudio made a mistake on this request; its log file holds the details.", 500, "flowstudio.bug")


def problem(sentence: str, status: int, code: str = "", details: Mapping[str, object] | None = None) -> Response:
    document: dict[str, object] = {"error": sentence}
    if code:
        document["code"] = code
    if details:
        document["details"] = dict(details)
    return answer(document, status)
