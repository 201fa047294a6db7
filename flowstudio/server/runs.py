"""/api/runs: what runs do, and steering them. /api/executions is the old clients' view of the same runs."""

from flask import Blueprint, Response, request

from flowstudio.engine.model import Answer, Run, RunState
from flowstudio.plan.model import Json
from flowstudio.server.answers import answer
from flowstudio.server.inputs import body, choice, limit, optional, user_id, whole_number, word
from flowstudio.workspace.errors import BadRequestError
from flowstudio.workspace.exports import ExportFormat
from flowstudio.workspace.resumption import iteration_path
from flowstudio.workspace.run_json import (
    failure_as_json,
    held_as_json,
    log_line_as_json,
    question_as_json,
    run_as_json,
    step_as_json,
)
from flowstudio.workspace.run_log import Level
from flowstudio.workspace.services import Services


class RunsApi:
    def __init__(self, services: Services) -> None:
        self._runs = services.runs
        self._exports = services.exports
        self._breakpoints = services.breakpoints
        self._address = services.address

    def blueprint(self) -> Blueprint:
        routes = Blueprint("runs", __name__)
        routes.add_url_rule("/runs", view_func=self.list)
        routes.add_url_rule("/runs/cancel", view_func=self.cancel_all, methods=["POST"])
        routes.add_url_rule("/runs/<run_id>", view_func=self.get)
        routes.add_url_rule("/runs/<run_id>/steps", view_func=self.steps)
        routes.add_url_rule("/runs/<run_id>/export", view_func=self.export)
        routes.add_url_rule("/runs/<run_id>/log", view_func=self.log)
        routes.add_url_rule("/runs/<run_id>/cancel", view_func=self.cancel, methods=["POST"])
        routes.add_url_rule("/runs/<run_id>/pause", view_func=self.pause, methods=["POST"])
        routes.add_url_rule("/runs/<run_id>/answer", view_func=self.answer, methods=["POST"])
        return routes

    def list(self) -> Response:
        state = choice("state", RunState)
        runs = self._runs.list(user_id(), request.args.get("plan_id"), limit(), state)
        return answer({"runs": [self._shown(run) for run in runs]})

    def get(self, run_id: str) -> Response:
        run = self._runs.get(user_id(), run_id)
        document = self._shown(run)
        if run.resume_key and not run.state.is_final:
            document["resume_url"] = self._address.to_resume(run.resume_key)
        if run.state is RunState.PAUSED:
            document["held"] = [held_as_json(step) for step in self._breakpoints.held(user_id(), run_id)]
        document["stalled"] = failure_as_json(self._runs.stalled_by(run))
        if run.state is RunState.INTERRUPTED:
            document["questions"] = [question_as_json(step) for step in self._runs.questions(user_id(), run_id)]
        return answer(document)

    def _shown(self, run: Run) -> dict[str, Json]:
        return {**run_as_json(run), "waits_for": self._runs.waits_for(run)}

    def steps(self, run_id: str) -> Response:
        return answer({"steps": [step_as_json(step) for step in self._runs.steps(user_id(), run_id)]})

    def log(self, run_id: str) -> Response:
        """`next` is the `after` of the next page, null at the end."""
        level, after, most = choice("level", Level) or Level.DEBUG, whole_number("after", 0), limit()
        lines = self._exports.log(user_id(), run_id, level, after, most)
        following = lines[-1].sequence if len(lines) == most else None
        return answer({"lines": [log_line_as_json(line) for line in lines], "next": following})

    def export(self, run_id: str) -> Response:
        """The run as a file; with `step` that step's output as a table."""
        kind = choice("format", ExportFormat) or ExportFormat.JSON
        step_id = request.args.get("step")
        if step_id is None:
            export = self._exports.run(user_id(), run_id, kind)
        elif kind is ExportFormat.CSV:
            path = iteration_path(request.args.get("iteration")) or ()
            export = self._exports.table(user_id(), run_id, step_id, path)
        else:
            raise BadRequestError(
                "`step` goes with `format=csv`: one step's output is a table.", facts={"field": "step"}
            )
        response = Response(export.pieces, content_type=export.content_type)
        response.headers.set("Content-Disposition", "attachment", filename=export.name)
        return response

    def cancel_all(self) -> Response:
        """Stops every run of the user that goes on; how many there were."""
        return answer({"cancelled": self._runs.cancel_all(user_id())})

    def cancel(self, run_id: str) -> Response:
        self._runs.cancel(user_id(), run_id)
        return self.get(run_id)

    def pause(self, run_id: str) -> Response:
        self._runs.pause(user_id(), run_id)
        return self.get(run_id)

    def answer(self, run_id: str) -> Response:
        """What became of a step that was in flight at a crash."""
        document = body()
        self._runs.answer(
            user_id(),
            run_id,
            word(document, "answer", Answer),
            optional(document, "step_id", str),
            iteration_path(optional(document, "iteration", str)) or (),
            document.get("output"),
        )
        return self.get(run_id)
