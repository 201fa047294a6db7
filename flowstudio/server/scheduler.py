"""GET /api/scheduler/jobs."""

from flask import Blueprint, Response

from flowstudio.server.answers import answer
from flowstudio.server.inputs import user_id
from flowstudio.workspace.plan_json import iso
from flowstudio.workspace.services import Services


class SchedulerApi:
    def __init__(self, services: Services) -> None:
        self._schedules = services.schedules

    def blueprint(self) -> Blueprint:
        routes = Blueprint("scheduler", __name__)
        routes.add_url_rule("/scheduler/jobs", view_func=self.jobs)
        return routes

    def jobs(self) -> Response:
        jobs = [
            {
                "id": job.id,
                "name": job.plan_name,
                "trigger": f"cron[{job.cron_expression}] {job.timezone}",
                "next_run": iso(job.next_fire),
            }
            for job in self._schedules.jobs(user_id())
        ]
        return answer({"total": len(jobs), "jobs": jobs})
