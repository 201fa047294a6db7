"""The menu bar, built from the commands."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QMenuBar

from flowstudio.ui.chrome.commands import Actions
from flowstudio.ui.tokens import Theme

MenuEntry = tuple[str, Callable[[], object]]
"""What an entry says and what it does."""

MENUS: Mapping[str, tuple[str, ...]] = {
    "&File": (
        "new",
        "new-window",
        "open",
        "*recent",
        "*samples",
        "-",
        "save",
        "save-as",
        "-",
        "close",
        "close-window",
        "quit",
    ),
    "&Edit": ("undo", "redo", "-", "cut", "copy", "paste", "duplicate", "delete", "-", "select-all", "quick-add"),
    "&View": (
        "dock-left",
        "dock-right",
        "dock-bottom",
        "canvas-only",
        "reset-layout",
        "-",
        "fit",
        "actual-size",
        "-",
        "next-tab",
        "previous-tab",
        "-",
        "*theme",
    ),
    "&Run": (
        "run",
        "run-input",
        "run-dry",
        "-",
        "run-step",
        "run-from",
        "run-again",
        "restart",
        "-",
        "continue",
        "step-over",
        "pause",
        "stop",
        "stop-all",
        "-",
        "breakpoint",
        "breakpoints-off",
        "pin",
        "-",
        "follow-run",
        "publish",
    ),
    "&Help": ("about",),
}
"""What each menu holds: a command, a separator, or a submenu marked by a star."""


def fill_menu_bar(bar: QMenuBar, actions: Actions, submenus: Mapping[str, QMenu]) -> None:
    for title, names in MENUS.items():
        menu = bar.addMenu(title)
        for name in names:
            if name == "-":
                menu.addSeparator()
            elif name.startswith("*"):
                menu.addMenu(submenus[name[1:]])
            else:
                menu.addAction(actions[name])


def theme_menu(chosen: Theme, choose: Callable[[Theme], None]) -> QMenu:
    menu = QMenu("Theme")
    group = QActionGroup(menu)
    for theme, title in ((Theme.SYSTEM, "As the system"), (Theme.LIGHT, "Light"), (Theme.DARK, "Dark")):
        action = menu.addAction(title)
        action.setCheckable(True)
        action.setChecked(theme is chosen)
        action.setData(theme)
        action.triggered.connect(lambda _=False, wanted=theme: choose(wanted))
        group.addAction(action)
    return menu


def list_menu(title: str, entries: Callable[[], Sequence[MenuEntry]]) -> QMenu:
    """A submenu asked for its entries each time it opens; hidden behind "None" while there are none."""
    menu = QMenu(title)

    def fill() -> None:
        menu.clear()
        for text, call in entries():
            menu.addAction(text).triggered.connect(lambda _=False, chosen=call: chosen())
        if menu.isEmpty():
            menu.addAction("None").setEnabled(False)

    menu.aboutToShow.connect(fill)
    return menu
