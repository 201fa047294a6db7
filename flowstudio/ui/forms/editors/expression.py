"""The expression side of every field: `{{ }}` text with the values it may use one click away."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field
from flowstudio.ui.controls import tool_button
from flowstudio.ui.forms.editors.field_editor import FieldEditor, as_text, row
from flowstudio.ui.forms.editors.multiline import GrowingText
from flowstudio.ui.icons import Icons

_EXPRESSION = re.compile(r"\{\{.*?\}\}|\$\{.*?\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reference:
    """A value an expression can read: what a person calls it and how it is written."""

    title: str
    text: str


def is_expression(value: Json) -> bool:
    """Whether a stored value is written as an expression rather than as itself."""
    return isinstance(value, str) and _EXPRESSION.search(value) is not None


class ExpressionEditor(FieldEditor):
    """references gives what can be inserted, asked each time the menu opens."""

    def __init__(
        self, field: Field, icons: Icons, references: Callable[[], Sequence[Reference]], parent: QWidget | None = None
    ) -> None:
        super().__init__(field, parent)
        self.text = GrowingText(1, 10)
        self.text.setProperty("expression", True)
        self.text.setPlaceholderText("{{ steps.name.output }}")
        self.text.setAccessibleName(f"{field.title}, expression")
        self.setFocusProxy(self.text)
        self._painter = ExpressionColours(self.text.document(), icons)
        self._references = references
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill)
        insert = tool_button(icons.icon("add"), f"Insert a value into {field.title}", hint="Insert a value")
        insert.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        insert.setMenu(self._menu)
        self._is_showing = False
        self.text.textChanged.connect(self._tell)
        row(self, self.text, insert)

    def show_value(self, value: Json) -> None:
        if self.text.toPlainText() != as_text(value):
            self._is_showing = True
            self.text.setPlainText(as_text(value))
            self._is_showing = False

    def _tell(self) -> None:
        if not self._is_showing:
            self.edited.emit(self.text.toPlainText() or None)

    def _fill(self) -> None:
        self._menu.clear()
        for reference in self._references():
            action = self._menu.addAction(reference.title)
            action.triggered.connect(
                lambda _=False, text=reference.text: self.text.insertPlainText(f"{{{{ {text} }}}}")
            )


class ExpressionColours(QSyntaxHighlighter):
    """Tints what stands in braces."""

    def __init__(self, document: QTextDocument, icons: Icons) -> None:
        super().__init__(document)
        self._icons = icons

    def highlightBlock(self, text: str) -> None:
        style = QTextCharFormat()
        style.setForeground(QColor(self._icons.palette.waiting))
        for found in _EXPRESSION.finditer(text):
            self.setFormat(found.start(), found.end() - found.start(), style)
