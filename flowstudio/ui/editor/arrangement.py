"""Arrangement: where the editor's docks stand, what makes room for the canvas, and how that is remembered."""

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QObject, Qt, QTimer
from PySide6.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from flowstudio.ui.chrome.commands import Actions
from flowstudio.ui.controls import tool_button
from flowstudio.ui.editor.docks import Dock, tabbed_dock, titled_dock
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import (
    BOTTOM_DOCK_HEIGHT,
    ICON_MEDIUM,
    LEFT_DOCK_WIDTH,
    RAIL_WIDTH,
    RIGHT_DOCK_WIDTH,
    SPACE_2,
    STRIP_WIDTH,
)

LAYOUT_VERSION = 1
NARROW = 1280 - RAIL_WIDTH  # below this the right dock is a strip, so that the canvas has room
BOTTOM_SHARE = 0.6  # of the editor's height, at most
NO_LIMIT = 16_777_215  # Qt's QWIDGETSIZE_MAX


class Strip(QWidget):
    """What is left of the right dock while it is hidden: the button that brings it back."""

    def __init__(self, icons: Icons) -> None:
        super().__init__()
        self.setProperty("role", "strip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(STRIP_WIDTH)
        self.button = tool_button(icons.icon("sliders", "text_2"), "Show step settings", size=ICON_MEDIUM)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE_2, 0, SPACE_2)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)


class Arrangement(QObject):
    """Left, right and bottom dock around the body, each with its command that shows and hides it."""

    def __init__(
        self,
        body: QMainWindow,
        left: QWidget,
        right: QWidget,
        panes: Mapping[str, QWidget],
        actions: Actions,
        icons: Icons,
    ) -> None:
        super().__init__(body)
        self._body = body
        self._has_own_sizes = False
        self._is_narrow: bool | None = None
        self._made_room = False
        self._put_away: list[Dock] | None = None
        self.left = titled_dock("steps", "Steps", left, icons, body)
        self.right = titled_dock("step", "Step", right, icons, body)
        self.bottom, self.panes = tabbed_dock("run", "Run and data", panes, icons, body)
        self.strip = Strip(icons)
        self.left.setMinimumWidth(200)
        self.right.setMinimumWidth(280)
        self.bottom.setMinimumHeight(120)
        body.setDockOptions(QMainWindow.DockOption.AllowTabbedDocks | QMainWindow.DockOption.AllowNestedDocks)
        self._place()
        self._join(actions)

    @property
    def docks(self) -> tuple[Dock, Dock, Dock]:
        return self.left, self.right, self.bottom

    def save(self) -> QByteArray | None:
        """How the docks stand; None while they were never on the screen and have no sizes worth keeping."""
        return self._body.saveState(LAYOUT_VERSION) if self._has_own_sizes else None

    def restore(self, state: QByteArray) -> None:
        self._has_own_sizes = self._body.restoreState(state, LAYOUT_VERSION)

    def first_shown(self) -> None:
        """The docks get the sizes of a new installation once the window has its own."""
        if not self._has_own_sizes:
            self._has_own_sizes = True
            QTimer.singleShot(0, self, self._size)

    def fit(self, width: int, height: int) -> None:
        """The editor's size changed: narrow, the right dock steps aside; the bottom one keeps below its share."""
        is_narrow = width < NARROW
        if is_narrow is not self._is_narrow:
            self._is_narrow = is_narrow
            self._make_room(is_narrow)
        self._limit_bottom(height)

    def reset(self) -> None:
        """The layout of a new installation."""
        self._put_away, self._made_room = None, False
        self._place()
        self._size()

    def show_canvas_only(self, is_only: bool) -> None:
        """Puts the docks away, and brings back those that were there."""
        if is_only and self._put_away is None:
            self._put_away = [dock for dock in self.docks if not dock.isHidden()]
            for dock in self.docks:
                dock.hide()
        elif not is_only and self._put_away is not None:
            back, self._put_away = self._put_away, None
            for dock in back:
                dock.show()
        self._show_strip()

    def _place(self) -> None:
        areas = Qt.DockWidgetArea
        self._body.setCorner(Qt.Corner.BottomRightCorner, areas.RightDockWidgetArea)
        self._body.setCorner(Qt.Corner.BottomLeftCorner, areas.LeftDockWidgetArea)
        places = (areas.LeftDockWidgetArea, areas.RightDockWidgetArea, areas.BottomDockWidgetArea)
        for dock, area in zip(self.docks, places, strict=True):
            dock.setFloating(False)
            self._body.addDockWidget(area, dock)
            dock.show()

    def _size(self) -> None:
        sides = [LEFT_DOCK_WIDTH, RIGHT_DOCK_WIDTH]
        self._body.resizeDocks([self.left, self.right], sides, Qt.Orientation.Horizontal)
        self._body.resizeDocks([self.bottom], [BOTTOM_DOCK_HEIGHT], Qt.Orientation.Vertical)

    def _join(self, actions: Actions) -> None:
        for name, dock in zip(("dock-left", "dock-right", "dock-bottom"), self.docks, strict=True):
            actions[name].toggled.connect(dock.setVisible)
            dock.visibilityChanged.connect(
                lambda _, action=actions[name], each=dock: action.setChecked(not each.isHidden())
            )
        self.right.visibilityChanged.connect(lambda _: self._show_strip())
        self.bottom.topLevelChanged.connect(lambda _: self._limit_bottom(self._body.height()))
        self.strip.button.clicked.connect(self.right.show)
        self._show_strip()

    def _make_room(self, is_narrow: bool) -> None:
        """A dock that stepped aside for want of room comes back with it; one the person hid stays hidden."""
        if is_narrow and not self.right.isHidden() and not self.right.isFloating():
            self._made_room = True
            self.right.hide()
        elif not is_narrow and self._made_room:
            self._made_room = False
            self.right.show()

    def _limit_bottom(self, height: int) -> None:
        is_docked = not self.bottom.isFloating()
        self.bottom.setMaximumHeight(
            max(self.bottom.minimumHeight(), int(height * BOTTOM_SHARE)) if is_docked else NO_LIMIT
        )

    def _show_strip(self) -> None:
        self.strip.setVisible(self.right.isHidden() and self._put_away is None)
