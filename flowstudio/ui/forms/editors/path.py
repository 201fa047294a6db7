"""A file or a folder, typed or chosen."""

from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field, FieldKind
from flowstudio.ui.controls import tool_button
from flowstudio.ui.forms.editors.field_editor import FieldEditor, as_text, row
from flowstudio.ui.icons import Icons


class PathEditor(FieldEditor):
    def __init__(self, field: Field, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.line = QLineEdit(placeholderText=field.placeholder or as_text(field.default))
        self.name_for(self.line)
        self.line.textEdited.connect(lambda text: self.edited.emit(text or None))
        browse = tool_button(icons.icon("browse"), f"Browse for {field.title}", kind="button", hint="Browse…")
        browse.clicked.connect(self._browse)
        row(self, self.line, browse)

    def show_value(self, value: Json) -> None:
        if self.line.text() != as_text(value):
            self.line.setText(as_text(value))

    def _browse(self) -> None:
        if self.field.kind is FieldKind.FOLDER:
            chosen = QFileDialog.getExistingDirectory(self, self.field.title, self.line.text())
        else:
            # A step may write a file that does not exist yet, so any name is welcome and nothing is overwritten here.
            chosen, _ = QFileDialog.getSaveFileName(
                self, self.field.title, self.line.text(), options=QFileDialog.Option.DontConfirmOverwrite
            )
        if chosen:
            self.line.setText(chosen)
            self.edited.emit(chosen)
