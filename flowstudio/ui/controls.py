"""Buttons and labels as the window wants them: a role the style sheet knows, and a name assistive technology reads."""

from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QLabel, QLayout, QPushButton, QToolButton, QWidget

Clicked = Callable[[], object]


def push_button(
    text: str = "",
    icon: QIcon | None = None,
    *,
    kind: str = "",
    name: str = "",
    hint: str = "",
    clicked: Clicked | None = None,
) -> QPushButton:
    """kind: primary, danger, quiet, link, status, choice, run. name: where the text alone says too little."""
    button = QPushButton(f" {text}" if text and icon else text)
    if icon is not None:
        button.setIcon(icon)
    _dress(button, kind, name, hint)
    if clicked is not None:
        button.clicked.connect(lambda: clicked())
    return button


def tool_button(
    icon: QIcon | None,
    name: str,
    *,
    text: str = "",
    kind: str = "",
    hint: str = "",
    size: int = 0,
    clicked: Clicked | None = None,
) -> QToolButton:
    """A button of an icon. name: what it does, in the tool tip too unless hint says it better. size: pixels."""
    button = QToolButton()
    if icon is not None:
        button.setIcon(icon)
    button.setText(text)
    if size:
        button.setIconSize(QSize(size, size))
    _dress(button, kind, name, hint or name)
    if clicked is not None:
        button.clicked.connect(lambda: clicked())
    return button


def text_label(text: str = "", role: str = "", *, wraps: bool = False) -> QLabel:
    """role: page, section, title, label, muted, hint, problem, mono, pill; "" for body text."""
    made = QLabel(text)
    made.setWordWrap(wraps)
    if role:
        made.setProperty("role", role)
    return made


def problem_label() -> QLabel:
    """A line for what is wrong, hidden while nothing is."""
    made = text_label("", "problem", wraps=True)
    made.hide()
    return made


def empty_layout(layout: QLayout) -> None:
    """Takes every widget out and throws it away."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def _dress(button: QWidget, kind: str, name: str, hint: str) -> None:
    if kind:
        button.setProperty("kind", kind)
    if name:
        button.setAccessibleName(name)
    if hint:
        button.setToolTip(hint)
