"""A choice of a few views side by side: Table | JSON."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from flowstudio.ui.controls import tool_button


class Segments(QWidget):
    chosen = Signal(int)

    def __init__(self, names: Sequence[str], label: str) -> None:
        super().__init__()
        self.setProperty("role", "segments")
        self.setAccessibleName(label)
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(0)
        for index, name in enumerate(names):
            button = tool_button(None, f"{label}: {name}", text=name, kind="segment")
            button.setCheckable(True)
            button.setChecked(index == 0)
            self._group.addButton(button, index)
            layout.addWidget(button)
        self._group.idClicked.connect(self.chosen)

    @property
    def current(self) -> int:
        return self._group.checkedId()

    def choose(self, index: int) -> None:
        self._group.button(index).click()
