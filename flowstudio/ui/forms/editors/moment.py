"""A date with a time, as ISO 8601 text; the calendar fills it in."""

from datetime import datetime

from PySide6.QtCore import QDate
from PySide6.QtWidgets import QCalendarWidget, QLineEdit, QMenu, QWidget, QWidgetAction

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field
from flowstudio.ui.controls import tool_button
from flowstudio.ui.forms.editors.field_editor import FieldEditor, as_text, mark_invalid, row
from flowstudio.ui.icons import Icons


class MomentEditor(FieldEditor):
    def __init__(self, field: Field, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.line = QLineEdit(placeholderText=field.placeholder or "2026-01-31T09:00")
        self.name_for(self.line)
        self.line.textEdited.connect(self._tell)
        calendar = QCalendarWidget()
        calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        calendar.clicked.connect(self._pick)
        self._menu = QMenu(self)
        holder = QWidgetAction(self._menu)
        holder.setDefaultWidget(calendar)
        self._menu.addAction(holder)
        button = tool_button(
            icons.icon("calendar"), f"Choose a day for {field.title}", kind="button", hint="Choose a day"
        )
        button.clicked.connect(lambda: self._menu.popup(button.mapToGlobal(button.rect().bottomLeft())))
        row(self, self.line, button)

    def show_value(self, value: Json) -> None:
        if self.line.text() != as_text(value):
            self.line.setText(as_text(value))
        self._mark()

    def _tell(self, text: str) -> None:
        self._mark()
        self.edited.emit(text or None)

    def _pick(self, day: QDate) -> None:
        self._menu.close()
        _, _, time = self.line.text().partition("T")
        self.line.setText(f"{day.toString('yyyy-MM-dd')}T{time or '09:00'}")
        self._tell(self.line.text())

    def _mark(self) -> None:
        text = self.line.text()
        mark_invalid(self.line, bool(text) and not _is_iso(text))


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
