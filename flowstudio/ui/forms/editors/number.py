"""Whole and broken numbers. A line, not a spin box: a field may be empty and a wheel must not change a plan."""

from PySide6.QtWidgets import QLineEdit, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field, FieldKind
from flowstudio.ui.forms.editors.field_editor import FieldEditor, as_text, mark_invalid, row


class NumberEditor(FieldEditor):
    """What is no number stays in the plan as it was typed, outlined; the problem under the field says why."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.line = QLineEdit(placeholderText=field.placeholder or as_text(field.default))
        self.name_for(self.line)
        self.line.textEdited.connect(self._tell)
        row(self, self.line)

    def show_value(self, value: Json) -> None:
        if self._value(self.line.text()) != value:
            self.line.setText(as_text(value))
        self._mark(value)

    def _tell(self, text: str) -> None:
        value = self._value(text)
        self._mark(value)
        self.edited.emit(value)

    def _value(self, text: str) -> Json:
        text = text.strip()
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text.replace(",", ".")) if self.field.kind is FieldKind.NUMBER else text
        except ValueError:
            return text

    def _mark(self, value: Json) -> None:
        mark_invalid(self.line, not (value is None or self._is_allowed(value)))

    def _is_allowed(self, value: Json) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        low, high = self.field.minimum, self.field.maximum
        return (low is None or value >= low) and (high is None or value <= high)
