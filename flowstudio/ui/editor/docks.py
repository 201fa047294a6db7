"""Docks: each can be moved, floated and hidden; one kind has a title, the other carries panes as tabs."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QTabWidget, QWidget

from flowstudio.ui.controls import text_label, tool_button
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import SPACE_1, SPACE_2, SPACE_3


class Dock(QDockWidget):
    """A dock with a quiet title of our own; afloat it is a window and wears the desktop's."""

    def __init__(self, name: str, title: str, content: QWidget, icons: Icons, parent: QWidget) -> None:
        super().__init__(title, parent)
        self.setObjectName(f"dock-{name}")
        self.setWidget(content)
        self._own_title: QWidget = QWidget()
        self._icons = icons
        self.topLevelChanged.connect(self._dress)

    def wear(self, title: QWidget) -> None:
        self._own_title = title
        self.setTitleBarWidget(title)

    def buttons(self) -> QWidget:
        """Float and hide."""
        holder = QWidget()
        layout = QHBoxLayout(holder)
        layout.setContentsMargins(0, 0, SPACE_2, 0)
        layout.setSpacing(0)
        for icon, hint, call in (("detach", "Float", self._float), ("close", "Hide", self.close)):
            button = tool_button(self._icons.icon(icon, "text_3"), f"{hint} {self.windowTitle()}", hint=hint, size=14)
            button.clicked.connect(lambda _=False, act=call: act())
            layout.addWidget(button)
        return holder

    def _float(self) -> None:
        self.setFloating(True)

    def _dress(self, is_afloat: bool) -> None:
        self.setTitleBarWidget(None if is_afloat else self._own_title)  # type: ignore[arg-type]  # None is documented


def titled_dock(name: str, title: str, content: QWidget, icons: Icons, parent: QWidget) -> Dock:
    dock = Dock(name, title, content, icons, parent)
    bar = QWidget()
    bar.setProperty("role", "dock-title")
    label = text_label(title, "title")
    dock.windowTitleChanged.connect(label.setText)
    layout = QHBoxLayout(bar)
    layout.setContentsMargins(SPACE_3, SPACE_2, 0, SPACE_1)
    layout.setSpacing(0)
    layout.addWidget(label, 1)
    layout.addWidget(dock.buttons())
    dock.wear(bar)
    return dock


def tabbed_dock(
    name: str, title: str, panes: Mapping[str, QWidget], icons: Icons, parent: QWidget
) -> tuple[Dock, QTabWidget]:
    """A dock whose tabs stand where a title would, and those tabs."""
    tabs = QTabWidget(documentMode=True)
    tabs.setAccessibleName(title)
    for text, pane in panes.items():
        tabs.addTab(pane, text)
    dock = Dock(name, title, tabs, icons, parent)
    tabs.setCornerWidget(dock.buttons(), Qt.Corner.TopRightCorner)
    dock.wear(QWidget())
    return dock, tabs
