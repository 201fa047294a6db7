"""CallAddress: whose call ends a wait, to be copied while the run in front waits there."""

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import SPACE_1

HINT = "Each run has an address of its own, known while it waits here. In expressions it is {{ run.resume_url }}."


class CallAddress(QWidget):
    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        label = text_label("Address to call", "label")
        self.line = QLineEdit(readOnly=True)
        self.line.setAccessibleName("Address to call")
        label.setBuddy(self.line)
        self.copy = push_button("Copy", icons.icon("copy"), name="Copy the address", clicked=self._copy)
        row = QHBoxLayout()
        row.setSpacing(SPACE_1)
        row.addWidget(self.line, 1)
        row.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_1)
        layout.addWidget(label)
        layout.addLayout(row)
        layout.addWidget(text_label(HINT, "hint", wraps=True))
        self.show_address("")

    def show_address(self, address: str) -> None:
        """address: "" while no run waits."""
        if self.line.text() != address:
            self.line.setText(address)
            self.line.setCursorPosition(0)
        self.line.setPlaceholderText("No run waits here now")
        self.copy.setEnabled(bool(address))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.line.text())
