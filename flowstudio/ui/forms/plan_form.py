"""PlanForm: the plan itself, shown while no step is selected: name, description, triggers, variables, runs."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from flowstudio.plan.edits import AddTrigger, SetPlanField, SetVariable, UnsetVariable
from flowstudio.plan.model import Json, Trigger, TriggerKind
from flowstudio.plan.rules import Problem
from flowstudio.providers.manifest import Field, FieldKind
from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.forms.editors.field_editor import as_text
from flowstudio.ui.forms.field_row import FieldRow
from flowstudio.ui.forms.page import FormPage
from flowstudio.ui.forms.runs_section import RunsSection
from flowstudio.ui.forms.trigger_editor import TriggerEditor
from flowstudio.ui.forms.undo_keys import leave_undo_to_plan
from flowstudio.ui.icons import Icons
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.tokens import SPACE_1, SPACE_2, SPACE_3

DESCRIPTION = Field("description", "Description", FieldKind.MULTILINE, placeholder="What this plan is for.")
VARIABLES = Field("variables", "Variables", FieldKind.KEYVALUE, help="Read in every step as {{ vars.name }}.")


class PlanForm(QWidget):
    def __init__(self, open_plan: OpenPlan, address: str, icons: Icons, parent: QWidget | None = None) -> None:
        """address: where webhooks are served, e.g. http://127.0.0.1:5001."""
        super().__init__(parent)
        self.open_plan = open_plan
        self._address = address
        self._icons = icons
        self.name = QLineEdit(maxLength=200)
        self.page = FormPage()
        self.description = self.page.add_row(FieldRow(DESCRIPTION, icons))
        self._triggers: dict[str, TriggerEditor] = {}
        self._trigger_box = QVBoxLayout()
        self._nothing = text_label("Nothing starts this plan by itself.")
        self.page.add(self._trigger_section())
        self.variables = self.page.add_row(FieldRow(VARIABLES, icons))
        self.runs = RunsSection(open_plan, icons)
        self.page.add(self.runs)
        self.description.edited.connect(lambda value: open_plan.push(SetPlanField("description", as_text(value))))
        self.variables.edited.connect(self._store_variables)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._header())
        layout.addWidget(self.page, 1)
        self.show_plan()
        leave_undo_to_plan(self)

    def show_plan(self) -> None:
        plan = self.open_plan.plan
        if self.name.text() != plan.name:
            self.name.setText(plan.name)
        self.description.show_value(plan.description or None)
        self.variables.show_value(dict(plan.variables) or None)
        self._show_triggers(plan.triggers)
        self.runs.show_plan(plan)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        own: dict[str, list[Problem]] = {}
        for problem in problems:
            if problem.step is None and problem.field:
                own.setdefault(problem.field, []).append(problem)
        self.page.show_problems(own)

    def reveal(self, field: str | None) -> None:
        if field is None or not self.page.reveal(field):
            self.name.setFocus()

    def _header(self) -> QWidget:
        header = QWidget()
        self.name.setProperty("role", "name")
        self.name.setAccessibleName("Name of this plan")
        self.name.textEdited.connect(lambda text: self.open_plan.push(SetPlanField("name", text)))
        hint = text_label("Plan settings", "hint")
        hint.setContentsMargins(SPACE_1 + 2, 0, 0, 0)
        layout = QVBoxLayout(header)
        layout.setContentsMargins(SPACE_2, SPACE_2, SPACE_3, 0)
        layout.setSpacing(0)
        layout.addWidget(self.name)
        layout.addWidget(hint)
        return header

    def _trigger_section(self) -> QWidget:
        section = QWidget()
        label = text_label("Starts when", "label")
        self._nothing.setProperty("role", "muted")
        add = push_button("Add", self._icons.icon("add", "accent"), kind="link", name="Add a trigger")
        menu = QMenu(add)
        menu.addAction(self._icons.icon("webhook"), "Webhook").triggered.connect(lambda: self._add(TriggerKind.WEBHOOK))
        menu.addAction(self._icons.icon("schedule"), "Schedule").triggered.connect(
            lambda: self._add(TriggerKind.SCHEDULE)
        )
        add.clicked.connect(lambda: menu.popup(add.mapToGlobal(add.rect().bottomLeft())))
        head = QHBoxLayout()
        head.addWidget(label, 1)
        head.addWidget(add)
        self._trigger_box.setSpacing(SPACE_2)
        layout = QVBoxLayout(section)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_1)
        layout.addLayout(head)
        layout.addWidget(self._nothing)
        layout.addLayout(self._trigger_box)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        return section

    def _show_triggers(self, triggers: Sequence[Trigger]) -> None:
        shown = [each for each in triggers if each.kind in (TriggerKind.WEBHOOK, TriggerKind.SCHEDULE)]
        for gone in self._triggers.keys() - {each.id for each in shown}:
            editor = self._triggers.pop(gone)
            self._trigger_box.removeWidget(editor)
            editor.hide()
            editor.deleteLater()
        for trigger in shown:
            if trigger.id not in self._triggers:
                editor = TriggerEditor(self.open_plan, trigger, self._address, self._icons)
                self._triggers[trigger.id] = editor
                self._trigger_box.addWidget(editor)
            self._triggers[trigger.id].show_trigger(trigger)
        self._nothing.setVisible(not shown)

    def _add(self, kind: TriggerKind) -> None:
        taken = {each.id for each in self.open_plan.plan.triggers}
        number = next(n for n in range(1, len(taken) + 2) if f"{kind.value}_{n}" not in taken)
        self.open_plan.push(AddTrigger(Trigger(f"{kind.value}_{number}", kind, _first_config(kind, self.open_plan))))

    def _store_variables(self, value: Json) -> None:
        """One edit a changed variable."""
        wanted = value if isinstance(value, dict) else {}
        have = self.open_plan.plan.variables
        for name in [*have]:
            if name not in wanted:
                self.open_plan.push(UnsetVariable(name))
        for name, each in wanted.items():
            if name not in have or have[name] != each:
                self.open_plan.push(SetVariable(name, each))


def _first_config(kind: TriggerKind, open_plan: OpenPlan) -> dict[str, Json]:
    if kind is TriggerKind.SCHEDULE:
        return {"cron_expression": "0 9 * * 1-5", "timezone": "UTC"}
    words = "".join(c if c.isalnum() else " " for c in open_plan.plan.name.lower()).split()
    return {"webhook_path": "-".join(words) or "hook"}
