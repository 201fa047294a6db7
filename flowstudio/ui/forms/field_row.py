"""One field of a form: label, expression toggle, editor, help, and the problems right below."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from flowstudio.plan.model import Json, StepKind
from flowstudio.plan.rules import Problem
from flowstudio.providers.manifest import Field, FieldKind
from flowstudio.ui.controls import problem_label, text_label, tool_button
from flowstudio.ui.forms.editors import editor_for
from flowstudio.ui.forms.editors.condition import read_condition
from flowstudio.ui.forms.editors.expression import ExpressionEditor, Reference, is_expression
from flowstudio.ui.forms.editors.field_editor import set_look
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import SPACE_1


class FieldRow(QWidget):
    """`edited` carries the value to store, None for "not set". The expression side shows whenever the value is one.

    references: what its expressions may read; None for a field that takes no expression.
    """

    edited = Signal(object)

    def __init__(
        self,
        field: Field,
        icons: Icons,
        references: Callable[[], Sequence[Reference]] | None = None,
        kind: StepKind = StepKind.ACTION,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.field = field
        self._value: Json = None
        self.fx = tool_button(
            None, f"{field.title}: expression", text="fx", kind="fx", hint="Write this value as an expression"
        )
        self.fx.setCheckable(True)
        self.editor = editor_for(field, icons, kind)
        self._takes_expressions = references is not None
        self.expression = ExpressionEditor(field, icons, references or tuple)
        self._problem = problem_label()
        self._lay_out()
        self.fx.clicked.connect(self._switch)
        self.editor.edited.connect(self._take)
        self.expression.edited.connect(self._take)
        for line in self.editor.findChildren(QLineEdit):
            line.installEventFilter(self)
        self._show_side(False)

    def show_value(self, value: Json) -> None:
        """Shows a stored value. A person who turned the expression side on keeps it until another value comes.

        The side stays too while the person types: braces closed in mid-sentence must not take the field away.
        """
        is_new = value != self._value
        self._value = value
        if is_new or not (self.fx.isChecked() or self._is_typed_in()):
            self._show_side(self._needs_expression(value))
        (self.expression if self.fx.isChecked() else self.editor).show_value(value)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        self._problem.setText("\n".join(problem.sentence for problem in problems))
        is_error = any(problem.is_error for problem in problems)
        set_look(self._problem, "tone", "error" if is_error else "warning")
        self._problem.setVisible(bool(problems))

    def focus_editor(self) -> None:
        (self.expression if self.fx.isChecked() else self.editor).setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """An equals sign in an empty field turns the expression side on."""
        is_equals = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.text() == "="
        is_empty = isinstance(watched, QLineEdit) and not watched.text() and self._value in (None, "")
        if is_equals and is_empty and self._takes_expressions:
            self._show_side(True)
            self.expression.setFocus()
            return True
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        label = text_label(
            f"{self.field.title} *" if self.field.required and self.field.default is None else self.field.title, "label"
        )
        label.setBuddy(self.editor)
        head = QHBoxLayout()
        head.addWidget(label, 1)
        head.addWidget(self.fx)
        if not self._takes_expressions:
            self.fx.hide()  # setVisible(True) would show it as a window of its own: it has no parent yet
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_1)
        layout.addLayout(head)
        layout.addWidget(self.editor)
        layout.addWidget(self.expression)
        if self.field.help:
            hint = text_label(self.field.help, "hint", wraps=True)
            layout.addWidget(hint)
        layout.addWidget(self._problem)

    def _is_typed_in(self) -> bool:
        focused = QApplication.focusWidget()
        return focused is not None and self.editor.isAncestorOf(focused)

    def _take(self, value: Json) -> None:
        self._value = value
        self.edited.emit(value)

    def _switch(self, wants_expression: bool) -> None:
        """By hand. Leaving an expression behind takes it out of the plan: braces mean one wherever they stand."""
        self._show_side(wants_expression)
        if wants_expression:
            self.expression.show_value(self._value if isinstance(self._value, str | int | float) else None)
        elif is_expression(self._value) and not self._fits_editor(self._value):
            self._take(None)
            self.editor.show_value(None)
        else:
            self.editor.show_value(self._value)
        self.focus_editor()

    def _show_side(self, as_expression: bool) -> None:
        self.fx.setChecked(as_expression)
        self.editor.setVisible(not as_expression)
        self.expression.setVisible(as_expression)

    def _needs_expression(self, value: Json) -> bool:
        return self._takes_expressions and is_expression(value) and not self._fits_editor(value)

    def _fits_editor(self, value: Json) -> bool:
        """The condition builder and JSON, code and long texts show braces themselves."""
        if self.field.kind is FieldKind.CONDITION:
            return isinstance(value, str) and read_condition(value) is not None
        return self.field.kind is FieldKind.CODE or (
            self.field.kind in (FieldKind.JSON, FieldKind.MULTILINE) and isinstance(value, str) and "\n" in value
        )
