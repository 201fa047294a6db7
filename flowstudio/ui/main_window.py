"""MainWindow: rail, screens, status bar and menus, joined to each other. What each of them does stands elsewhere."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QMessageBox, QStackedWidget, QVBoxLayout, QWidget

from flowstudio import __version__
from flowstudio.engine.events import RunEnded, RunEvent, RunStarted
from flowstudio.errors import FlowStudioError
from flowstudio.scheduling.ports import Schedule
from flowstudio.ui.bridge import Bridge
from flowstudio.ui.chrome.commands import Actions
from flowstudio.ui.chrome.menus import fill_menu_bar, list_menu, theme_menu
from flowstudio.ui.chrome.rail import Rail
from flowstudio.ui.chrome.status_bar import StatusBar
from flowstudio.ui.dialogs.credential_dialog import CredentialDialog
from flowstudio.ui.dialogs.message_sheet import Message, MessageSheet, NoticeBar, message_of
from flowstudio.ui.documents import Documents, sample_files
from flowstudio.ui.editor.editor_screen import EditorScreen
from flowstudio.ui.held_credentials import HeldCredentials
from flowstudio.ui.held_sessions import HeldSessions
from flowstudio.ui.screens.home import HomeScreen
from flowstudio.ui.screens.plan_list import Entry
from flowstudio.ui.screens.runs import RunsScreen
from flowstudio.ui.screens.screen import Screen
from flowstudio.ui.screens.settings_screen import SettingsScreen
from flowstudio.ui.screens.triggers import TriggersScreen
from flowstudio.ui.screens.vault import VaultScreen
from flowstudio.ui.tasks import Task
from flowstudio.ui.theme import Appearance
from flowstudio.ui.tokens import MINIMUM_WINDOW, Theme
from flowstudio.ui.window_state import LastSession, WindowState
from flowstudio.workspace.edit_session import PlanEdited, PlanSaved
from flowstudio.workspace.integrations import IntegrationsChanged
from flowstudio.workspace.plans import PlanDeleted, PlanStored
from flowstudio.workspace.services import Services

CLOCK_MS = 30_000  # how often "next 14:00" in the status bar is read again


class MainWindow(QMainWindow):
    server_wanted = Signal(bool)  # start or stop the embedded server
    window_wanted = Signal()
    closed = Signal(list)  # names of plans kept as drafts

    def __init__(
        self, services: Services, user_id: str, appearance: Appearance, state: WindowState, sessions: HeldSessions
    ) -> None:
        super().__init__()
        self.services = services
        self.user_id = user_id
        self.appearance = appearance
        self.state = state
        self._address = ""
        self._active: set[str] = set()
        self._is_measuring = self._is_closed = False
        self.setMinimumSize(*MINIMUM_WINDOW)
        icons = appearance.icons
        self.actions_by_name = Actions(self, icons)
        self.addActions(list(self.actions_by_name.values()))
        self.held = HeldCredentials(services, user_id, self)
        self.editor = EditorScreen(services, user_id, self.actions_by_name, appearance, self.held)
        self.documents = Documents(services, user_id, self.editor, state, sessions, self)
        self.home = HomeScreen(services, user_id, [*sample_files()], icons)
        self.runs = RunsScreen(services, user_id, icons)
        self.triggers = TriggersScreen(services, user_id, lambda: self._address, icons)
        self.vault = VaultScreen(services, user_id, icons)
        self.settings = SettingsScreen(services, appearance.theme)
        self.screens: dict[str, QWidget] = {
            "home": self.home,
            "editor": self.editor,
            "runs": self.runs,
            "triggers": self.triggers,
            "vault": self.vault,
            "settings": self.settings,
        }
        self.rail = Rail(icons)
        self.status = StatusBar(icons, [self.actions_by_name[name] for name in ("save", "save-as")])
        self.notice = NoticeBar(icons)
        self.bridge = Bridge(services.bus, self)
        self._stack = QStackedWidget()
        self._clock = QTimer(self, interval=CLOCK_MS)
        self._lay_out()
        self._join()
        self._restore()
        self.show_screen("home")

    # what application.py calls

    def show_server(self, address: str, message: str) -> None:
        """address: "" when it does not run; message: what the person should know about it."""
        self._address = address
        self.status.show_server(address, "" if address else "Server is not running")
        self.editor.step_panel.set_address(address)
        self.settings.show_address(address)
        if message:
            self.notice.show_message(Message(message, tone="warning"))
            self.status.say(message)

    def show_warnings(self, warnings: Sequence[str]) -> None:
        """Sentences to be seen once: an unsafe key file, a manifest that was left out."""
        if warnings:
            self.notice.show_message(Message(" ".join(warnings), tone="warning"))

    def begin(self, last: LastSession | None = None) -> None:
        """Reads what the first screen shows; with the last session's end, takes up what that left behind."""
        if last is not None:
            self.documents.recover(last)
        self.home.reload()
        self.held.reload()
        self._read_facts()
        self._clock.start()

    def show_screen(self, name: str) -> None:
        screen = self.screens[name]
        self._stack.setCurrentWidget(screen)
        self.rail.show_screen(name)
        if isinstance(screen, Screen):
            screen.reload()
        elif self.editor.front is not None:
            self.editor.front.setFocus()
        self._show_title()

    def choose_theme(self, theme: Theme) -> None:
        self.appearance.choose(theme)
        self.state.keep_theme(theme)
        self.settings.show_theme(theme)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if self._is_closed:  # Qt closes a window once more when the application ends
            return
        self._is_closed = True
        self.state.keep_layout("window", self.saveGeometry())
        docks = self.editor.arrangement.save()
        if docks is not None:
            self.state.keep_layout("docks", docks)
        kept = self.documents.close_all()
        self.bridge.close()
        self.closed.emit(kept)

    # how it is made

    def _lay_out(self) -> None:
        for screen in self.screens.values():
            self._stack.addWidget(screen)
        centre = QWidget()
        across = QHBoxLayout()
        across.setSpacing(0)
        across.addWidget(self.rail)
        content = QVBoxLayout()
        content.setSpacing(0)
        content.addWidget(self.notice)
        content.addWidget(self._stack, 1)
        across.addLayout(content, 1)
        down = QVBoxLayout(centre)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(0)
        down.addLayout(across, 1)
        down.addWidget(self.status)
        self.setCentralWidget(centre)
        self._submenus = {
            "recent": list_menu("Open recent", self.documents.recent_entries),
            "samples": list_menu("Open sample", self.documents.sample_entries),
            "theme": theme_menu(self.appearance.theme, self.choose_theme),
        }
        fill_menu_bar(self.menuBar(), self.actions_by_name, self._submenus)

    def _join(self) -> None:
        self.rail.chosen.connect(self.show_screen)
        self.status.screen_wanted.connect(self.show_screen)
        self.status.server_switched.connect(self.server_wanted)
        self.bridge.run_events.connect(self._take_run_events)
        self.bridge.other_events.connect(self._take_events)
        self._clock.timeout.connect(self._read_facts)
        self.documents.opened.connect(lambda: self.show_screen("editor"))
        self.documents.message.connect(self.show_message)
        self.documents.told.connect(self.status.say)
        self.editor.home_wanted.connect(lambda: self.show_screen("home"))
        self.editor.told.connect(self.status.say)
        self.editor.noticed.connect(self.notice.show_message)
        self.editor.front_changed.connect(self._show_title)
        self.editor.add_credential.connect(self.add_credential)
        self.home.new_wanted.connect(self.documents.new)
        self.home.file_wanted.connect(self.documents.ask_file)
        self.home.sample_wanted.connect(self.documents.open_sample)
        self.home.entry_wanted.connect(self._open_entry)
        self.runs.run_wanted.connect(self.documents.open_run)
        self.triggers.plan_wanted.connect(lambda record: self.documents.open_plan(record.plan))
        self.vault.add_wanted.connect(self.add_credential)
        self.vault.changed.connect(self._credentials_changed)
        self.held.changed.connect(self._refresh_faces)
        self.settings.theme_chosen.connect(self.choose_theme)
        self.appearance.changed.connect(lambda _: self.settings.show_theme(self.appearance.theme))
        for screen in (self.home, self.runs, self.triggers, self.vault):
            screen.failed.connect(self._show_failure)
        self._connect_commands()

    def _connect_commands(self) -> None:
        editor, documents = self.editor, self.documents
        self.actions_by_name.connect(
            {
                "new": documents.new,
                "open": documents.ask_file,
                "save": documents.save,
                "save-as": documents.save_as,
                "close": documents.close_front,
                "new-window": self.window_wanted.emit,
                "close-window": self.close,
                "quit": QApplication.closeAllWindows,
                "undo": editor.undo,
                "redo": editor.redo,
                "run": editor.run,
                "run-input": editor.run_with_input,
                "run-dry": editor.run_dry,
                "stop": editor.stop,
                "publish": editor.publish,
                "reset-layout": self._reset_layout,
                "canvas-only": self._show_canvas_only,
                "next-tab": lambda: editor.step_tab(1),
                "previous-tab": lambda: editor.step_tab(-1),
                "about": self._show_about,
            }
        )
        for name, call in CANVAS_COMMANDS.items():
            self.actions_by_name[name].triggered.connect(lambda _=False, method=call: editor.on_canvas(method))

    def _restore(self) -> None:
        self.resize(QSize(1440, 900).boundedTo(self.screen().availableSize()))
        self.restoreGeometry(self.state.layout("window"))
        self.editor.arrangement.restore(self.state.layout("docks"))

    # what happens

    def show_message(self, message: Message) -> None:
        """What needs no decision is a strip in the editor; an error is a sheet over the window."""
        if message.tone == "error":
            MessageSheet(message, self.appearance.icons, self).open()
        else:
            self.notice.show_message(message)

    def add_credential(self, provider: str) -> None:
        manifests = self.services.registry(self.user_id).manifests
        dialog = CredentialDialog(self.services, self.user_id, manifests, provider, self)
        dialog.accepted.connect(self._credentials_changed)
        dialog.open()

    def _take_run_events(self, events: Sequence[RunEvent]) -> None:
        self.editor.take_run_events(events)
        before = len(self._active)
        is_news = False
        for event in events:
            if isinstance(event, RunStarted):
                self._active.add(event.run_id)
                is_news = True
            elif isinstance(event, RunEnded):
                self._active.discard(event.run_id)
                is_news = True
        if before != len(self._active):
            self.status.show_runs(len(self._active))
        if is_news:
            self.runs.reload_soon()
            self._read_storage()

    def _take_events(self, events: Sequence[object]) -> None:
        for event in events:
            self.editor.take_event(event)
            if isinstance(event, PlanEdited | PlanSaved):
                self.status.show_saved(isinstance(event, PlanSaved) and event.file is not None)
            elif isinstance(event, PlanStored | PlanDeleted):
                self._read_schedules()
                self.editor.look_up(event.plan_id)
            elif isinstance(event, IntegrationsChanged):
                self.editor.palette_panel.set_registry(self.services.registry(self.user_id))
        self._show_title()

    def _read_schedules(self) -> None:
        schedules, user_id = self.services.schedules, self.user_id

        def show(jobs: list[Schedule]) -> None:
            fires = [job.next_fire for job in jobs if job.next_fire is not None]
            self.status.show_schedules(len(jobs), min(fires, default=None))

        Task(lambda: schedules.jobs(user_id), self).success(show).start()

    def _read_facts(self) -> None:
        self._read_schedules()
        self._read_storage()

    def _read_storage(self) -> None:
        """Few at a time: a storm of runs asks again and again."""
        if not self._is_measuring:
            self._is_measuring = True
            folder = self.services.settings.data_dir
            Task(lambda: folder_size(folder), self).success(self._show_storage).start()

    def _show_storage(self, size_bytes: int) -> None:
        self._is_measuring = False
        self.status.show_storage(size_bytes)

    def _credentials_changed(self) -> None:
        self.held.reload()
        self.vault.reload()
        self.editor.step_panel.reload_credentials()

    def _refresh_faces(self) -> None:
        for tab in self.editor.all_tabs():
            tab.canvas.refresh_faces()

    def _open_entry(self, entry: Entry) -> None:
        if entry.draft is not None:
            self.documents.open_draft(entry.draft)
        else:
            self.documents.open_plan(entry.plan)

    def _reset_layout(self) -> None:
        self.actions_by_name["canvas-only"].setChecked(False)
        self._show_canvas_only()
        self.editor.arrangement.reset()

    def _show_canvas_only(self) -> None:
        """Everything around the canvas steps back; F11 again brings it back."""
        is_only = self.actions_by_name["canvas-only"].isChecked()
        if is_only:
            self.show_screen("editor")
        self.editor.show_canvas_only(is_only)
        self.rail.setVisible(not is_only)
        self.status.setVisible(not is_only)

    def _show_failure(self, error: FlowStudioError) -> None:
        self.show_message(message_of(error))

    def _show_title(self) -> None:
        tab = self.editor.front
        is_editing = tab is not None and self._stack.currentWidget() is self.editor
        self.setWindowTitle(f"{tab.title} — FlowStudio" if tab is not None and is_editing else "FlowStudio")

    def _show_about(self) -> None:
        text = f"<b>FlowStudio {__version__}</b><br>Draw a plan, run it for real, lose nothing."
        QMessageBox.about(self, "About FlowStudio", text)


CANVAS_COMMANDS = {
    "cut": "cut",
    "copy": "copy",
    "paste": "paste",
    "duplicate": "duplicate",
    "delete": "delete_selected",
    "select-all": "select_all",
    "quick-add": "start_quick_add",
    "fit": "fit_all",
    "actual-size": "show_actual_size",
}
"""Commands that are the front canvas's own, and its method."""


def folder_size(folder: Path) -> int:
    """Bytes of all files below; one that goes away meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.path.getsize(os.path.join(place, name))
    return total
