"""The rail: one icon a screen, down the left edge."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QToolButton, QVBoxLayout, QWidget

from flowstudio.ui.controls import tool_button
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import ICON_MEDIUM, RAIL_WIDTH, SPACE_1, SPACE_2

SCREENS: Mapping[str, str] = {
    "home": "Home",
    "editor": "Editor",
    "runs": "Runs",
    "triggers": "Triggers",
    "vault": "Vault",
    "settings": "Settings",
}
"""Screens by name, in order. The last one sits at the bottom."""


class Rail(QWidget):
    chosen = Signal(str)

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(RAIL_WIDTH)
        self.setAccessibleName("Screens")
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QToolButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins((RAIL_WIDTH - 36) // 2, SPACE_2, 0, SPACE_2)
        layout.setSpacing(SPACE_1)
        for name, title in SCREENS.items():
            if name == [*SCREENS][-1]:
                layout.addStretch(1)
            button = tool_button(None, title, size=ICON_MEDIUM)
            button.setCheckable(True)
            button.setIcon(icons.icon(name, "text_2", active="accent"))
            button.setProperty("kind", "rail")
            button.setAccessibleName(title)
            button.clicked.connect(lambda _=False, wanted=name: self.chosen.emit(wanted))
            self._group.addButton(button)
            self.buttons[name] = button
            layout.addWidget(button)

    def show_screen(self, name: str) -> None:
        self.buttons[name].setChecked(True)
