"""RunCommands: the ways to start and steer runs, from menus and keys, done to the tab in front."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal

from flowstudio.engine.model import RunState
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import StepId
from flowstudio.ui.chrome.commands import Actions
from flowstudio.ui.editor.pinning import toggle_pin
from flowstudio.ui.editor.plan_tab import PlanTab
from flowstudio.ui.editor.run_banner import GOING, can_continue, can_step
from flowstudio.ui.tasks import Task
from flowstudio.workspace.services import Services


class RunCommands(QObject):
    """front: the tab in front, None while no plan is open."""

    told = Signal(str)
    failed = Signal(object)  # FlowStudioError

    def __init__(
        self, actions: Actions, front: Callable[[], PlanTab | None], services: Services, user_id: str, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._front = front
        self._services = services
        self._user_id = user_id
        actions.connect(
            {
                "run-step": lambda: self._with_step(self.run_step),
                "run-from": lambda: self._with_step(lambda tab, step_id: tab.run_part(step_id, goes_on=True)),
                "run-again": lambda: self._with_tab(PlanTab.run_again),
                "restart": lambda: self._with_tab(PlanTab.restart),
                "continue": lambda: self._with_tab(lambda tab: tab.shown.live.resume()),
                "step-over": lambda: self._with_tab(lambda tab: tab.shown.live.step_over()),
                "pause": lambda: self._with_tab(lambda tab: tab.shown.live.pause()),
                "stop-all": self.stop_all,
                "breakpoint": lambda: self._with_tab(_toggle_breakpoints),
                "breakpoints-off": lambda: self._with_tab(PlanTab.clear_breakpoints),
                "pin": lambda: self._with_step(self.pin),
            }
        )

    def run_step(self, tab: PlanTab, step_id: StepId) -> None:
        if not tab.live_run.is_active:
            tab.run_part(step_id)

    def pin(self, tab: PlanTab, step_id: StepId) -> None:
        if tab.past is None:
            toggle_pin(tab, self._services, step_id)

    def stop_all(self) -> None:
        """Every run of the user, whoever started it; the window need not show it."""

        def tell(count: int) -> None:
            self.told.emit("No run is under way." if not count else f"Stopped {count} run{'' if count == 1 else 's'}.")

        runs, user_id = self._services.runs, self._user_id
        Task(lambda: runs.cancel_all(user_id), self).success(tell).failure(self._fail).start()

    def enable(self) -> None:
        """Offers what can be done to the run in front, and to the selected steps."""
        self._actions.enable(offered(self._front()))

    def _fail(self, error: FlowStudioError) -> None:
        self.failed.emit(error)

    def _with_tab(self, act: Callable[[PlanTab], object]) -> None:
        tab = self._front()
        if tab is not None:
            act(tab)

    def _with_step(self, act: Callable[[PlanTab, StepId], object]) -> None:
        tab = self._front()
        chosen = tab.shown.canvas.selected_ids() if tab is not None else []
        if tab is not None and len(chosen) == 1:
            act(tab, chosen[0])


def offered(tab: PlanTab | None) -> Mapping[str, bool]:
    """Which run commands make sense now."""
    if tab is None:
        return dict.fromkeys(NEED_A_PLAN, False)
    live, chosen = tab.shown.live, tab.shown.canvas.selected_ids()
    is_editing, is_busy, has_ended = tab.past is None, tab.live_run.is_active, live.end is not None
    is_held = can_continue(live)
    may_start = not is_busy and not is_held  # F5 goes on with what is paused
    return {
        "run": may_start,
        "run-input": may_start,
        "run-dry": may_start,
        "run-step": is_editing and not is_busy and len(chosen) == 1,
        "run-from": is_editing and not is_busy and len(chosen) == 1,
        "run-again": has_ended and not (is_editing and is_busy),
        "restart": live.state in (RunState.FAILED, RunState.CANCELLED),
        "continue": is_held,
        "step-over": can_step(live),
        "pause": live.state in GOING,
        "stop": live.is_active,
        "breakpoint": bool(chosen),
        "breakpoints-off": bool(tab.breakpoints),
        "pin": is_editing and len(chosen) == 1,
    }


NEED_A_PLAN = (
    "run",
    "run-input",
    "run-dry",
    "run-step",
    "run-from",
    "run-again",
    "restart",
    "continue",
    "step-over",
    "pause",
    "stop",
    "breakpoint",
    "breakpoints-off",
    "pin",
)


def _toggle_breakpoints(tab: PlanTab) -> None:
    chosen = tab.shown.canvas.selected_ids()
    if chosen:
        tab.toggle_breakpoints(chosen)
