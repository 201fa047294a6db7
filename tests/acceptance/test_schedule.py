"""What starts by the clock really starts, and never twice.

What is proven here, in the product's words: a schedule fires.
"""

from typing import Any

import pytest
from conftest import Serve
from plans import old_plan, old_step
from polling import until

A_MINUTE_AND_A_BIT = 75


def _is_over(logs: list[Any]) -> bool:
    return bool(logs) and all(each["status"] not in ("pending", "running") for each in logs)


@pytest.mark.slow
def test_a_schedule_fires_at_the_full_minute(serve: Serve) -> None:
    server = serve()
    plan = server.post("/api/execution-plans", old_plan("Tick", old_step("logic", "transform", template="tick")), 201)
    server.post(f"/api/execution-plans/{plan['id']}/schedule", {"cron_expression": "* * * * *", "timezone": "UTC"})

    logs = until(lambda: server.get("/api/execution-logs"), _is_over, A_MINUTE_AND_A_BIT)

    assert [each["status"] for each in logs] == ["success"]
    assert logs[0]["id"].startswith(f"cron:plan_{plan['id']}:")
    assert logs[0]["timestamp"][17:19] == "00"


@pytest.mark.slow
def test_two_processes_on_one_folder_fire_once(serve: Serve) -> None:
    first, _second = serve(), serve()
    plan = first.post("/api/execution-plans", old_plan("Tick", old_step("logic", "transform", template="tick")), 201)
    first.post(f"/api/execution-plans/{plan['id']}/schedule", {"cron_expression": "* * * * *"})
    until(lambda: first.get("/api/execution-logs"), bool, A_MINUTE_AND_A_BIT)
    assert len(first.get("/api/execution-logs")) == 1
