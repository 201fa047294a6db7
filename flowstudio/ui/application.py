"""The desktop face: Qt's application, the window, and the embedded server beside it."""

import signal
import socket
import sys
from types import FrameType
from typing import Protocol

from PySide6.QtCore import QSocketNotifier, QThreadPool
from PySide6.QtWidgets import QApplication

from flowstudio.errors import FlowStudioError
from flowstudio.ui.main_window import MainWindow
from flowstudio.ui.tasks import Task
from flowstudio.ui.theme import Appearance
from flowstudio.ui.window_state import WindowState
from flowstudio.workspace.ports import LOCAL_USER
from flowstudio.workspace.services import Services

BACKGROUND_THREADS = 4


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
    """The window over an application, joined to its server; not shown yet."""
    qt.setApplicationName("FlowStudio")
    qt.setApplicationDisplayName("FlowStudio")
    qt.setDesktopFileName("flowstudio")
    QThreadPool.globalInstance().setMaxThreadCount(BACKGROUND_THREADS)
    services = application.services
    state = WindowState(services.settings.data_dir)
    appearance = Appearance(qt, state.theme(services.settings.theme))
    qt.setWindowIcon(appearance.icons.icon("editor", "accent"))
    window = MainWindow(services, LOCAL_USER, appearance, state)
    window.show_warnings([str(problem) for problem in services.registry(LOCAL_USER).problems])
    window.begin()
    start_services(application, window)
    return window


def start_services(application: Application, window: MainWindow) -> None:
    """Takes up interrupted runs, starts the clock and the server, all behind the window."""

    def start() -> ServerInfo:
        application.start()
        return application.serve()

    def show(info: ServerInfo) -> None:
        window.show_server(info.address, info.message)

    def refuse(error: FlowStudioError) -> None:
        window.show_server("", str(error))

    def stop() -> None:
        application.stop_server()

    def switch(is_on: bool) -> None:
        if is_on:
            Task(application.serve, window).success(show).failure(refuse).start()
        else:
            Task(stop, window).success(lambda _: window.show_server("", "")).failure(refuse).start()

    window.server_wanted.connect(switch)
    Task(start, window).success(show).failure(refuse).start()


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
