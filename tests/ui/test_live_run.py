"""A run met late: the stored part, what came meanwhile, what comes after."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from pytestqt.qtbot import QtBot

from flowstudio.engine.events import RunEvent, RunStarted, StepStarted, StepSucceeded
from flowstudio.engine.model import Run, RunState, StepRun, StepState, TriggerEvent
from flowstudio.plan.model import Plan, Step
from flowstudio.ui.live_run import LiveRun
from flowstudio.workspace.services import Services

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = Plan("p", "P", steps=(Step("a", "logic", "transform"), Step("b", "logic", "transform")))
RUN = Run("r", "local", PLAN, RunState.RUNNING, TriggerEvent(), NOW, NOW)
STORED = StepRun("r", "a", (), StepState.SUCCEEDED, 1, ports=("out",), output=[1, 2])


def succeeded(step_id: str) -> StepSucceeded:
    return StepSucceeded("r", NOW, step_id, (), 1, 2, 1.0, ("out",))


def test_what_came_while_the_store_was_read_is_told_once_and_in_order(qtbot: QtBot) -> None:
    runs = SimpleNamespace(get=lambda user, run: RUN, steps=lambda user, run: [STORED], waits_for=lambda run: None)
    exports = SimpleNamespace(whole_log=lambda user, run: [])
    live = LiveRun(cast(Services, SimpleNamespace(runs=runs, exports=exports)), "local")
    told: list[RunEvent] = []
    live.events.connect(told.extend)
    live.watch(RUN)
    live.take([RunStarted("r", NOW, "local", "p", "P", "manual"), succeeded("a"), succeeded("b")])
    assert not told
    qtbot.waitUntil(lambda: bool(told))
    assert [type(event) for event in told].count(RunStarted) == 1
    assert [event.step_id for event in told if isinstance(event, StepSucceeded)] == ["a", "b"]
    assert live.items == 4
    live.take([StepStarted("r", NOW, "a", (), 1), succeeded("a")])  # late news of what the store told
    assert live.items == 4
