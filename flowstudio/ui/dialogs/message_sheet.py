"""Messages: what happened, where, why, and what to do, with the fix as a button."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from flowstudio.errors import FlowStudioError
from flowstudio.ui.controls import empty_layout, push_button, text_label
from flowstudio.ui.icons import IconLabel, Icons
from flowstudio.ui.tokens import SPACE_2, SPACE_3, SPACE_4, SPACE_6


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button: what it says and what it does. The first one of a message is its main one."""

    text: str
    act: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Message:
    """what: one sentence. where: plan, step, item. why: the cause, if known. details: original text and code."""

    what: str
    where: str = ""
    why: str = ""
    details: str = ""
    tone: str = "error"
    remedies: Sequence[Remedy] = field(default_factory=tuple)


def message_of(error: FlowStudioError, where: str = "", remedies: Sequence[Remedy] = ()) -> Message:
    """An error as a message; its code stands at the end of the details, where a search finds it."""
    facts = [f"{name}: {value}" for name, value in error.facts.items() if not isinstance(value, list | dict)]
    return Message(error.sentence, where, error.fix, "\n".join([*facts, f"({error.code})"]), remedies=remedies)


class MessageSheet(QDialog):
    """A dialog that belongs to its window. Escape closes it; the focus goes back to where it was."""

    def __init__(self, message: Message, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("FlowStudio")
        self.setMinimumWidth(460)
        tone = message.tone if message.tone in ("error", "warning") else "info"
        tint = {"error": "error", "warning": "warning", "info": "running"}[tone]
        mark = IconLabel(icons.icon("info" if tone == "info" else "problems", tint), 28)
        texts = QVBoxLayout()
        texts.setSpacing(SPACE_2)
        for text, role in ((message.what, "title"), (message.where, "hint"), (message.why, "")):
            if text:
                label = text_label(text, role, wraps=True)
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                texts.addWidget(label)
        head = QHBoxLayout()
        head.setSpacing(SPACE_4)
        head.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(texts, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_4)
        layout.setSpacing(SPACE_4)
        layout.addLayout(head)
        self.details = QPlainTextEdit(message.details, readOnly=True)
        self.details.hide()
        self.details.setProperty("role", "code")
        self.details.setAccessibleName("Details")
        self.details.setFixedHeight(112)
        layout.addWidget(self.details)
        layout.addLayout(self._buttons(message))

    def _buttons(self, message: Message) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE_2)
        if message.details:
            details = push_button("Details", kind="quiet")
            details.setCheckable(True)
            details.toggled.connect(self.details.setVisible)
            details.toggled.connect(lambda _: self.adjustSize())
            row.addWidget(details)
        row.addStretch(1)
        close = push_button("Close" if not message.remedies else "Cancel")
        close.clicked.connect(self.reject)
        close.setFocus()
        row.addWidget(close)
        for remedy in reversed(message.remedies):
            button = push_button(remedy.text)
            if remedy is message.remedies[0]:
                button.setProperty("kind", "primary")
                button.setDefault(True)
                button.setFocus()
            button.clicked.connect(lambda _=False, chosen=remedy: self._act(chosen))
            row.addWidget(button)
        return row

    def _act(self, remedy: Remedy) -> None:
        self.accept()
        remedy.act()


class NoticeBar(QWidget):
    """The same message as a strip inside the window, for what needs no decision now."""

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons = icons
        self._strip = QWidget()
        self._strip.setProperty("role", "notice")
        self._strip.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.text = text_label("", wraps=True)
        self._buttons = QHBoxLayout()
        self._mark = IconLabel(icons.icon("info"), 20)
        row = QHBoxLayout(self._strip)
        row.setContentsMargins(SPACE_3, SPACE_2, SPACE_2, SPACE_2)
        row.setSpacing(SPACE_3)
        row.addWidget(self._mark)
        row.addWidget(self.text, 1)
        row.addLayout(self._buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_3, SPACE_2, SPACE_3, SPACE_2)
        layout.addWidget(self._strip)
        self.hide()

    def show_message(self, message: Message) -> None:
        empty_layout(self._buttons)
        tint = {"error": "error", "warning": "warning", "ok": "ok"}.get(message.tone, "running")
        self._mark.show_icon(self._icons.icon("info", tint))
        self.text.setText(" ".join(part for part in (message.what, message.why) if part))
        self._strip.setProperty("tone", message.tone)
        self._strip.style().unpolish(self._strip)
        self._strip.style().polish(self._strip)
        for remedy in message.remedies:
            button = push_button(remedy.text, kind="link")
            button.clicked.connect(lambda _=False, chosen=remedy: self._act(chosen))
            self._buttons.addWidget(button)
        close = push_button("", self._icons.icon("close"), kind="quiet", name="Close this notice")
        close.clicked.connect(self.hide)
        self._buttons.addWidget(close)
        self.show()

    def _act(self, remedy: Remedy) -> None:
        self.hide()
        remedy.act()
