"""FieldEditor: what the form knows of an editor, whatever kind of value it edits."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field
from flowstudio.ui.tokens import SPACE_1


class FieldEditor(QWidget):
    """Shows one value and tells each change by the hand.

    `edited` carries the new value while it is typed; `show_value` never emits it. None stands for "not set".
    """

    edited = Signal(object)

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field

    def show_value(self, value: Json) -> None:
        """Shows value unless it is what the editor shows already, so that a cursor is not moved while typing."""
        raise NotImplementedError

    def name_for(self, widget: QWidget) -> None:
        """Gives the widget that takes the focus the field's name and help, for assistive technology too."""
        widget.setAccessibleName(self.field.title)
        widget.setAccessibleDescription(self.field.help)
        self.setFocusProxy(widget)


def as_text(value: Json) -> str:
    """A value as a one-line editor shows it."""
    return "" if value is None else value if isinstance(value, str) else str(value)


def mark_invalid(widget: QWidget, is_invalid: bool) -> None:
    """Turns the error outline on or off."""
    set_look(widget, "invalid", is_invalid)


def set_look(widget: QWidget, name: str, value: object) -> None:
    """Sets a property the style sheet asks for, and has the sheet look again."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def row(parent: QWidget, *widgets: QWidget, stretch: int = 0) -> QHBoxLayout:
    """Lays widgets side by side on parent; the one at index `stretch` takes the room."""
    layout = QHBoxLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACE_1)
    for index, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if index == stretch else 0)
    return layout


def column(parent: QWidget, *widgets: QWidget, spacing: int = SPACE_1) -> QVBoxLayout:
    layout = QVBoxLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for widget in widgets:
        layout.addWidget(widget)
    return layout
