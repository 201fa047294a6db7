"""The context menu of a canvas: the window's commands for what is selected, with their keys."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from flowstudio.ui.canvas.look_view import MenuPlace
from flowstudio.ui.canvas.view import CanvasView
from flowstudio.ui.chrome.commands import Actions
from flowstudio.ui.editor.plan_tab import PlanTab


def open_canvas_menu(tab: PlanTab, actions: Actions, place: MenuPlace) -> QMenu:
    """Shows the menu there. On an old run it offers only what looks, never what changes."""
    menu = QMenu(tab)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    canvas = tab.shown.canvas
    chosen, wires = canvas.selected_ids(), canvas.board.selected_edges
    if len(chosen) == 1:
        _own(menu, "Step settings", "Enter", canvas.activate_step)
    if isinstance(canvas, CanvasView):
        _offer_edits(menu, canvas, actions, place, len(chosen), bool(wires))
    elif not chosen:
        _add(menu, actions, "select-all")
    if not chosen and not wires:
        menu.addSeparator()
        _own(menu, "Fit everything", "1", canvas.fit_all)
        _own(menu, "100 %", "0", canvas.show_actual_size)
    menu.popup(place.on_screen)
    return menu


def _offer_edits(
    menu: QMenu, canvas: CanvasView, actions: Actions, place: MenuPlace, step_count: int, has_wires: bool
) -> None:
    if step_count == 1:
        _own(menu, "Rename", "F2", canvas.ask_rename)
        menu.addSeparator()
    if step_count:
        _add(menu, actions, "cut", "copy", "duplicate")
        _own(menu, _switch_text(canvas), "D", canvas.toggle_disabled)
        menu.addSeparator()
    if step_count == 1:
        _own(menu, "Run this step", "Ctrl+Return", canvas.ask_run_step)
        _add(menu, actions, "run-from")
        _own(menu, _pin_text(canvas), "P", canvas.ask_pin)
    if step_count:
        _add(menu, actions, "breakpoint")
        menu.addSeparator()
    if step_count or has_wires:
        _add(menu, actions, "delete")
        return
    _own(
        menu, "Add a step here\N{HORIZONTAL ELLIPSIS}", "Tab", lambda: canvas.offer_steps(place.x, place.y, None, None)
    )
    _add(menu, actions, "paste", "select-all")


def _switch_text(canvas: CanvasView) -> str:
    steps = [canvas.board.step(step_id) for step_id in canvas.selected_ids()]
    return "Enable" if all(step is not None and step.disabled for step in steps) else "Disable"


def _pin_text(canvas: CanvasView) -> str:
    is_pinned = all(step_id in canvas.board.plan.pins for step_id in canvas.selected_ids())
    return "Unpin the output" if is_pinned else "Pin the last output"


def _add(menu: QMenu, actions: Actions, *names: str) -> None:
    for name in names:
        menu.addAction(actions[name])


def _own(menu: QMenu, text: str, key: str, call: Callable[[], object]) -> QAction:
    """A command of the canvas itself: its key acts only there, so it is shown and not taken by the menu."""
    action = menu.addAction(f"{text}\t{key}")
    action.triggered.connect(lambda: call())
    return action
