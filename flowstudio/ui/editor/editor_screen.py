"""The Editor screen: toolbar, tabs of plans, and the docks that follow the tab in front."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QTabWidget, QVBoxLayout, QWidget

from flowstudio.engine.events import RunEvent
from flowstudio.engine.model import TriggerEvent
from flowstudio.errors import FlowStudioError
from flowstudio.plan.model import Json, StepId
from flowstudio.plan.rules import Problem
from flowstudio.ui.canvas.faces import HasCredential
from flowstudio.ui.chrome.commands import Actions
from flowstudio.ui.chrome.menus import MenuEntry
from flowstudio.ui.chrome.toolbar import Toolbar
from flowstudio.ui.controls import tool_button
from flowstudio.ui.dialogs.message_sheet import Message, Remedy, message_of
from flowstudio.ui.dialogs.outputs_question import ask_for_outputs
from flowstudio.ui.dialogs.run_input import RunInput
from flowstudio.ui.editor.arrangement import Arrangement
from flowstudio.ui.editor.canvas_menu import open_canvas_menu
from flowstudio.ui.editor.plan_tab import PlanTab, tab_of
from flowstudio.ui.editor.run_commands import RunCommands
from flowstudio.ui.editor.run_view import RunView
from flowstudio.ui.held_sessions import HeldSession
from flowstudio.ui.panels.data_panel import DataPanel
from flowstudio.ui.panels.log_panel import LogPanel
from flowstudio.ui.panels.palette import Palette
from flowstudio.ui.panels.problems_panel import ProblemsPanel
from flowstudio.ui.panels.run_panel import RunPanel
from flowstudio.ui.panels.step_panel import StepPanel
from flowstudio.ui.theme import Appearance
from flowstudio.workspace.errors import OutputsNeededError, PlanNotRunnableError
from flowstudio.workspace.services import Services

RUN, DATA, LOG, PROBLEMS = range(4)
PANES = ("Run", "Data", "Log", "Problems")
EDITING = ("cut", "copy", "paste", "duplicate", "delete", "quick-add", "publish", "undo", "redo")
"""Commands that change the draft, or take from it: none while an old run is looked at."""


class EditorScreen(QWidget):
    """Which plans are open is decided outside; this screen shows them and carries out what is done to the front one."""

    told = Signal(str)
    noticed = Signal(object)  # Message
    failed = Signal(object)  # FlowStudioError
    front_changed = Signal()
    close_wanted = Signal(object)  # PlanTab
    new_wanted = Signal()
    home_wanted = Signal()
    add_credential = Signal(str)

    def __init__(
        self,
        services: Services,
        user_id: str,
        actions: Actions,
        appearance: Appearance,
        has_credential: HasCredential,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._actions = actions
        self._appearance = appearance
        self._has_credential = has_credential
        self._registry = services.registry(user_id)
        self._last_input: Json = None
        icons = appearance.icons
        self.toolbar = Toolbar(actions, icons, self._plan_entries)
        self.tabs = QTabWidget(documentMode=True, tabsClosable=True, movable=True)
        self.tabs.setProperty("role", "documents")
        self.tabs.tabBar().setAccessibleName("Open plans")
        self.tabs.tabBar().setExpanding(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideRight)
        self.palette_panel = Palette(self._registry, icons)
        self.step_panel = StepPanel(self._registry, "", icons)
        self.run_panel, self.data_panel = RunPanel(icons), DataPanel(icons)
        self.log_panel, self.problems_panel = LogPanel(icons), ProblemsPanel(icons)
        self.run_commands = RunCommands(actions, lambda: self.front, services, user_id, self)
        self.run_view = RunView(self.run_panel, self.log_panel, self.data_panel, services, user_id, self)
        self.window_part = QMainWindow()
        self._lay_out()
        self._join()
        self._show_front()

    # what the window calls

    @property
    def front(self) -> PlanTab | None:
        return tab_of(self.tabs.currentWidget())

    def all_tabs(self) -> Iterator[PlanTab]:
        for index in range(self.tabs.count()):
            tab = tab_of(self.tabs.widget(index))
            if tab is not None:
                yield tab

    def tab_for(self, plan_id: str) -> PlanTab | None:
        return next((tab for tab in self.all_tabs() if tab.open_plan.plan.id == plan_id), None)

    def add(self, held: HeldSession) -> PlanTab:
        """Shows the plan of a session in a new tab, in front."""
        tab = PlanTab(
            held,
            self._services,
            self._registry,
            self._appearance,
            self._has_credential,
            self._actions,
        )
        tab.changed.connect(lambda: self._show_standing(tab))
        tab.shown_changed.connect(lambda: self._show_run_of(tab))
        tab.told.connect(self.told)
        tab.failed.connect(lambda error: self._show_failure(error, tab))
        tab.selected.connect(lambda ids: self._show_selection(tab, ids))
        tab.activated.connect(self._reveal_form)
        tab.menu_wanted.connect(lambda place: open_canvas_menu(tab, self._actions, place))
        tab.canvas.renameRequested.connect(lambda _: self._reveal_form())
        tab.canvas.runStepRequested.connect(lambda step_id: self.run_commands.run_step(tab, step_id))
        tab.canvas.pinRequested.connect(lambda step_id: self.run_commands.pin(tab, step_id))
        tab.open_plan.edited.connect(lambda _: self._show_edit(tab))
        tab.open_plan.checked.connect(lambda problems: self._show_problems(tab, problems))
        self.tabs.setCurrentIndex(self.tabs.addTab(tab, tab.title))
        tab.canvas.setFocus()
        return tab

    def remove(self, tab: PlanTab) -> None:
        self.tabs.removeTab(self.tabs.indexOf(tab))
        tab.deleteLater()

    def take_run_events(self, events: Sequence[RunEvent]) -> None:
        for tab in self.all_tabs():
            tab.take_run_events(events)

    def take_event(self, event: object) -> None:
        for tab in self.all_tabs():
            tab.take(event)

    def run(self) -> None:
        if self.front is not None:
            self.front.run(TriggerEvent())

    def run_with_input(self) -> None:
        tab = self.front
        if tab is None:
            return
        dialog = RunInput(self._last_input, self)
        if dialog.exec():
            self._last_input = dialog.value
            tab.run(TriggerEvent(data=dialog.value))

    def run_dry(self) -> None:
        """Reads, and shows of everything else what it would do."""
        if self.front is not None:
            self.front.run(TriggerEvent(), is_dry=True)

    def stop(self) -> None:
        if self.front is not None:
            self.front.stop()

    def undo(self) -> None:
        if self.front is not None:
            self.front.open_plan.undo.undo()

    def redo(self) -> None:
        if self.front is not None:
            self.front.open_plan.undo.redo()

    def publish(self) -> None:
        """Refused with the problems in view while there are errors; warnings do not stop it."""
        tab = self.front
        if tab is None:
            return
        errors = [problem for problem in tab.open_plan.problems if problem.is_error]
        if errors:
            count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
            show = Remedy("Show problems", lambda: self.show_pane(PROBLEMS))
            self.noticed.emit(Message(f"{count} must be fixed before publishing.", tone="warning", remedies=(show,)))
        else:
            tab.publish()

    def on_canvas(self, method: str) -> None:
        """Does something of the front canvas's own: copy, delete, fit."""
        tab = self.front
        if tab is not None:
            getattr(tab.shown.canvas, method)()

    def look_up(self, plan_id: str) -> None:
        """A plan was published, switched or deleted, here or through the API."""
        tab = self.tab_for(plan_id)
        if tab is not None:
            tab.look_up()

    def step_tab(self, step: int) -> None:
        if self.tabs.count():
            self.tabs.setCurrentIndex((self.tabs.currentIndex() + step) % self.tabs.count())

    def show_pane(self, pane: int) -> None:
        self.bottom.show()
        self._panes.setCurrentIndex(pane)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.arrangement.first_shown()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.arrangement.fit(self.width(), self.window_part.height())

    def show_canvas_only(self, is_only: bool) -> None:
        self.arrangement.show_canvas_only(is_only)
        self.toolbar.setVisible(not is_only)

    # how it is made

    def _lay_out(self) -> None:
        icons = self._appearance.icons
        body = self.window_part
        body.setWindowFlags(Qt.WindowType.Widget)
        body.setCentralWidget(self.tabs)
        panes = dict(zip(PANES, (self.run_panel, self.data_panel, self.log_panel, self.problems_panel), strict=True))
        self.arrangement = Arrangement(body, self.palette_panel, self.step_panel, panes, self._actions, icons)
        self.left, self.right, self.bottom = self.arrangement.docks
        self._panes = self.arrangement.panes
        add = tool_button(icons.icon("add"), "New plan")
        add.clicked.connect(self.new_wanted)
        self.tabs.setCornerWidget(add, Qt.Corner.TopRightCorner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.toolbar)
        across = QHBoxLayout()
        across.setSpacing(0)
        across.addWidget(body, 1)
        across.addWidget(self.arrangement.strip)
        layout.addLayout(across, 1)

    def _join(self) -> None:
        self._appearance.changed.connect(lambda _: self.step_panel.repaint_form())
        self.run_commands.told.connect(self.told)
        self.run_commands.failed.connect(self._show_failure)
        self.tabs.currentChanged.connect(lambda _: self._show_front())
        self.tabs.tabCloseRequested.connect(lambda index: self.close_wanted.emit(self.tabs.widget(index)))
        self.toolbar.home_wanted.connect(self.home_wanted)
        self.toolbar.live_switched.connect(self._switch_live)
        self.palette_panel.chosen.connect(self._add_step)
        self.run_panel.step_chosen.connect(self._select)
        self.run_panel.run_wanted.connect(self.run)
        self.log_panel.step_wanted.connect(self._select)
        self.problems_panel.problem_chosen.connect(self._show_problem)
        self.step_panel.titled.connect(self.right.setWindowTitle)
        self.step_panel.add_credential.connect(self.add_credential)

    # what the parts say

    def _plan_entries(self) -> list[MenuEntry]:
        return [(tab.title, partial(self.tabs.setCurrentWidget, tab)) for tab in self.all_tabs()]

    def _show_front(self) -> None:
        tab = self.front
        self.run_view.show_run(tab.shown if tab else None)
        self.step_panel.show_open_plan(tab.open_plan if tab else None)
        if tab is not None:
            self._show_run_of(tab)
            self._show_problems(tab, tab.open_plan.problems)
            self._show_standing(tab)
        self._enable()
        self.front_changed.emit()

    def _show_run_of(self, tab: PlanTab) -> None:
        """The tab looks at an old run, or is back at its draft."""
        if tab is not self.front:
            return
        self.run_view.show_run(tab.shown)
        self.step_panel.show_old_plan(tab.past.run.plan if tab.past else None)
        self._show_selection(tab, tab.shown.canvas.selected_ids())
        self._show_standing(tab)

    def _show_standing(self, tab: PlanTab) -> None:
        index = self.tabs.indexOf(tab)
        if index >= 0:
            self.tabs.setTabText(index, tab.title)
            self.tabs.setTabToolTip(index, tab.title[:200])
            running = self._appearance.icons.icon("run", "running")
            self.tabs.setTabIcon(
                index, running if tab.live_run.is_active else self._appearance.icons.icon("editor", "text_3")
            )
        if tab is self.front:
            record = tab.record
            self.step_panel.show_calls(tab.shown.live.address_of)
            self.toolbar.show_plan(tab.open_plan.plan.name, *tab.standing)
            self.toolbar.show_live(record is not None, record is not None and record.enabled)
            self._enable()
            if tab.shown.live.is_active and self._panes.currentIndex() == PROBLEMS:
                self._panes.setCurrentIndex(RUN)

    def _enable(self) -> None:
        tab = self.front
        is_open = tab is not None
        is_editing = tab is not None and tab.past is None
        undo = tab.open_plan.undo if tab else None
        on_any = ("save", "save-as", "close", "select-all", "fit", "actual-size")
        self._actions.enable(dict.fromkeys(on_any, is_open) | dict.fromkeys(EDITING, is_editing))
        self.run_commands.enable()
        if undo is not None and is_editing:
            self._actions.enable({"undo": undo.canUndo(), "redo": undo.canRedo()})
        self._actions["undo"].setText(f"Undo {undo.undoText()}".strip() if undo and undo.canUndo() else "Undo")
        self._actions["redo"].setText(f"Redo {undo.redoText()}".strip() if undo and undo.canRedo() else "Redo")

    def _show_selection(self, tab: PlanTab, ids: Sequence[StepId]) -> None:
        if tab is self.front:
            self.step_panel.show_selection(ids)
            self.run_view.show_step(ids[0] if len(ids) == 1 else None)
            self.run_commands.enable()

    def _show_edit(self, tab: PlanTab) -> None:
        if tab is self.front:
            self.step_panel.show_edit()

    def _show_problems(self, tab: PlanTab, problems: Sequence[Problem]) -> None:
        if tab is self.front:
            self.step_panel.show_problems(problems)
            self.problems_panel.show_problems(problems, tab.own_run.labels())
            self._panes.setTabText(PROBLEMS, f"Problems {len(problems)}" if problems else "Problems")

    def _show_problem(self, problem: Problem) -> None:
        tab = self.front
        if tab is not None:
            tab.back_to_editing()
            if problem.step:
                tab.canvas.reveal_step(problem.step)
            else:
                tab.canvas.select(())
            self.right.show()
            self.step_panel.reveal(problem.field)

    def _show_failure(self, error: FlowStudioError, tab: PlanTab | None = None) -> None:
        if isinstance(error, PlanNotRunnableError):
            show = Remedy("Show problems", lambda: self.show_pane(PROBLEMS))
            first = error.problems[0].sentence if error.problems else ""
            count = "1 problem" if len(error.problems) == 1 else f"{len(error.problems)} problems"
            what = f"This plan cannot run yet, {count} must be fixed. {first}"
            self.noticed.emit(Message(what, tone="warning", remedies=(show,)))
        elif isinstance(error, OutputsNeededError) and tab is not None and tab.asked is not None:
            ask_for_outputs(error, tab.asked, self._appearance.icons, self)
        else:
            self.noticed.emit(message_of(error))
            self.failed.emit(error)

    def _switch_live(self, is_on: bool) -> None:
        if self.front is not None:
            self.front.switch_live(is_on)

    def _add_step(self, provider: str, action: str) -> None:
        if self.front is not None and self.front.past is not None:
            self.told.emit("This is an old run. Go back to editing to add steps.")
        elif self.front is not None:
            self.front.canvas.add_step(provider, action)

    def _select(self, step_id: StepId) -> None:
        if self.front is not None:
            self.front.shown.canvas.reveal_step(step_id)

    def _reveal_form(self) -> None:
        self.right.show()
        self.step_panel.reveal(None)


def suggested_file(tab: PlanTab) -> Path:
    """The file a plan is saved to unless another is chosen."""
    words = "".join(c if c.isalnum() or c in " -_" else " " for c in tab.open_plan.plan.name).split()
    return tab.open_plan.session.file or Path.home() / f"{'-'.join(words) or 'plan'}.flow"
