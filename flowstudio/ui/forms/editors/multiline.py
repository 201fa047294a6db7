"""Longer text: plain, JSON, or code. Grows with what it holds, up to a limit."""

import json

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent, QShowEvent, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field
from flowstudio.ui.controls import problem_label
from flowstudio.ui.forms.editors.field_editor import FieldEditor, as_text, column, mark_invalid


class GrowingText(QPlainTextEdit):
    """Between `low` and `high` lines tall, as the text needs. Tab leaves the field, as in any form."""

    def __init__(self, low: int, high: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._low, self._high = low, high
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.textChanged.connect(self._fit)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(120, self.minimumHeight())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        lines = min(self._high, max(self._low, int(self.document().size().height())))
        self.setFixedHeight(lines * QFontMetrics(self.font()).lineSpacing() + 20)


class MultilineEditor(FieldEditor):
    """An empty text means: not set."""

    LOW, HIGH = 3, 12

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.text = GrowingText(self.LOW, self.HIGH)
        self.text.setPlaceholderText(field.placeholder or as_text(field.default))
        self.name_for(self.text)
        self._is_showing = False
        self.text.textChanged.connect(self._tell)
        self._layout = column(self, self.text)

    def show_value(self, value: Json) -> None:
        self._show(as_text(value))

    def value(self) -> Json:
        return self.text.toPlainText() or None

    def _show(self, text: str) -> None:
        if self.text.toPlainText() != text:
            self._is_showing = True
            self.text.setPlainText(text)
            self._is_showing = False

    def _tell(self) -> None:
        if not self._is_showing:
            self.edited.emit(self.value())


class CodeEditor(MultilineEditor):
    """Fixed-width, no wrapping, Tab indents by four."""

    LOW, HIGH = 6, 24

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.text.setProperty("role", "code")
        self.text.setWordWrapMode(QTextOption.WrapMode.NoWrap)


class JsonEditor(CodeEditor):
    """Gives the parsed value. Text that is not JSON yet is kept as text, with the place of the fault below it."""

    LOW, HIGH = 4, 18

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._fault = problem_label()
        self._layout.addWidget(self._fault)

    def show_value(self, value: Json) -> None:
        if value != self.value():
            self._show(value if isinstance(value, str | None) and value is not None else self._dumped(value))
        self._check()

    def value(self) -> Json:
        text = self.text.toPlainText()
        if not text.strip():
            return None
        try:
            parsed: Json = json.loads(text)
        except ValueError:
            return text
        return parsed

    def _dumped(self, value: Json) -> str:
        return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)

    def _tell(self) -> None:
        super()._tell()
        self._check()

    def _check(self) -> None:
        text, fault = self.text.toPlainText(), ""
        if text.strip() and "{{" not in text:
            try:
                json.loads(text)
            except json.JSONDecodeError as error:
                fault = f"Not JSON yet: {error.msg.lower()} at line {error.lineno}, column {error.colno}."
        mark_invalid(self.text, bool(fault))
        self._fault.setText(fault)
        self._fault.setVisible(bool(fault))
