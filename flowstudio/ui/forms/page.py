"""FormPage: a scrolling column of rows, the inside of every tab of a form."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from flowstudio.plan.rules import Problem
from flowstudio.ui.controls import text_label
from flowstudio.ui.forms.field_row import FieldRow
from flowstudio.ui.tokens import SPACE_3, SPACE_4


class FormPage(QScrollArea):
    """Rows by the name of their field, so that values and problems find them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, widgetResizable=True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows: dict[str, FieldRow] = {}
        body = QWidget()
        body.setProperty("role", "page-body")
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(SPACE_3, SPACE_3, SPACE_3, SPACE_4)
        self.column.setSpacing(SPACE_4)
        self.column.addStretch(1)
        self.setWidget(body)

    def add(self, widget: QWidget) -> QWidget:
        self.column.insertWidget(self.column.count() - 1, widget)
        return widget

    def add_row(self, row: FieldRow) -> FieldRow:
        self.rows[row.field.name] = row
        self.add(row)
        return row

    def add_hint(self, text: str, role: str = "muted") -> QLabel:
        label = text_label(text, role, wraps=True)
        self.add(label)
        return label

    def show_problems(self, problems: Mapping[str, Sequence[Problem]]) -> None:
        """Problems by field name; a row without any loses what it showed."""
        for name, row in self.rows.items():
            row.show_problems(problems.get(name, ()))

    def reveal(self, name: str) -> bool:
        """Scrolls to a field and puts the cursor into it; False when it is not on this page."""
        row = self.rows.get(name)
        if row is None:
            return False
        self.ensureWidgetVisible(row)
        row.focus_editor()
        return True
