"""An empty state: one line, and one action where there is one."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.icons import IconLabel, Icons
from flowstudio.ui.tokens import SPACE_2, SPACE_3


class EmptyState(QWidget):
    def __init__(
        self, icons: Icons, icon: str, text: str, action: str = "", on_action: Callable[[], object] | None = None
    ) -> None:
        super().__init__()
        mark = IconLabel(icons.icon(icon, "text_3"), 28)
        self.text = text_label(text, "muted", wraps=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_3, SPACE_3, SPACE_3, SPACE_3)
        layout.setSpacing(SPACE_2)
        layout.addStretch(1)
        layout.addWidget(mark, 0, Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self.text)
        if on_action is not None:
            button = push_button(action)
            button.clicked.connect(lambda: on_action())
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(1)
