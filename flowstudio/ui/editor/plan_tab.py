"""PlanTab: one open plan in a tab: its canvas, its run, and how it stands to what is published."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flowstudio.engine.model import TriggerEvent
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import StepId
from flowstudio.providers.registry import Registry
from flowstudio.ui.canvas.faces import HasCredential
from flowstudio.ui.canvas.view import CanvasView
from flowstudio.ui.live_run import LiveRun
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.panels.log_model import LogModel
from flowstudio.ui.panels.run_model import RunModel
from flowstudio.ui.tasks import Task
from flowstudio.ui.theme import Appearance
from flowstudio.workspace.edit_session import EditSession
from flowstudio.workspace.errors import NoSuchPlanError
from flowstudio.workspace.ports import PlanRecord
from flowstudio.workspace.services import Services


class PlanTab(QWidget):
    """`changed` whenever what the toolbar or the tab's title say may be different."""

    changed = Signal()
    told = Signal(str)
    failed = Signal(object)  # FlowStudioError

    def __init__(
        self,
        session: EditSession,
        services: Services,
        registry: Registry,
        appearance: Appearance,
        has_credential: HasCredential,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self.record: PlanRecord | None = None
        self._was_shown = False
        self.open_plan = OpenPlan(session, services, self)
        self.live_run = LiveRun(services, session.user_id, self)
        self.run_model, self.log_model = RunModel(appearance.icons), LogModel(appearance.icons)
        self.canvas = CanvasView(
            session, self.open_plan.undo, registry, appearance.palette, appearance.icons, has_credential
        )
        self.canvas.setAccessibleName("Canvas")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)
        self.setFocusProxy(self.canvas)
        self._join(appearance)
        self.open_plan.check()
        self.look_up()

    @property
    def title(self) -> str:
        """The plan's name, starred while it holds what was neither published nor saved."""
        name = self.open_plan.plan.name or "Untitled plan"
        return f"{name} *" if self.open_plan.session.is_dirty else name

    @property
    def standing(self) -> tuple[str, str]:
        """How the draft stands to the published plan, and in which tone to say it."""
        if self.record is None:
            return "Draft", ""
        if self.record.plan == self.open_plan.plan:
            return (f"Live, version {self.record.revision}", "ok") if self.record.enabled else ("Paused", "waiting")
        return "Unpublished changes", "warning"

    def labels(self) -> dict[StepId, str]:
        return {step.id: step.label for step in self.open_plan.plan.steps}

    def take(self, event: object) -> None:
        """An event of the bus that is about no run."""
        self.open_plan.take(event)

    def run(self, trigger: TriggerEvent) -> None:
        self.live_run.start(self.open_plan.plan, trigger)

    def publish(self) -> None:
        """Makes the draft the live revision."""
        plan, user_id, plans = self.open_plan.plan, self.open_plan.user_id, self._services.plans

        def show(record: PlanRecord) -> None:
            self.record = record
            if self.open_plan.plan == plan and self.open_plan.session.is_open:
                self.open_plan.session.mark_saved()
            self.told.emit(f"Published “{plan.name}”, version {record.revision}.")
            self.changed.emit()

        Task(lambda: plans.save_plan(user_id, plan), self).success(show).failure(self.failed.emit).start()

    def switch_live(self, is_on: bool) -> None:
        """Whether what is published may start by itself."""
        plan_id, user_id, plans = self.open_plan.plan.id, self.open_plan.user_id, self._services.plans

        def show(record: PlanRecord) -> None:
            self.record = record
            self.changed.emit()

        def refuse(error: FlowStudioError) -> None:
            self.changed.emit()  # the switch goes back to what is true
            self.failed.emit(error)

        Task(lambda: plans.update(user_id, plan_id, {"enabled": is_on}), self).success(show).failure(refuse).start()

    def look_up(self) -> None:
        """Asks for the published revision, if there is one."""
        plan_id, user_id, plans = self.open_plan.plan.id, self.open_plan.user_id, self._services.plans

        def find() -> PlanRecord | None:
            try:
                return plans.get(user_id, plan_id)
            except NoSuchPlanError:
                return None

        def show(record: PlanRecord | None) -> None:
            self.record = record
            self.changed.emit()

        Task(find, self).success(show).start()

    def showEvent(self, event: QShowEvent) -> None:
        """The plan is fitted into view once, when the tab has its real size."""
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            QTimer.singleShot(0, self.canvas, self.canvas.fit_all)

    def _join(self, appearance: Appearance) -> None:
        self.open_plan.edited.connect(self._show_changes)
        self.open_plan.saved.connect(self.changed)
        self.open_plan.refused.connect(self.failed)
        self.open_plan.undo.indexChanged.connect(self.changed)
        self.live_run.began.connect(self._begin_run)
        self.live_run.events.connect(self.canvas.show_events)
        self.live_run.events.connect(self.run_model.take)
        self.live_run.events.connect(self.log_model.append)
        self.live_run.changed.connect(self.changed)
        self.live_run.failed_to_start.connect(self.failed)
        self.canvas.status.connect(self.told)
        appearance.changed.connect(self.canvas.set_palette)

    def _begin_run(self) -> None:
        self.canvas.clear_run()
        self.run_model.begin(self.labels())
        self.log_model.begin(self.labels())

    def _show_changes(self, changes: Iterable[object]) -> None:
        self.canvas.apply_changes(changes)
        self.changed.emit()


def tab_of(widget: QObject | None) -> PlanTab | None:
    return widget if isinstance(widget, PlanTab) else None
