"""Every command of the window in one table: its name, words, keys and icon."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from flowstudio.ui.icons import Icons


@dataclass(frozen=True, slots=True)
class Command:
    """keys: the first is shown in menus. checkable commands keep a state of their own."""

    name: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False


COMMANDS: tuple[Command, ...] = (
    Command("new", "New plan", ("Ctrl+N",), "new"),
    Command("open", "Open…", ("Ctrl+O",), "open"),
    Command("save", "Save", ("Ctrl+S",), "save"),
    Command("save-as", "Save as…", (), "save"),
    Command("close", "Close plan", ("Ctrl+W",), "close"),
    Command("new-window", "New window", ("Ctrl+Shift+N",), "window"),
    Command("close-window", "Close window", ("Ctrl+Shift+W",)),
    Command("quit", "Quit", ("Ctrl+Q",)),
    Command("undo", "Undo", ("Ctrl+Z",), "undo"),
    Command("redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"),
    Command("cut", "Cut", ("Ctrl+X",), "cut"),
    Command("copy", "Copy", ("Ctrl+C",), "copy"),
    Command("paste", "Paste", ("Ctrl+V",), "paste"),
    Command("duplicate", "Duplicate", ("Ctrl+D",), "duplicate"),
    Command("delete", "Delete", ("Delete",), "delete"),
    Command("select-all", "Select all", ("Ctrl+A",), "select-all"),
    Command("quick-add", "Add a step…", ("Ctrl+K",), "add"),
    Command("run", "Run", ("F5",), "run"),
    Command("run-input", "Run with input…", ("Ctrl+F5",), "run-input"),
    Command("run-dry", "Dry run", (), "unsent"),
    Command("run-step", "Run this step", ()),
    Command("run-from", "Run from here", ("Ctrl+Shift+Return", "Ctrl+Shift+Enter")),
    Command("run-again", "Run again with the same input", ("F6",), "run-again"),
    Command("restart", "Restart from the failed step"),
    Command("continue", "Continue", ("F5",), "run"),
    Command("step-over", "Step over", ("F10",), "step-over"),
    Command("pause", "Pause", (), "pause"),
    Command("stop", "Stop", ("Shift+F5",), "stop"),
    Command("stop-all", "Stop all runs"),
    Command("breakpoint", "Breakpoint on or off", ("F9",), "breakpoint"),
    Command("breakpoints-off", "Remove all breakpoints", ("Shift+F9",)),
    Command("pin", "Pin or unpin the last output", (), "pin"),
    Command("follow-run", "Follow run", (), "follow", checkable=True),
    Command("publish", "Publish", ("Ctrl+Shift+S",), "publish"),
    Command("fit", "Fit everything", (), "fit"),
    Command("actual-size", "100 %", ()),
    Command("dock-left", "Steps", ("Ctrl+B",), checkable=True),
    Command("dock-right", "Step settings", ("Ctrl+Alt+B",), checkable=True),
    Command("dock-bottom", "Run and data", ("Ctrl+J",), checkable=True),
    Command("canvas-only", "Canvas only", ("F11",), checkable=True),
    Command("reset-layout", "Reset layout"),
    Command("next-tab", "Next plan", ("Ctrl+Tab",)),
    Command("previous-tab", "Previous plan", ("Ctrl+Shift+Tab",)),
    Command("about", "About FlowStudio", (), "info"),
)


class Actions(Mapping[str, QAction]):
    """The commands as Qt's actions, by name. A window's parts connect to them; menus and buttons show them."""

    def __init__(self, parent: QObject, icons: Icons) -> None:
        self._by_name = {command.name: _action(command, parent, icons) for command in COMMANDS}

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def connect(self, handlers: Mapping[str, Callable[[], object]]) -> None:
        for name, handler in handlers.items():
            self[name].triggered.connect(lambda _=False, call=handler: call())

    def enable(self, names: Mapping[str, bool]) -> None:
        for name, is_enabled in names.items():
            self[name].setEnabled(is_enabled)


def _action(command: Command, parent: QObject, icons: Icons) -> QAction:
    action = QAction(command.text, parent)
    action.setObjectName(command.name)
    action.setShortcuts([QKeySequence(keys) for keys in command.keys])
    action.setCheckable(command.checkable)
    hint = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    action.setToolTip(f"{command.text.rstrip('…')}  {hint}".rstrip())
    if command.icon:
        action.setIcon(icons.icon(command.icon))
    return action
