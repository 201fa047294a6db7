"""Documents: opening, saving and closing plans; what a crash left is taken up here."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.resources.abc import Traversable
from pathlib import Path
from uuid import uuid4

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from flowstudio.engine.model import IterationPath, Run
from flowstudio.errors import FlowStudioError
from flowstudio.paths import resources
from flowstudio.plan.document import read_plan
from flowstudio.plan.model import Plan, StepId
from flowstudio.ui.chrome.menus import MenuEntry
from flowstudio.ui.dialogs.message_sheet import Message, Remedy, message_of
from flowstudio.ui.editor.editor_screen import EditorScreen, suggested_file
from flowstudio.ui.editor.plan_tab import PlanTab
from flowstudio.ui.held_sessions import HeldSessions
from flowstudio.ui.tasks import Task
from flowstudio.ui.window_state import LastSession, WindowState
from flowstudio.workspace.edit_session import EditSession
from flowstudio.workspace.errors import NoSuchPlanError
from flowstudio.workspace.ports import Draft
from flowstudio.workspace.services import Services

FILTER = "Plans (*.flow *.json);;All files (*)"


class Documents(QObject):
    """`opened` says that the editor should come to the front; `message` carries what a person must read."""

    opened = Signal()
    message = Signal(object)  # Message
    told = Signal(str)

    def __init__(
        self,
        services: Services,
        user_id: str,
        editor: EditorScreen,
        state: WindowState,
        sessions: HeldSessions,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._user_id = user_id
        self._editor = editor
        self._state = state
        self._sessions = sessions
        editor.close_wanted.connect(self.close_tab)
        editor.new_wanted.connect(self.new)

    def new(self) -> None:
        plan = Plan(id=str(uuid4()), name="Untitled plan")
        self._open(plan.id, lambda: self._services.editing.open(self._user_id, plan))

    def open_plan(self, plan: Plan) -> None:
        """A published plan; its draft is taken up where there is one."""
        if not self._show_if_open(plan.id):
            self._open(plan.id, lambda: self._services.editing.open(self._user_id, plan))

    def open_draft(self, draft: Draft) -> None:
        if not self._show_if_open(draft.plan_id):
            self._open(draft.plan_id, lambda: self._services.editing.resume(self._user_id, draft))

    def open_run(self, run: Run, step_id: StepId | None = None, iteration: IterationPath = ()) -> None:
        """Opens the plan as it stands now, and over it the run on the plan it ran."""

        def open_it(found: Draft | Plan) -> None:
            if isinstance(found, Draft):
                self.open_draft(found)
            else:
                self.open_plan(found)
            tab = self._editor.tab_for(run.plan.id)
            if tab is not None:
                tab.view_run(run, step_id, iteration)

        if self._show_if_open(run.plan.id):
            open_it(run.plan)
            return
        Task(lambda: self._latest(run), self).success(open_it).failure(
            lambda error: self.message.emit(message_of(error))
        ).start()

    def _latest(self, run: Run) -> Draft | Plan:
        """The draft of a run's plan, else what is published; a plan that is neither begins from what ran. Blocks."""
        drafts = self._services.editing.drafts(self._user_id)
        draft = next((each for each in drafts if each.plan_id == run.plan.id), None)
        if draft is not None:
            return draft
        try:
            return self._services.plans.get(self._user_id, run.plan.id).plan
        except NoSuchPlanError:
            return run.plan

    def open_sample(self, name: str) -> None:
        """A copy under an id of its own: the sample itself stays as it is."""
        sample = sample_files()[name]
        copy = replace(read_plan(sample.read_bytes()), id=str(uuid4()))
        self._open(copy.id, lambda: self._services.editing.open(self._user_id, copy))

    def recent_entries(self) -> list[MenuEntry]:
        return [(file.name, partial(self.open_file, file)) for file in self._state.recent]

    def sample_entries(self) -> list[MenuEntry]:
        return [(name, partial(self.open_sample, name)) for name in sample_files()]

    def ask_file(self) -> None:
        start = str(self._state.recent[0].parent) if self._state.recent else str(Path.home())
        name, _ = QFileDialog.getOpenFileName(self._editor, "Open a plan", start, FILTER)
        if name:
            self.open_file(Path(name))

    def open_file(self, path: Path) -> None:
        """A file whose plan is open already, here or in another window, is shown as it is there."""
        held = self._sessions.at_file(path)
        try:
            plan = held.session.plan if held is not None else self._services.editing.read_file(path)
        except FlowStudioError as error:
            self.message.emit(message_of(error, f"File {path}"))
            return
        is_open = self._sessions.find(plan.id) is not None
        if not self._show_if_open(plan.id):
            self._open(plan.id, lambda: self._services.editing.open(self._user_id, plan, path), f"File {path}")
        if is_open and held is None:
            self.told.emit(f"The plan in {path.name} is open already; this is how it stands there.")
        else:
            self._state.keep_recent(path)

    def save(self) -> None:
        tab = self._editor.front
        if tab is None:
            return
        if tab.open_plan.session.file is None:
            self.save_as()
        else:
            self._write(tab, tab.open_plan.session.file)

    def save_as(self) -> None:
        tab = self._editor.front
        if tab is None:
            return
        name, _ = QFileDialog.getSaveFileName(self._editor, "Save the plan", str(suggested_file(tab)), FILTER)
        if name:
            path = Path(name)
            self._write(tab, path if path.suffix else path.with_suffix(".flow"))

    def close_front(self) -> None:
        if self._editor.front is not None:
            self.close_tab(self._editor.front)

    def close_tab(self, tab: PlanTab) -> None:
        """What was not saved stays as a draft; Home lists it."""
        if self._let_go(tab):
            self.told.emit(f"“{tab.open_plan.plan.name}” is kept as a draft. It is listed on Home.")
        self._editor.remove(tab)
        self._note_open()

    def close_all(self) -> list[str]:
        """Closes every plan; the names of those kept as drafts."""
        return [tab.open_plan.plan.name for tab in list(self._editor.all_tabs()) if self._let_go(tab)]

    def _let_go(self, tab: PlanTab) -> bool:
        """Ends the session unless another window shows it; whether it leaves a draft."""
        session = self._sessions.release(tab.open_plan.plan.id)
        if session is None or not session.is_open:
            return False
        session.close()
        return session.is_dirty

    def recover(self, last: LastSession) -> None:
        """Opens the drafts again that were open at a crash, and says so; drafts closed on purpose stay on Home."""
        if last.was_closed:
            if last.kept:
                self.message.emit(_kept_message(last.kept))
            return
        editing, user_id = self._services.editing, self._user_id

        def show(drafts: list[Draft]) -> None:
            lost = [draft for draft in drafts if draft.plan_id in last.open_plans]
            for draft in lost:
                self.open_draft(draft)
            if lost:
                self.message.emit(self._recovery(lost))

        Task(lambda: editing.drafts(user_id), self).success(show).failure(
            lambda e: self.message.emit(message_of(e))
        ).start()

    def _recovery(self, drafts: Sequence[Draft]) -> Message:
        count = "1 plan" if len(drafts) == 1 else f"{len(drafts)} plans"
        last = max(draft.updated_at for draft in drafts).astimezone()
        what = f"FlowStudio closed unexpectedly. {count} restored, last change at {last:%H:%M:%S}."
        remedies = (Remedy("Keep", lambda: None), Remedy("Discard these changes", lambda: self._discard(drafts)))
        return Message(what, tone="warning", remedies=remedies)

    def _note_open(self) -> None:
        self._state.keep_open_plans(self._sessions.plan_ids)

    def _discard(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            tab = self._editor.tab_for(draft.plan_id)
            if tab is not None:
                tab.open_plan.session.discard()
                self._let_go(tab)
                self._editor.remove(tab)
        self._note_open()

    def _open(self, plan_id: str, session: Callable[[], EditSession], where: str = "") -> None:
        """Shows a plan that another window has open as it is there, any other by the session that is made now."""
        held = self._sessions.find(plan_id)
        try:
            opened = held.session if held is not None else session()
        except FlowStudioError as error:
            self.message.emit(message_of(error, where))
            return
        self._editor.add(self._sessions.hold(opened))
        self._note_open()
        self.opened.emit()

    def _show_if_open(self, plan_id: str) -> bool:
        tab = self._editor.tab_for(plan_id)
        if tab is None:
            return False
        self._editor.tabs.setCurrentWidget(tab)
        self.opened.emit()
        return True

    def _write(self, tab: PlanTab, path: Path) -> None:
        try:
            self._services.editing.save_file(tab.open_plan.session, path)
        except FlowStudioError as error:
            self.message.emit(message_of(error, f"File {path}"))
            return
        self._state.keep_recent(path)
        self.told.emit(f"Written to {path}")


def _kept_message(names: Sequence[str]) -> Message:
    if len(names) == 1:
        return Message(f"“{names[0]}” was closed with unsaved changes. Its draft is listed on Home.", tone="info")
    return Message(
        f"{len(names)} plans were closed with unsaved changes. Their drafts are listed on Home.", tone="info"
    )


def sample_files() -> dict[str, Traversable]:
    """The plans that ship, by name, in the order of their files."""
    folder = resources().joinpath("samples")
    if not folder.is_dir():
        return {}
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".flow")), key=lambda each: each.name)
    return {read_plan(each.read_bytes()).name: each for each in files}
