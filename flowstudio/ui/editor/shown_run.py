"""ShownRun: a run on a canvas, with the rows and lines the bottom panes show of it."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from flowstudio.plan.model import Plan, StepId
from flowstudio.ui.canvas.look_view import LookView
from flowstudio.ui.icons import Icons
from flowstudio.ui.live_run import LiveRun
from flowstudio.ui.panels.log_model import LogModel
from flowstudio.ui.panels.run_model import RunModel


class ShownRun(QObject):
    """plan: the plan as the canvas shows it, which for a draft goes on to change while its run does not."""

    def __init__(
        self, live: LiveRun, canvas: LookView, plan: Callable[[], Plan], icons: Icons, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.live = live
        self.canvas = canvas
        self._plan = plan
        self.run_model, self.log_model = RunModel(icons), LogModel(icons)
        live.began.connect(self._begin)
        live.events.connect(canvas.show_events)
        live.events.connect(self.run_model.take)
        live.events.connect(self.log_model.append)

    @property
    def plan(self) -> Plan:
        return self._plan()

    def labels(self) -> dict[StepId, str]:
        return {step.id: step.label for step in self.plan.steps}

    def _begin(self) -> None:
        self.canvas.clear_run()
        self.run_model.begin(self.labels())
        self.log_model.begin(self.labels())
