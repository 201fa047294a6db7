"""One of a list of values."""

from collections.abc import Sequence

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QListView, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Choice, Field
from flowstudio.ui.forms.editors.field_editor import FieldEditor, as_text, row


class QuietComboBox(QComboBox):
    """Lets the wheel scroll the form instead of changing a value by accident; its list follows the style sheet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setView(QListView(self))
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ChoiceEditor(FieldEditor):
    """A value the list does not know is shown as it is and kept."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._value: Json = None
        self._unknown = "{}"
        self.box = QuietComboBox()
        self.name_for(self.box)
        self.offer(field.choices, nothing="Default" if field.default is not None else "Choose…")
        self.box.activated.connect(self._tell)
        row(self, self.box)
        self.show_value(None)

    def offer(self, choices: Sequence[Choice], *, nothing: str, unknown: str = "{}") -> None:
        """Shows these choices instead of those before; the value stays.

        nothing: what choosing none of them is called, if one may. unknown: how to say a value that is not among them.
        """
        self._unknown = unknown
        self.box.clear()
        if not self.field.required or self.field.default is None:
            self.box.addItem(nothing, None)
        for choice in choices:
            self.box.addItem(choice.title, choice.value)
        self.show_value(self._value)

    def show_value(self, value: Json) -> None:
        self._value = value
        wanted = self.field.default if value is None else value
        index = self._index(wanted)
        if index < 0 and wanted is not None:
            self.box.addItem(self._unknown.format(as_text(wanted)), wanted)
            index = self.box.count() - 1
        self.box.setCurrentIndex(max(0, index))

    def _index(self, value: Json) -> int:
        return next((i for i in range(self.box.count()) if self.box.itemData(i) == value), -1)

    def _tell(self, index: int) -> None:
        self._value = self.box.itemData(index)
        self.edited.emit(self._value)
