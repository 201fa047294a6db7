"""Keys of the canvas (UI_SPEC 5). Single letters act only while the canvas has the focus.

Keys that the window's menus own too (undo, copy ...) reach the canvas only where there is no menu: Qt gives a
shortcut the key first.
"""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QKeyCombination, Qt

Do = Callable[[Any], object]
"""Called with the view that has the focus: a LookView for LOOK_KEYS, a CanvasView for EDIT_KEYS."""

_K = Qt.Key
_CTRL = Qt.KeyboardModifier.ControlModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier

_ARROWS = {_K.Key_Left: (-1, 0), _K.Key_Right: (1, 0), _K.Key_Up: (0, -1), _K.Key_Down: (0, 1)}
_NUDGE_PX, _NUDGE_FINE_PX = 20, 1


def _go(dx: int, dy: int) -> Do:
    return lambda view: view.go(dx, dy)


def _nudge(dx: int, dy: int) -> Do:
    return lambda view: view.nudge(dx, dy)


Keys = dict[tuple[int, Qt.KeyboardModifier], Do]

LOOK_KEYS: Keys = {
    (_K.Key_A, _CTRL): lambda view: view.select_all(),
    (_K.Key_1, Qt.KeyboardModifier.NoModifier): lambda view: view.fit_all(),
    (_K.Key_2, Qt.KeyboardModifier.NoModifier): lambda view: view.fit_selection(),
    (_K.Key_0, Qt.KeyboardModifier.NoModifier): lambda view: view.zoom_to(1.0),
    (_K.Key_Plus, Qt.KeyboardModifier.NoModifier): lambda view: view.zoom_in(),
    (_K.Key_Plus, _SHIFT): lambda view: view.zoom_in(),
    (_K.Key_Equal, Qt.KeyboardModifier.NoModifier): lambda view: view.zoom_in(),
    (_K.Key_Minus, Qt.KeyboardModifier.NoModifier): lambda view: view.zoom_out(),
    (_K.Key_M, Qt.KeyboardModifier.NoModifier): lambda view: view.toggle_minimap(),
    (_K.Key_Return, Qt.KeyboardModifier.NoModifier): lambda view: view.activate_step(),
    (_K.Key_Escape, Qt.KeyboardModifier.NoModifier): lambda view: view.escape(),
    **{(key, Qt.KeyboardModifier.NoModifier): _go(*way) for key, way in _ARROWS.items()},
}
"""What works wherever a plan is shown."""

EDIT_KEYS: Keys = {
    (_K.Key_Tab, Qt.KeyboardModifier.NoModifier): lambda view: view.start_quick_add(),
    (_K.Key_K, _CTRL): lambda view: view.start_quick_add(),
    (_K.Key_Delete, Qt.KeyboardModifier.NoModifier): lambda view: view.delete_selected(),
    (_K.Key_Backspace, Qt.KeyboardModifier.NoModifier): lambda view: view.delete_selected(),
    (_K.Key_C, _CTRL): lambda view: view.copy(),
    (_K.Key_X, _CTRL): lambda view: view.cut(),
    (_K.Key_V, _CTRL): lambda view: view.paste(),
    (_K.Key_D, _CTRL): lambda view: view.duplicate(),
    (_K.Key_Z, _CTRL): lambda view: view.undo_stack.undo(),
    (_K.Key_Z, _CTRL | _SHIFT): lambda view: view.undo_stack.redo(),
    (_K.Key_Y, _CTRL): lambda view: view.undo_stack.redo(),
    (_K.Key_D, Qt.KeyboardModifier.NoModifier): lambda view: view.toggle_disabled(),
    (_K.Key_P, Qt.KeyboardModifier.NoModifier): lambda view: view.ask_pin(),
    (_K.Key_F2, Qt.KeyboardModifier.NoModifier): lambda view: view.ask_rename(),
    (_K.Key_Return, _CTRL): lambda view: view.ask_run_step(),
    **{(key, _SHIFT): _nudge(x * _NUDGE_PX, y * _NUDGE_PX) for key, (x, y) in _ARROWS.items()},
    **{(key, _CTRL | _SHIFT): _nudge(x * _NUDGE_FINE_PX, y * _NUDGE_FINE_PX) for key, (x, y) in _ARROWS.items()},
}
"""What changes the plan."""


def command_for(combination: QKeyCombination, keys: Keys) -> Do | None:
    """What a key does on the canvas; the keypad counts as the keys it stands for."""
    modifiers = combination.keyboardModifiers() & ~Qt.KeyboardModifier.KeypadModifier
    key = _K.Key_Return if combination.key() == _K.Key_Enter else combination.key()
    return keys.get((key, modifiers))
