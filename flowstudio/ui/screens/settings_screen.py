"""Settings: the look, and where things are."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.panels.segments import Segments
from flowstudio.ui.screens.screen import Screen
from flowstudio.ui.tokens import SPACE_1, SPACE_3, SPACE_4, SPACE_6, Theme
from flowstudio.workspace.services import Services

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
        rows = (
            ("Theme", "System follows the desktop, at once.", self.themes),
            ("Data folder", str(folder), show_folder),
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

    def show_theme(self, theme: Theme) -> None:
        self.themes.blockSignals(True)
        self.themes.choose(THEMES.index(theme))
        self.themes.blockSignals(False)

    def show_address(self, address: str) -> None:
        self.address.setText(address or "Not running")


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
