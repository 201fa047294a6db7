"""One line of text, plain or hidden."""

from PySide6.QtWidgets import QLineEdit, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field
from flowstudio.ui.forms.editors.field_editor import FieldEditor, as_text, row


class TextEditor(FieldEditor):
    """An empty line means: not set."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.line = QLineEdit(placeholderText=field.placeholder or as_text(field.default))
        self.name_for(self.line)
        self.line.textEdited.connect(self._tell)
        row(self, self.line)

    def show_value(self, value: Json) -> None:
        if self.line.text() != as_text(value):
            self.line.setText(as_text(value))

    def _tell(self, text: str) -> None:
        self.edited.emit(text or None)


class SecretEditor(TextEditor):
    """Text that is not shown on the screen."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
