"""/api/runs, what starts and steers: runs of a part of a plan, dry, again or from a failed step; breakpoints."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from flask import Blueprint, Response

from flowstudio.engine.model import PLAIN, IterationPath, RunOptions, TriggerEvent
from flowstudio.plan.model import Json, Plan, StepId, TriggerKind
from flowstudio.server.answers import answer
from flowstudio.server.inputs import body, field, flag, optional, user_id, word
from flowstudio.workspace.breakpoints import InputEdit
from flowstudio.workspace.errors import BadRequestError
from flowstudio.workspace.reruns import Mode, Revision, Target
from flowstudio.workspace.resumption import iteration_path
from flowstudio.workspace.reuse import Choices, Missing, Stale
from flowstudio.workspace.run_json import run_as_json
from flowstudio.workspace.services import Services

Document = dict[str, Any]
Word = TypeVar("Word", Mode, Revision, Missing, Stale)

WAIT_LIMIT_S = 600.0
"""How long ?wait=true waits for the end before it answers 202 and the run goes on."""


class SteeringApi:
    def __init__(self, services: Services) -> None:
        self._plans = services.plans
        self._runs = services.runs
        self._reruns = services.reruns
        self._breakpoints = services.breakpoints

    def blueprint(self) -> Blueprint:
        routes = Blueprint("steering", __name__)
        routes.add_url_rule("/runs", view_func=self.start, methods=["POST"])
        routes.add_url_rule("/runs/<run_id>/again", view_func=self.again, methods=["POST"])
        routes.add_url_rule("/runs/<run_id>/restart", view_func=self.restart, methods=["POST"])
        routes.add_url_rule("/runs/<run_id>/breakpoints", view_func=self.set_breakpoints, methods=["POST"])
        routes.add_url_rule("/runs/<run_id>/resume", view_func=self.resume, methods=["POST"])
        routes.add_url_rule("/runs/<run_id>/step-over", view_func=self.step_over, methods=["POST"])
        return routes

    def start(self) -> Response:
        """The plan stored under execution_plan_id, or that of the run based_on; all of it or a part."""
        document, options = body(), _options()
        mode, based_on = _word("mode", Mode) or Mode.RUN, optional(document, "based_on", str)
        plan = self._plan(document, based_on)
        trigger = TriggerEvent(TriggerKind.MANUAL, document["trigger_data"]) if "trigger_data" in document else None
        if mode is Mode.RUN and based_on is not None and trigger is None:
            revision = Revision.CURRENT if "execution_plan_id" in document else _revision()
            return self._started(self._reruns.again(user_id(), based_on, revision, self._options_like(based_on)))
        if mode is Mode.RUN:
            if based_on is not None:
                options = replace(options, based_on=self._runs.get(user_id(), based_on).id)
            return self._started(self._runs.start(user_id(), plan, trigger, options=options))
        target = Target(field(document, "step_id", str), mode is Mode.FROM, _iteration(document))
        run_id = self._reruns.part(
            user_id(), plan, target, based_on=based_on, trigger=trigger, choices=_choices(), options=options
        )
        return self._started(run_id)

    def again(self, run_id: str) -> Response:
        """The whole plan with the input of this run."""
        return self._started(self._reruns.again(user_id(), run_id, _revision(), self._options_like(run_id)))

    def restart(self, run_id: str) -> Response:
        """From where this run failed."""
        options = self._options_like(run_id)
        return self._started(self._reruns.restart(user_id(), run_id, _revision(), _choices(), options))

    def set_breakpoints(self, run_id: str) -> Response:
        """Replaces those of a run under way."""
        self._breakpoints.set(user_id(), run_id, _conditions(field(body(), "breakpoints", dict)))
        return self._state(run_id)

    def resume(self, run_id: str) -> Response:
        edits = [_edit(each) for each in field(body(), "edits", list, [])]
        self._breakpoints.resume(user_id(), run_id, edits)
        return self._state(run_id)

    def step_over(self, run_id: str) -> Response:
        document = body()
        step_id, path = optional(document, "step_id", str), _iteration(document) or ()
        self._breakpoints.step_over(user_id(), run_id, step_id, path, field(document, "params", dict, {}))
        return self._state(run_id)

    def _plan(self, document: Document, based_on: str | None) -> Plan:
        plan_id = optional(document, "execution_plan_id", str)
        if plan_id is not None:
            return self._plans.get(user_id(), plan_id).plan
        if based_on is None:
            sentence = "`execution_plan_id` or `based_on` is missing: say which plan is to run."
            raise BadRequestError(sentence, facts={"field": "execution_plan_id"})
        return self._reruns.revision(user_id(), based_on, _revision())

    def _options_like(self, run_id: str) -> RunOptions:
        """Dry, or with pins, as that run was, unless the request says otherwise."""
        base = self._runs.get(user_id(), run_id).options
        return _options(is_dry=base.is_dry, uses_pins=base.uses_pins)

    def _started(self, run_id: str) -> Response:
        ended = flag("wait", default=False) and self._runs.wait(run_id, WAIT_LIMIT_S) is not None
        response = self._state(run_id, 200 if ended else 202)
        response.headers["Location"] = f"/api/runs/{run_id}"
        return response

    def _state(self, run_id: str, status: int = 200) -> Response:
        return answer(run_as_json(self._runs.get(user_id(), run_id)), status)


def _word(name: str, kind: type[Word]) -> Word | None:
    return None if body().get(name) is None else word(body(), name, kind)


def _revision() -> Revision:
    return _word("plan", Revision) or Revision.ORIGINAL


def _choices() -> Choices:
    return Choices(_word("missing", Missing), _word("stale", Stale))


def _options(*, is_dry: bool = False, uses_pins: bool = False) -> RunOptions:
    document = body()
    options = RunOptions(
        is_dry=_yes(document, "dry_run", is_dry),
        uses_pins=_yes(document, "pins", uses_pins),
        breakpoints=_conditions(field(document, "breakpoints", dict, {})),
    )
    return PLAIN if options == PLAIN else options


def _yes(document: Document, name: str, otherwise: bool) -> bool:
    said = optional(document, name, bool)
    return otherwise if said is None else said


def _conditions(breakpoints: Mapping[str, Json]) -> dict[StepId, str]:
    """Step id -> condition; null stands for always, like an empty text."""
    for step_id, condition in breakpoints.items():
        if condition is not None and not isinstance(condition, str):
            sentence = f"The condition of the breakpoint before “{step_id}” must be text; empty means always."
            raise BadRequestError(sentence, facts={"field": "breakpoints"})
    return {step_id: str(condition or "") for step_id, condition in breakpoints.items()}


def _iteration(document: Document) -> IterationPath | None:
    return iteration_path(optional(document, "iteration", str))


def _edit(document: object) -> InputEdit:
    if not isinstance(document, dict):
        raise BadRequestError("An entry of `edits` must be an object.", facts={"field": "edits"})
    path = _iteration(document) or ()
    return InputEdit(field(document, "step_id", str), path, field(document, "params", dict))
