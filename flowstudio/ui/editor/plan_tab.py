"""PlanTab: one open plan in a tab: its canvas, its run, and how it stands to what is published."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from flowstudio.engine.events import RunEvent, StepStarted
from flowstudio.engine.model import PLAIN, IterationPath, Run, RunOptions, RunState, TriggerEvent
from flowstudio.errors import FlowStudioError
from flowstudio.plan.diff import Difference, difference
from flowstudio.plan.model import Plan, StepId
from flowstudio.providers.registry import Registry
from flowstudio.ui.answer_menu import AnswerMenu
from flowstudio.ui.canvas.faces import HasCredential
from flowstudio.ui.canvas.view import CanvasView
from flowstudio.ui.editor.past_run import PastRunView
from flowstudio.ui.editor.run_banner import RunBanner
from flowstudio.ui.editor.shown_run import ShownRun
from flowstudio.ui.held_sessions import HeldSession
from flowstudio.ui.live_run import LiveRun
from flowstudio.ui.moments import moment
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.tasks import Task
from flowstudio.ui.theme import Appearance
from flowstudio.workspace.errors import NoSuchPlanError
from flowstudio.workspace.ports import PlanRecord
from flowstudio.workspace.reruns import ASK, Target
from flowstudio.workspace.reuse import Choices
from flowstudio.workspace.services import Services

Asked = Callable[[Choices], object]
"""Starts a run, with what a person says to outputs that are missing or stale."""
STANDING = {
    RunState.WAITING: "waits",
    RunState.PAUSED: "is paused",
    RunState.INTERRUPTED: "is interrupted",
}
FOLLOW_EVERY_MS = 200  # the view goes from step to step no faster than an eye can


class PlanTab(QWidget):
    """`changed` whenever what the toolbar or the tab's title say may be different.

    `shown_changed` when another run comes to the front: an old one in place of the draft's, or the draft's again.
    """

    changed = Signal()
    shown_changed = Signal()
    selected = Signal(list)  # step ids, on the canvas in front
    activated = Signal()  # a step was double-clicked or entered
    menu_wanted = Signal(object)  # MenuPlace, on the canvas in front
    told = Signal(str)
    failed = Signal(object)  # FlowStudioError

    def __init__(
        self,
        held: HeldSession,
        services: Services,
        registry: Registry,
        appearance: Appearance,
        has_credential: HasCredential,
        actions: Mapping[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._registry, self._appearance, self._has_credential = registry, appearance, has_credential
        self._follow = actions["follow-run"]
        self.record: PlanRecord | None = None
        self.breakpoints: dict[StepId, str] = {}
        """Of this window alone, for as long as the tab is open: step id -> condition, "" for always."""
        self.asked: Asked | None = None
        """The run a person wanted last that builds on stored outputs: to be answered for when some are missing."""
        self._was_shown = False
        session = held.session
        self.open_plan = OpenPlan(session, services, self, held.undo)
        self.live_run = LiveRun(services, session.user_id, self)
        self.canvas = CanvasView(
            session, self.open_plan.undo, registry, appearance.palette, appearance.icons, has_credential
        )
        self.own_run = ShownRun(self.live_run, self.canvas, lambda: self.open_plan.plan, appearance.icons, self)
        self.past: PastRunView | None = None
        self._stack = QStackedWidget()
        self._stack.addWidget(self.canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self.banner = RunBanner(appearance.icons, actions, self)
        self._next_follow = QTimer(self, singleShot=True, interval=FOLLOW_EVERY_MS)
        self.setFocusProxy(self.canvas)
        self._join()
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
            changes = count_changes(difference(self.open_plan.session.saved, self.open_plan.plan))
            return _draft_text(changes), "warning" if changes else ""
        if self.record.plan == self.open_plan.plan:
            return (f"Live, version {self.record.revision}", "ok") if self.record.enabled else ("Paused", "waiting")
        return _draft_text(count_changes(difference(self.record.plan, self.open_plan.plan))), "warning"

    @property
    def shown(self) -> ShownRun:
        """The run in front: an old one while it is looked at, else the draft's."""
        return self.past.shown if self.past is not None else self.own_run

    def take(self, event: object) -> None:
        """An event of the bus that is about no run."""
        self.open_plan.take(event)

    def take_run_events(self, events: Sequence[RunEvent]) -> None:
        self.live_run.take(events)
        if self.past is not None:
            self.past.shown.live.take(events)

    # runs

    def run(self, trigger: TriggerEvent, *, is_dry: bool = False) -> None:
        self.back_to_editing()
        self.live_run.start(self.open_plan.plan, trigger, self._options(is_dry=is_dry))

    def run_part(self, step_id: StepId, *, goes_on: bool = False) -> None:
        """Runs one step of the draft, or all from it on, with stored outputs of what leads to it."""
        self.back_to_editing()
        target = Target(step_id, goes_on)
        self._ask(lambda choices: self.live_run.start_part(self.open_plan.plan, target, self._options(), choices))

    def restart(self) -> None:
        """Goes on where the run in front failed or was stopped: an old one with its own plan, else with the draft."""
        base_id = self.shown.live.run_id
        if base_id is None:
            return
        if self.past is not None:
            reruns, user_id = self._services.reruns, self.open_plan.user_id
            self._ask(lambda choices: self._follow_up(lambda: reruns.restart(user_id, base_id, choices=choices)))
        else:
            options = self._options(is_dry=self.live_run.options.is_dry)
            self._ask(lambda choices: self.live_run.restart(self.open_plan.plan, base_id, options, choices))

    def run_again(self) -> None:
        """Runs once more with the input of the run in front: the plan of an old run, else the draft."""
        if self.past is not None:
            reruns, user_id, base_id = self._services.reruns, self.open_plan.user_id, self.past.run.id
            self._follow_up(lambda: reruns.again(user_id, base_id))
        else:
            self.run(TriggerEvent(data=self.live_run.input), is_dry=self.live_run.options.is_dry)

    def _ask(self, start: Asked) -> None:
        self.asked = start
        start(ASK)

    def _follow_up(self, begin: Callable[[], str]) -> None:
        """Starts a run of an old run's plan in the background, and looks at it."""
        runs, user_id = self._services.runs, self.open_plan.user_id
        Task(lambda: runs.get(user_id, begin()), self).success(self.view_run).failure(self.failed.emit).start()

    def _options(self, *, is_dry: bool = False) -> RunOptions:
        """A person starts it, so the plan's pins and this window's breakpoints count."""
        plan = self.open_plan.plan
        breakpoints = {each: condition for each, condition in self.breakpoints.items() if plan.has_step(each)}
        if not (is_dry or plan.pins or breakpoints):
            return PLAIN
        return RunOptions(is_dry=is_dry, uses_pins=bool(plan.pins), breakpoints=breakpoints)

    def stop(self) -> None:
        self.shown.live.stop()

    def toggle_breakpoints(self, step_ids: Sequence[StepId]) -> None:
        """Sets one before each of the steps; takes them away when all have one. Runs under way heed it, too."""
        if all(each in self.breakpoints for each in step_ids):
            self._set_breakpoints({each: text for each, text in self.breakpoints.items() if each not in step_ids})
        else:
            self._set_breakpoints(dict.fromkeys(step_ids, "") | self.breakpoints)

    def clear_breakpoints(self) -> None:
        self._set_breakpoints({})

    def _set_breakpoints(self, breakpoints: dict[StepId, str]) -> None:
        self.breakpoints = breakpoints
        for shown in (self.own_run, self.past.shown) if self.past is not None else (self.own_run,):
            shown.canvas.board.show_breakpoints(frozenset(breakpoints))
            shown.live.set_breakpoints(breakpoints)
        self.changed.emit()

    def view_run(self, run: Run, step_id: StepId | None = None, iteration: IterationPath = ()) -> None:
        """Shows a run of the store on its own plan, read-only; the draft stays as it is."""
        self._drop_past()
        self.past = PastRunView(
            run, self.open_plan, self._services, self._registry, self._appearance, self._has_credential, self
        )
        self.past.shown.live.changed.connect(self._show_banner)
        self.past.shown.live.changed.connect(self.changed)
        self.past.canvas.selectionChanged.connect(self.selected)
        self.past.canvas.stepActivated.connect(lambda _: self.activated.emit())
        self.past.canvas.menuWanted.connect(self.menu_wanted)
        self.past.shown.live.failed_to_start.connect(self.failed)
        self.past.shown.live.refused.connect(self.failed)
        self.past.canvas.board.show_breakpoints(frozenset(self.breakpoints))
        self._stack.addWidget(self.past.canvas)
        self._stack.setCurrentWidget(self.past.canvas)
        self.setFocusProxy(self.past.canvas)
        self.past.begin(step_id, iteration)
        self.shown_changed.emit()
        self._show_banner()

    def back_to_editing(self) -> None:
        """Puts the old run away."""
        if self.past is not None:
            self._drop_past()
            self.canvas.setFocus()
            self.shown_changed.emit()
            self._show_banner()

    def _drop_past(self) -> None:
        past, self.past = self.past, None
        self.setFocusProxy(self.canvas)
        self._stack.setCurrentWidget(self.canvas)
        if past is not None:
            self._stack.removeWidget(past.canvas)
            past.canvas.hide()
            past.canvas.deleteLater()
            past.deleteLater()

    def _show_banner(self) -> None:
        if self.past is not None:
            run = self.past.run
            self.banner.show_viewing(f"Viewing run {moment(run.started_at or run.created_at)}", self.past.shown.live)
        elif self.live_run.is_active:
            self.banner.show_running(self._what_runs(), self.live_run)
        else:
            self.banner.put_away()

    def _what_runs(self) -> str:
        """ "Running draft", "Dry run of draft is paused"."""
        run, what = self.live_run, self._revision_of(self.live_run.plan)
        if run.options.is_dry:
            what = f"dry run of {what}"
        if run.why_it_stands:  # the banner says it before this
            return f"{what[:1].upper()}{what[1:]}"
        standing = STANDING.get(run.state or RunState.RUNNING)
        return f"{what[:1].upper()}{what[1:]} {standing}" if standing else f"Running {what}"

    def _revision_of(self, plan: Plan | None) -> str:
        if self.record is not None and self.record.plan == plan:
            return f"version {self.record.revision} (published)"
        return "draft"

    def _follow_run(self, events: Sequence[RunEvent]) -> None:
        """Brings the step that began last into view, if that is wanted."""
        begun = next((event.step_id for event in reversed(events) if isinstance(event, StepStarted)), None)
        if begun is not None and self._follow.isChecked() and not self._next_follow.isActive():
            self.canvas.bring_into_view(begun)
            self._next_follow.start()

    # publishing

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.banner.adjust()

    def _join(self) -> None:
        self.open_plan.edited.connect(self._show_changes)
        self.open_plan.saved.connect(self.changed)
        self.open_plan.refused.connect(self.failed)
        self.open_plan.undo.indexChanged.connect(self.changed)
        self.live_run.events.connect(self._follow_run)
        self.live_run.changed.connect(self.changed)
        self.live_run.changed.connect(self._show_banner)
        self.live_run.failed_to_start.connect(self.failed)
        self.live_run.refused.connect(self.failed)
        self.banner.stop_wanted.connect(self.stop)
        self.banner.back_wanted.connect(self.back_to_editing)
        answers = AnswerMenu(self._services, self.open_plan.user_id, self.banner.question, self.banner)
        answers.failed.connect(self.failed)
        self.banner.offer_answers(answers)
        self.canvas.selectionChanged.connect(self._tell_selection)
        self.canvas.stepActivated.connect(lambda _: self.activated.emit())
        self.canvas.menuWanted.connect(self.menu_wanted)
        self.canvas.status.connect(self.told)
        self._appearance.changed.connect(self.canvas.set_palette)

    def _tell_selection(self, ids: list[StepId]) -> None:
        if self.past is None:
            self.selected.emit(ids)

    def _show_changes(self, changes: Iterable[object]) -> None:
        self.canvas.apply_changes(changes)
        self.changed.emit()


def count_changes(found: Difference) -> int:
    """What a person would count: steps and wires added, removed or changed, and other parts of the plan."""
    steps = len(found.added) + len(found.removed) + len(found.changed)
    return steps + len(found.edges_added) + len(found.edges_removed) + len(found.parts)


def _draft_text(changes: int) -> str:
    if not changes:
        return "Draft"
    return f"Draft  \N{MIDDLE DOT}  {changes} change{'' if changes == 1 else 's'}"


def tab_of(widget: QObject | None) -> PlanTab | None:
    return widget if isinstance(widget, PlanTab) else None
