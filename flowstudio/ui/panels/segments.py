"""A choice of a few views side by side: Table | JSON."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget


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
            button = QToolButton(text=name, checkable=True, checked=index == 0)
            button.setProperty("kind", "segment")
            button.setAccessibleName(f"{label}: {name}")
            self._group.addButton(button, index)
            layout.addWidget(button)
        self._group.idClicked.connect(self.chosen)

    def choose(self, index: int) -> None:
        self._group.button(index).click()
