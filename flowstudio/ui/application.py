"""The desktop face: Qt's application, the window, and the embedded server beside it."""

import signal
import socket
import sys
from types import FrameType
from typing import Protocol

from PySide6.QtCore import QObject, QSocketNotifier, QThreadPool
from PySide6.QtWidgets import QApplication

from flowstudio.errors import FlowStudioError
from flowstudio.ui.held_sessions import HeldSessions
from flowstudio.ui.main_window import MainWindow
from flowstudio.ui.tasks import Task
from flowstudio.ui.theme import Appearance
from flowstudio.ui.window_state import WindowState
from flowstudio.workspace.ports import LOCAL_USER
from flowstudio.workspace.services import Services

BACKGROUND_THREADS = 4
BESIDE_PX = 32  # how far a second window lies from the first


class ServerInfo(Protocol):
    @property
    def address(self) -> str: ...
    @property
    def message(self) -> str: ...


class Application(Protocol):
    """What app.build gives."""

    services: Services

    def start(self) -> int: ...
    def serve(self) -> ServerInfo: ...
    def stop_server(self) -> None: ...


def run(application: Application) -> int:
    """Shows the window until it is closed; the exit code. The caller closes the application."""
    qt = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(qt, QApplication)
    window = open_window(application, qt)
    window.show()
    quit_on_signals(qt)
    code = qt.exec()
    QThreadPool.globalInstance().waitForDone()
    return code


def open_window(application: Application, qt: QApplication) -> MainWindow:
    """The first window over an application, joined to its server; not shown yet."""
    qt.setApplicationName("FlowStudio")
    qt.setApplicationDisplayName("FlowStudio")
    qt.setDesktopFileName("flowstudio")
    QThreadPool.globalInstance().setMaxThreadCount(BACKGROUND_THREADS)
    return Desktop(application, qt).open_first()


class Desktop(QObject):
    """All windows of one start: they share the look, what is remembered, the server, and the plans under the hand."""

    def __init__(self, application: Application, qt: QApplication) -> None:
        super().__init__(qt)
        self._application = application
        self._services = application.services
        self._state = WindowState(self._services.settings.data_dir)
        self._appearance = Appearance(qt, self._state.theme(self._services.settings.theme))
        self._sessions = HeldSessions()
        self._windows: list[MainWindow] = []
        self._kept: list[str] = []
        self._server = ("", "")
        qt.setWindowIcon(self._appearance.icons.icon("editor", "accent"))

    def open_first(self) -> MainWindow:
        window = self._new_window()
        window.show_warnings([str(problem) for problem in self._services.registry(LOCAL_USER).problems])
        window.begin(self._state.begin())
        self._start_services()
        return window

    def open_another(self) -> None:
        """A second window over the same plans, beside the one in front."""
        before = self._windows[-1]
        window = self._new_window()
        window.setGeometry(before.geometry().translated(BESIDE_PX, BESIDE_PX))
        window.show_server(self._server[0], "")
        window.begin()
        window.show()

    def _new_window(self) -> MainWindow:
        window = MainWindow(self._services, LOCAL_USER, self._appearance, self._state, self._sessions)
        window.server_wanted.connect(self._switch_server)
        window.window_wanted.connect(self.open_another)
        window.closed.connect(lambda kept: self._forget(window, kept))
        self._windows.append(window)
        return window

    def _forget(self, window: MainWindow, kept: list[str]) -> None:
        """The last window to go ends the session. Qt may close a window twice."""
        if window not in self._windows:
            return
        self._windows.remove(window)
        self._kept += kept
        if self._windows:
            window.deleteLater()
        else:
            self._state.end(self._kept)
            self.deleteLater()

    # the server

    def _start_services(self) -> None:
        """Takes up interrupted runs, starts the clock and the server, all behind the window."""

        def start() -> ServerInfo:
            self._application.start()
            return self._application.serve()

        Task(start, self).success(self._show_server).failure(self._show_refusal).start()

    def _switch_server(self, is_on: bool) -> None:
        if is_on:
            Task(self._application.serve, self).success(self._show_server).failure(self._show_refusal).start()
        else:
            stop = Task(self._application.stop_server, self)
            stop.success(lambda _: self._tell_windows("", "")).failure(self._show_refusal).start()

    def _show_server(self, info: ServerInfo) -> None:
        self._tell_windows(info.address, info.message)

    def _show_refusal(self, error: FlowStudioError) -> None:
        self._tell_windows("", str(error))

    def _tell_windows(self, address: str, message: str) -> None:
        self._server = (address, message)
        for window in self._windows:
            window.show_server(address, message)


def quit_on_signals(qt: QApplication) -> None:
    """Ctrl+C in the terminal closes the window in order. Qt's loop runs no Python by itself, so a socket wakes it."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    notifier = QSocketNotifier(reader.fileno(), QSocketNotifier.Type.Read, qt)

    def close(_: object = None) -> None:
        reader.recv(64)
        qt.closeAllWindows()
        qt.quit()

    def note(number: int, frame: FrameType | None) -> None:
        """The byte in the socket does the work; a handler must exist for it to be written."""

    notifier.activated.connect(close)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, note)
    qt.setProperty("signal sockets", (reader, writer))  # keeps them open as long as the application
