"""Asks for the data a run starts with."""

import json

from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field, FieldKind
from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.forms.editors.multiline import JsonEditor
from flowstudio.ui.tokens import SPACE_2, SPACE_3, SPACE_4, SPACE_6

INPUT = Field("input", "Input", FieldKind.JSON, placeholder='{"body": {"email": "ann@example.com"}}')


class RunInput(QDialog):
    """accepted: `value` is what was entered, None for nothing."""

    def __init__(self, first: Json, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Run with input")
        self.setMinimumWidth(520)
        title = text_label("Run with input", "section")
        hint = text_label("Steps read it as {{ trigger }}. Leave it empty to run without.", "muted", wraps=True)
        self.editor = JsonEditor(INPUT)
        self.editor.show_value(first)
        self.editor.edited.connect(self._check)
        self.run = push_button("Run", kind="primary")
        self.run.setDefault(True)
        self.run.clicked.connect(self.accept)
        cancel = push_button("Cancel")
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE_2)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.run)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_4)
        layout.setSpacing(SPACE_3)
        for widget in (title, hint, self.editor):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        self.editor.setFocus()

    @property
    def value(self) -> Json:
        return self.editor.value()

    def _check(self) -> None:
        text = self.editor.text.toPlainText().strip()
        try:
            json.loads(text or "null")
        except ValueError:
            self.run.setEnabled(False)
        else:
            self.run.setEnabled(True)
