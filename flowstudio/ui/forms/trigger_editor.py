"""What starts a plan by itself: one small card for a webhook or a schedule."""

from dataclasses import replace
from datetime import UTC, datetime

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from flowstudio.errors import FlowStudioError
from flowstudio.plan.edits import RemoveTrigger, SetTrigger
from flowstudio.plan.model import Json, Trigger, TriggerKind
from flowstudio.scheduling.cron import check, next_fire
from flowstudio.ui.controls import push_button, text_label, tool_button
from flowstudio.ui.forms.editors.field_editor import as_text, mark_invalid
from flowstudio.ui.icons import Icons
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.tokens import SPACE_1, SPACE_2, SPACE_3

TITLES = {TriggerKind.WEBHOOK: "Webhook", TriggerKind.SCHEDULE: "Schedule"}
LINES = {
    TriggerKind.WEBHOOK: (("webhook_path", "Path", "new-lead"), ("webhook_secret", "Secret (optional)", "")),
    TriggerKind.SCHEDULE: (("cron_expression", "Cron", "0 9 * * 1-5"), ("timezone", "Time zone", "Europe/Berlin")),
}


class TriggerEditor(QFrame):
    def __init__(
        self, open_plan: OpenPlan, trigger: Trigger, address: str, icons: Icons, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._open_plan = open_plan
        self._trigger = trigger
        self._address = address
        self.on = QCheckBox(TITLES[trigger.kind])
        self.on.setAccessibleName(f"{TITLES[trigger.kind]} is on")
        self.on.clicked.connect(lambda is_on: self._store(replace(self._trigger, enabled=is_on)))
        remove = tool_button(
            icons.icon("close", "text_3"), f"Remove this {TITLES[trigger.kind].lower()}", hint="Remove"
        )
        remove.clicked.connect(lambda: open_plan.push(RemoveTrigger(trigger.id)))
        head = QHBoxLayout()
        head.addWidget(self.on, 1)
        head.addWidget(remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_3, SPACE_2, SPACE_2, SPACE_3)
        layout.setSpacing(SPACE_1)
        layout.addLayout(head)
        self.lines = {key: self._add_line(layout, key, title, hint) for key, title, hint in LINES[trigger.kind]}
        if "webhook_secret" in self.lines:
            self.lines["webhook_secret"].setEchoMode(QLineEdit.EchoMode.PasswordEchoOnEdit)
        self.note = text_label("", "hint", wraps=True)
        self.copy = push_button("Copy address", icons.icon("copy", "accent"), kind="link")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._webhook_address()))
        if trigger.kind is not TriggerKind.WEBHOOK:
            self.copy.hide()
        foot = QHBoxLayout()
        foot.addWidget(self.note, 1)
        foot.addWidget(self.copy)
        layout.addLayout(foot)

    def show_trigger(self, trigger: Trigger) -> None:
        self._trigger = trigger
        self.on.setChecked(trigger.enabled)
        for key, line in self.lines.items():
            if line.text() != as_text(trigger.config.get(key)):
                line.setText(as_text(trigger.config.get(key)))
        if trigger.kind is TriggerKind.SCHEDULE:
            self._show_next_times()
        else:
            self.note.setText(self._webhook_address())

    def _add_line(self, layout: QVBoxLayout, key: str, title: str, hint: str) -> QLineEdit:
        label = text_label(title, "label")
        line = QLineEdit(placeholderText=hint)
        line.setAccessibleName(f"{TITLES[self._trigger.kind]}: {title}")
        line.textEdited.connect(lambda text: self._set(key, text))
        label.setBuddy(line)
        layout.addSpacing(SPACE_1)
        layout.addWidget(label)
        layout.addWidget(line)
        return line

    def _set(self, key: str, value: Json) -> None:
        config = {**self._trigger.config, key: value}
        if not value:
            config.pop(key)
        self._store(replace(self._trigger, config=config))

    def _store(self, trigger: Trigger) -> None:
        self._trigger = trigger
        self._open_plan.push(SetTrigger(trigger))

    def _webhook_address(self) -> str:
        return f"{self._address}/api/webhook/{as_text(self._trigger.config.get('webhook_path')).strip('/')}"

    def _show_next_times(self) -> None:
        expression = self.lines["cron_expression"].text()
        timezone = self.lines["timezone"].text() or "UTC"
        fault = ""
        try:
            check(expression, timezone)
        except FlowStudioError as error:
            fault = error.sentence
        mark_invalid(self.lines["cron_expression"], bool(fault))
        self.note.setText(fault or f"Next: {next_times(expression, timezone)}")


def next_times(expression: str, timezone: str, count: int = 3) -> str:
    """The next firings in this computer's own time."""
    moment: datetime | None = datetime.now(UTC)
    times: list[str] = []
    while len(times) < count and moment is not None:
        moment = next_fire(expression, timezone, moment)
        if moment is not None:
            times.append(f"{moment.astimezone():%a %d %b %H:%M}")
    return ", ".join(times) or "never"
