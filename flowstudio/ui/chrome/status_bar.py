"""The status bar: four facts, each a button that leads to where they can be changed."""

from datetime import datetime

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import SPACE_1, SPACE_2, STATUS_HEIGHT


class StatusBar(QWidget):
    screen_wanted = Signal(str)

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "status")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(STATUS_HEIGHT + SPACE_1)
        self._icons = icons
        self._address = ""
        self.server = _part("Server", icons, "server")
        self.schedules = _part("Schedules", icons, "schedule")
        self.runs = _part("Runs", icons, "runs")
        self.saved = _part("Saved", icons, "save")
        menu = QMenu(self.server)
        menu.addAction(icons.icon("copy"), "Copy address").triggered.connect(self._copy_address)
        self.server.clicked.connect(lambda: self._offer(menu))
        self.schedules.clicked.connect(lambda: self.screen_wanted.emit("triggers"))
        self.runs.clicked.connect(lambda: self.screen_wanted.emit("runs"))
        self.message = text_label("", "hint")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_1, 1, SPACE_2, 0)
        layout.setSpacing(SPACE_1)
        for part in (self.server, self.schedules, self.runs):
            layout.addWidget(part)
        layout.addStretch(1)
        layout.addWidget(self.message)
        layout.addWidget(self.saved)
        self.show_server("", "Server is starting…")
        self.show_schedules(0, None)
        self.show_runs(0)
        self.saved.setText(" No changes yet")

    def show_server(self, address: str, text: str = "") -> None:
        """address: where the API answers, "" while it does not."""
        self._address = address
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

    def show_saved(self, to_file: bool = False) -> None:
        """The journal, or a file, holds everything as of now."""
        self.saved.setText(f" {'Written' if to_file else 'Saved'} {datetime.now():%H:%M:%S}")

    def say(self, text: str) -> None:
        """A word about what was just done; the next one replaces it."""
        self.message.setText(text)

    def _copy_address(self) -> None:
        QGuiApplication.clipboard().setText(self._address)

    def _offer(self, menu: QMenu) -> None:
        """What can be done with the address, above its button."""
        if self._address:
            corner = self.server.mapToGlobal(self.server.rect().topLeft())
            menu.popup(QPoint(corner.x(), corner.y() - menu.sizeHint().height()))


def when(moment: datetime) -> str:
    """The time today, the day before it otherwise; in this computer's own zone."""
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == datetime.now().astimezone().date() else f"{local:%d %b %H:%M}"


def _part(name: str, icons: Icons, icon: str) -> QPushButton:
    button = push_button("", icons.icon(icon), kind="status", name=name)
    button.setIconSize(QSize(14, 14))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
