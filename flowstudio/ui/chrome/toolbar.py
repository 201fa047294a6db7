"""The editor's toolbar: where the plan stands, undo, run, live and publish."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from flowstudio.ui.chrome.commands import Actions
from flowstudio.ui.chrome.elided_label import ElidedLabel
from flowstudio.ui.chrome.menus import MenuEntry, list_menu
from flowstudio.ui.controls import push_button, text_label, tool_button
from flowstudio.ui.forms.editors.field_editor import set_look
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import ICON_MEDIUM, SPACE_1, SPACE_2, SPACE_3, TOOLBAR_HEIGHT


class Toolbar(QWidget):
    """plans: asked for the plans to go to, when their menu opens."""

    live_switched = Signal(bool)
    home_wanted = Signal()

    def __init__(
        self, actions: Actions, icons: Icons, plans: Callable[[], Sequence[MenuEntry]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "toolbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(TOOLBAR_HEIGHT + SPACE_2)
        self.home = tool_button(
            icons.icon("back"), "Back to all plans", size=ICON_MEDIUM - 2, clicked=self.home_wanted.emit
        )
        self.plans = tool_button(icons.icon("chevron-down", "text_2"), "Go to another open plan", size=12)
        self.plans.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._plans_menu = list_menu("Open plans", plans)
        self.plans.setMenu(self._plans_menu)
        self.name = ElidedLabel()
        self.name.setProperty("role", "title")
        self.state = text_label("", "pill")
        self.run = RunButton(actions, icons)
        self.stop = push_button("Stop", icons.icon("stop", "error"), name="Stop the run")
        _follow(self.stop, actions["stop"])
        self.live = QCheckBox("Live")
        self.live.setToolTip("Whether schedules and webhooks start the published version")
        self.live.clicked.connect(self.live_switched)
        self.publish = push_button("Publish", icons.icon("publish"))
        _follow(self.publish, actions["publish"])
        about = QHBoxLayout()
        about.setSpacing(SPACE_1)
        for part in (self.home, self.name, self.plans, self.state, _divider()):
            about.addWidget(part)
        for name in ("undo", "redo"):
            about.addWidget(_tool(actions[name]))
        for part in (_divider(), _tool(actions["quick-add"], "Add step"), _tool(actions["fit"])):
            about.addWidget(part)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_1, 0, SPACE_3, 0)
        layout.setSpacing(SPACE_2)
        layout.addLayout(about)
        layout.addStretch(1)
        for part in (self.live, self.publish, self.stop, self.run):
            layout.addWidget(part)

    def show_plan(self, name: str, state: str, tone: str) -> None:
        self.name.show_text(name or "Untitled plan")
        self.state.setText(state)
        set_look(self.state, "tone", tone)

    def show_live(self, is_published: bool, is_on: bool) -> None:
        self.live.setEnabled(is_published)
        self.live.setChecked(is_published and is_on)


class RunButton(QWidget):
    """The one filled button: Run, with its variants behind the arrow."""

    def __init__(self, actions: Actions, icons: Icons) -> None:
        super().__init__()
        self.button = push_button("Run", icons.icon("run", "on_accent"), kind="run", name="Run this plan")
        _follow(self.button, actions["run"])
        self.more = tool_button(icons.icon("chevron-down", "on_accent"), "More ways to run", kind="run-menu", size=12)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.more)
        menu.addActions([actions["run"], actions["run-input"], actions["run-dry"]])
        menu.addSeparator()
        menu.addActions([actions["run-from"], actions["run-again"], actions["restart"]])
        menu.addSeparator()
        menu.addAction(actions["follow-run"])
        self.more.setMenu(menu)
        actions["run"].changed.connect(lambda: self.more.setEnabled(actions["run"].isEnabled()))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.button)
        layout.addWidget(self.more)


def _follow(button: QPushButton, action: QAction) -> None:
    """A push button that triggers an action and is enabled with it."""
    button.clicked.connect(action.trigger)
    button.setToolTip(action.toolTip())
    button.setEnabled(action.isEnabled())
    action.changed.connect(lambda: button.setEnabled(action.isEnabled()))


def _tool(action: QAction, text: str = "") -> QToolButton:
    button = tool_button(None, "", size=ICON_MEDIUM - 2)
    button.setDefaultAction(action)
    button.setAccessibleName(action.text())
    if text:
        button.setText(text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        action.changed.connect(lambda: button.setText(text))
    return button


def _divider() -> QWidget:
    line = QWidget()
    line.setFixedSize(1, 20)
    line.setProperty("role", "bar-divider")
    line.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(SPACE_1, 0, SPACE_1, 0)
    layout.addWidget(line)
    return holder
