"""The status bar: five facts, each a button that leads to where they can be changed."""

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from flowstudio.ui.chrome.elided_label import ElidedLabel
from flowstudio.ui.controls import push_button
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import SPACE_1, SPACE_2, STATUS_HEIGHT


class StatusBar(QWidget):
    """saving: the commands offered where the time of the last save stands."""

    screen_wanted = Signal(str)
    server_switched = Signal(bool)

    def __init__(self, icons: Icons, saving: Sequence[QAction] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "status")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(STATUS_HEIGHT + SPACE_1)
        self._icons = icons
        self._address = ""
        self.server = _part("Server", icons, "server")
        self.schedules = _part("Schedules", icons, "schedule")
        self.runs = _part("Runs", icons, "runs")
        self.storage = _part("Storage", icons, "storage")
        self.saved = _part("Saved", icons, "save")
        self._make_menus(icons, saving)
        self.schedules.clicked.connect(lambda: self.screen_wanted.emit("triggers"))
        self.runs.clicked.connect(lambda: self.screen_wanted.emit("runs"))
        self.storage.clicked.connect(lambda: self.screen_wanted.emit("settings"))
        self.message = ElidedLabel()
        self.message.setProperty("role", "hint")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_1, 1, SPACE_2, 0)
        layout.setSpacing(SPACE_1)
        for part in (self.server, self.schedules, self.runs, self.storage):
            layout.addWidget(part)
        layout.addStretch(1)
        layout.addWidget(self.message)
        layout.addWidget(self.saved)
        self.show_storage(0)
        self.show_server("", "Server is starting…")
        self.show_schedules(0, None)
        self.show_runs(0)
        self.saved.setText(" No changes yet")

    def show_server(self, address: str, text: str = "") -> None:
        """address: where the API answers, "" while it does not."""
        self._address = address
        self._copy.setEnabled(bool(address))
        self._switch.setText("Stop the server" if address else "Start the server")
        self.server.setText(" " + (text or f"Server on {address.removeprefix('http://')}"))
        self.server.setIcon(self._icons.icon("server", "ok" if address else "text_3"))

    def show_schedules(self, count: int, next_fire: datetime | None) -> None:
        if not count:
            self.schedules.setText(" No schedules")
            return
        text = f" {count} schedule{'' if count == 1 else 's'}"
        self.schedules.setText(text + (f", next {when(next_fire)}" if next_fire else ""))

    def show_runs(self, active: int) -> None:
        self.runs.setText(f" {active} run{'' if active == 1 else 's'} active" if active else " No active runs")
        self.runs.setIcon(self._icons.icon("runs", "running" if active else "text_2"))

    def show_storage(self, size_bytes: int) -> None:
        """How much the data folder takes."""
        self.storage.setText(f" Storage {size_text(size_bytes)}" if size_bytes else " Storage")

    def show_saved(self, to_file: bool = False) -> None:
        """The journal, or a file, holds everything as of now."""
        self.saved.setText(f" {'Written' if to_file else 'Saved'} {datetime.now():%H:%M:%S}")

    def say(self, text: str) -> None:
        """A word about what was just done; the next one replaces it."""
        self.message.show_text(text)

    def _make_menus(self, icons: Icons, saving: Sequence[QAction]) -> None:
        about_server, about_saving = QMenu(self.server), QMenu(self.saved)
        self._copy = about_server.addAction(icons.icon("copy"), "Copy address")
        self._copy.triggered.connect(self._copy_address)
        self._switch = about_server.addAction(icons.icon("server"), "")
        self._switch.triggered.connect(lambda: self.server_switched.emit(not self._address))
        about_saving.addActions(list(saving))
        self.server.clicked.connect(lambda: _offer(about_server, self.server))
        self.saved.clicked.connect(lambda: _offer(about_saving, self.saved))

    def _copy_address(self) -> None:
        QGuiApplication.clipboard().setText(self._address)
        self.say(f"Copied {self._address}")


def _offer(menu: QMenu, button: QWidget) -> None:
    """Opens a menu above its button."""
    corner = button.mapToGlobal(button.rect().topLeft())
    menu.popup(QPoint(corner.x(), corner.y() - menu.sizeHint().height()))


def size_text(size_bytes: int) -> str:
    """412 kB, 4.1 MB, 2 GB: decimal units, as file managers show them."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000))} kB"
    size, unit = (size_bytes / 1e6, "MB") if size_bytes < 1_000_000_000 else (size_bytes / 1e9, "GB")
    return f"{size:.1f} {unit}" if size < 10 else f"{size:.0f} {unit}"


def when(moment: datetime) -> str:
    """The time today, the day before it otherwise; in this computer's own zone."""
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == datetime.now().astimezone().date() else f"{local:%d %b %H:%M}"


def _part(name: str, icons: Icons, icon: str) -> QPushButton:
    button = push_button("", icons.icon(icon), kind="status", name=name)
    button.setIconSize(QSize(14, 14))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
