"""Settings: the look, and where things are."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from flowstudio.settings import CONFIG_FILE, Settings
from flowstudio.ui.chrome.status_bar import size_text
from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.moments import moment
from flowstudio.ui.panels.segments import Segments
from flowstudio.ui.screens.screen import Screen
from flowstudio.ui.tasks import Task
from flowstudio.ui.tokens import SPACE_1, SPACE_3, SPACE_4, SPACE_6, Theme
from flowstudio.workspace.history_space import StorageReport
from flowstudio.workspace.services import Services

FIGURES_WIDTH = 168
THEMES = (Theme.SYSTEM, Theme.LIGHT, Theme.DARK)


class SettingsScreen(Screen):
    theme_chosen = Signal(object)  # Theme

    def __init__(self, services: Services, theme: Theme) -> None:
        super().__init__("Settings", "How FlowStudio looks and where it keeps things.")
        self.themes = Segments(("System", "Light", "Dark"), "Theme")
        self.themes.choose(THEMES.index(theme))
        self.themes.chosen.connect(lambda index: self.theme_chosen.emit(THEMES[index]))
        folder = services.settings.data_dir
        show_folder = push_button("Open folder")
        show_folder.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        self.address = text_label("Starting…")
        self.storage = text_label("Measuring…", wraps=True)
        self.storage.setMinimumWidth(FIGURES_WIDTH)
        self._services = services
        config = folder / CONFIG_FILE
        limits = f"{limits_of(services.settings)} Set history_max_bytes, history_days and history_runs in {config}; "
        limits += "they count from the next start. A plan can keep fewer in its own form."
        rows = (
            ("Theme", "System follows the desktop, at once.", self.themes),
            ("Data folder", str(folder), show_folder),
            ("Run history", limits, self.storage),
            ("Server", "The API and webhooks, for programs on this computer.", self.address),
        )
        card = QFrame()
        card.setProperty("role", "card")
        card.setMaximumWidth(720)
        grid = QGridLayout(card)
        grid.setContentsMargins(SPACE_6, SPACE_4, SPACE_6, SPACE_4)
        grid.setVerticalSpacing(SPACE_3)
        for at, (title, hint, widget) in enumerate(rows):
            if at:
                grid.addWidget(_divider(), at * 2 - 1, 0, 1, 2)
            grid.addWidget(_described(title, hint), at * 2, 0)
            grid.addWidget(widget, at * 2, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid.setColumnStretch(0, 1)
        self.body.addWidget(card)
        self.body.addStretch(1)

    def reload(self) -> None:
        space = self._services.history_space
        task = Task(space.report, self).success(lambda report: self.storage.setText(figures_of(report)))
        task.failure(lambda error: self.storage.setText(error.sentence)).start()

    def show_theme(self, theme: Theme) -> None:
        self.themes.blockSignals(True)
        self.themes.choose(THEMES.index(theme))
        self.themes.blockSignals(False)

    def show_address(self, address: str) -> None:
        self.address.setText(address or "Not running")


def limits_of(settings: Settings) -> str:
    """What is kept of runs that ended, in sentences."""
    most, days, runs = settings.history_max_bytes, settings.history_days, settings.history_runs
    size = f"Takes at most {size_text(most)}; the oldest runs go first." if most else "Takes as much room as it needs."
    age = f"Runs are kept for {days} day{'' if days == 1 else 's'}" if days else "Runs are kept however old they are"
    number = f"at most {runs:,} of each plan." if runs else "any number of each plan."
    return f"{size} {age}, {number}"


def figures_of(report: StorageReport) -> str:
    """How much the history takes now, a line for each part."""
    lines = [f"{size_text(report.database_bytes)} database", f"{size_text(report.payload_bytes)} large values"]
    if report.free_bytes:
        lines.append(f"{size_text(report.free_bytes)} of it free")
    runs = sum(share.runs for share in report.plans)
    lines.append(f"{runs:,} run{'' if runs == 1 else 's'} kept")
    if report.oldest_run is not None:
        lines.append(f"oldest: {moment(report.oldest_run)}")
    return "\n".join([*lines, *([report.note] if report.note else [])])


def _described(title: str, hint: str) -> QWidget:
    holder = QWidget()
    name = text_label(title, "title")
    text = text_label(hint, "hint", wraps=True)
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, SPACE_1, 0, SPACE_1)
    layout.setSpacing(SPACE_1)
    layout.addWidget(name)
    layout.addWidget(text)
    return holder


def _divider() -> QWidget:
    line = QWidget()
    line.setProperty("role", "divider")
    line.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    return line
