"""StepFacts: a step as it was when it ran. Nothing on it can be changed."""

import json

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from flowstudio.plan.model import Json, Step
from flowstudio.providers.manifest import Action, FieldKind
from flowstudio.providers.registry import Registry
from flowstudio.ui.controls import text_label
from flowstudio.ui.forms.page import FormPage
from flowstudio.ui.tokens import SPACE_1

SHORT = 60  # characters that fit one line of the dock
TALLEST_LINES = 14
HIDDEN = "\N{BULLET}" * 8


class StepFacts(FormPage):
    def __init__(self, step: Step, registry: Registry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        action = registry.find(step.provider, step.action)
        self.setAccessibleName(f"{step.label}, as it ran")
        self.add_hint(step.label, "section")
        self.add_hint(action.title if action else f"{step.provider} \N{MIDDLE DOT} {step.action}", "hint")
        self.add_hint("This is the step as it ran. Go back to editing to change it.")
        for title, text in facts_of(step, action):
            self.add(_fact(title, text))


def facts_of(step: Step, action: Action | None) -> list[tuple[str, str]]:
    """Title and text of each set value, in the order of the form; a secret stays hidden."""
    fields = {field.name: field for field in action.fields} if action else {}
    names = [name for name in fields if name in step.params] + [name for name in step.params if name not in fields]
    found = []
    for name in names:
        field = fields.get(name)
        is_secret = field is not None and field.kind is FieldKind.SECRET
        found.append((field.title if field else name, HIDDEN if is_secret else plain_text(step.params[name])))
    if step.credential:
        found.append(("Credential", step.credential))
    if step.notes:
        found.append(("Notes", step.notes))
    return found


def plain_text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, list | dict) else None, default=str)


def _fact(title: str, text: str) -> QWidget:
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACE_1)
    layout.addWidget(text_label(title, "label"))
    if len(text) <= SHORT and "\n" not in text:
        label = text_label(text, "mono", wraps=True)
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        label.setAccessibleName(title)
        layout.addWidget(label)
        return holder
    block = QPlainTextEdit(text, readOnly=True)
    block.setProperty("role", "code")
    block.setAccessibleName(title)
    lines = min(TALLEST_LINES, max(3, text.count("\n") + 1 + len(text) // SHORT))
    block.setFixedHeight(lines * block.fontMetrics().lineSpacing() + 16)
    layout.addWidget(block)
    return holder
