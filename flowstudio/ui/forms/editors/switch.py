"""Yes or no."""

from PySide6.QtWidgets import QCheckBox, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field
from flowstudio.ui.forms.editors.field_editor import FieldEditor, row


class SwitchEditor(FieldEditor):
    """Shows the default while nothing is set."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.box = QCheckBox("On")
        self.name_for(self.box)
        self.box.clicked.connect(self._tell)
        row(self, self.box)
        self.show_value(None)

    def show_value(self, value: Json) -> None:
        is_on = bool(self.field.default if value is None else value)
        self.box.setChecked(is_on)
        self.box.setText("On" if is_on else "Off")

    def _tell(self, is_on: bool) -> None:
        self.box.setText("On" if is_on else "Off")
        self.edited.emit(is_on)
