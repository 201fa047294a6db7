"""A condition as "value, comparison, value"; anything richer is written as an expression."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtWidgets import QLineEdit, QWidget

from flowstudio.plan.model import Json
from flowstudio.providers.manifest import Field
from flowstudio.ui.forms.editors.choice import QuietComboBox
from flowstudio.ui.forms.editors.field_editor import FieldEditor, column

COMPARISONS: Mapping[str, str] = {
    "==": "is",
    "!=": "is not",
    ">": "is greater than",
    ">=": "is at least",
    "<": "is less than",
    "<=": "is at most",
    "in": "is one of",
}
_SIMPLE = re.compile(
    r"^\s*\{\{\s*(?P<left>.+?)\s*(?P<op>==|!=|>=|<=|>|<|\bin\b)\s*(?P<right>.+?)\s*\}\}\s*$", re.DOTALL
)
_LITERAL = re.compile(r"^(-?\d+(\.\d+)?|true|false|none|\[.*\]|'[^']*'|\"[^\"]*\")$", re.IGNORECASE | re.DOTALL)
_STRING = re.compile(r"""^('(?:[^'\\]|\\['\\])*'|"(?:[^"\\]|\\["\\])*")$""", re.DOTALL)
_PATH = re.compile(r"^(steps|trigger|vars|item|index|loops|run)\b[\w.\[\]'\"]*$")


@dataclass(frozen=True, slots=True)
class Comparison:
    left: str
    operator: str
    right: str


def read_condition(text: str) -> Comparison | None:
    """The three parts of a simple condition; None for one the builder cannot show without losing something."""
    if not text.strip():
        return Comparison("", "==", "")
    found = _SIMPLE.match(text)
    if found is None or re.search(r"\b(and|or|not|if)\b|\|", text):
        return None
    left, right = found["left"], found["right"]
    is_plain = all(not re.search(r"==|!=|>=|<=|[<>]", part) for part in (left, right))
    return Comparison(left, found["op"], _unquoted(right)) if is_plain else None


def write_condition(parts: Comparison) -> str | None:
    """The expression. The right side is a path or a literal when it reads as one, text otherwise."""
    if not parts.left.strip():
        return None
    return f"{{{{ {parts.left.strip()} {parts.operator} {_quoted(parts.right.strip())} }}}}"


class ConditionEditor(FieldEditor):
    """Three parts on three lines: long paths stay readable in a narrow dock."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.left = QLineEdit(placeholderText="steps.fetch.output.count")
        self.operator = QuietComboBox()
        self.right = QLineEdit(placeholderText="3, text, or another value")
        for symbol, title in COMPARISONS.items():
            self.operator.addItem(title, symbol)
        self.name_for(self.left)
        self.operator.setAccessibleName(f"{field.title}: comparison")
        self.right.setAccessibleName(f"{field.title}: compared with")
        self.left.textEdited.connect(self._tell)
        self.right.textEdited.connect(self._tell)
        self.operator.activated.connect(self._tell)
        column(self, self.left, self.operator, self.right)

    def show_value(self, value: Json) -> None:
        if value == write_condition(self._parts()):
            return
        parts = read_condition(value if isinstance(value, str) else "")
        if parts is not None:
            self.left.setText(parts.left)
            self.operator.setCurrentIndex(max(0, self.operator.findData(parts.operator)))
            self.right.setText(parts.right)

    def _parts(self) -> Comparison:
        return Comparison(self.left.text(), str(self.operator.currentData()), self.right.text())

    def _tell(self) -> None:
        self.edited.emit(write_condition(self._parts()))


def _unquoted(text: str) -> str:
    """'abc' as abc, unless it would then be taken for a number or a path."""
    if not _STRING.match(text):
        return text
    inner = re.sub(r"\\(.)", r"\1", text[1:-1])
    stands_for_more = not inner or inner != inner.strip() or _LITERAL.match(inner) or _PATH.match(inner)
    return text if stands_for_more else inner


def _quoted(text: str) -> str:
    if _LITERAL.match(text) or _PATH.match(text):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
