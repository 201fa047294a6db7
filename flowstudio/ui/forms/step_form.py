"""StepForm: everything about the selected step, made from its action's fields."""

from collections.abc import Sequence

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QTabWidget, QVBoxLayout, QWidget

from flowstudio.plan.edits import RenameStep, SetStepField
from flowstudio.plan.model import Json, Step, StepId
from flowstudio.plan.rules import Problem
from flowstudio.providers.manifest import Action, Field, FieldKind, Manifest
from flowstudio.providers.registry import Registry
from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.forms.editors.field_editor import as_text
from flowstudio.ui.forms.editors.text import TextEditor
from flowstudio.ui.forms.errors_page import ErrorsPage
from flowstudio.ui.forms.field_row import FieldRow
from flowstudio.ui.forms.inputs_page import FieldsPage, InputsPage
from flowstudio.ui.forms.page import FormPage
from flowstudio.ui.forms.undo_keys import leave_undo_to_plan
from flowstudio.ui.icons import IconLabel, Icons
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.tokens import SPACE_1, SPACE_2, SPACE_3

STEP_ID = Field("id", "Id", help="Expressions read this step as steps.<id>.output.")
DISABLED = Field("disabled", "Skip this step", FieldKind.BOOLEAN, default=False)
NOTES = Field("notes", "Notes", FieldKind.MULTILINE, placeholder="What the next person should know about this step.")
TABS = ("Inputs", "Errors", "Advanced", "Notes")


class StepForm(QWidget):
    """One step of one open plan. `show_plan` follows every edit, undo too; a form of a removed step is thrown away."""

    add_credential = Signal(str)  # provider id

    def __init__(
        self, open_plan: OpenPlan, step_id: StepId, registry: Registry, icons: Icons, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.open_plan = open_plan
        self.step_id = step_id
        step = open_plan.plan.step(step_id)
        self.made_for = (step.provider, step.action)
        manifest, action = registry.provider(step.provider), registry.find(step.provider, step.action)
        self.title = QLineEdit(placeholderText=step.label, maxLength=200)
        self.tabs = QTabWidget(documentMode=True)
        self.inputs = InputsPage(open_plan, step, manifest, action, icons)
        self.inputs.add_credential.connect(self.add_credential)
        self.errors = ErrorsPage(open_plan, step, icons)
        self.advanced = AdvancedPage(open_plan, step, action, icons)
        self.notes = NotesPage(open_plan, step, icons)
        self.pages: tuple[FormPage, ...] = (self.inputs, self.errors, self.advanced, self.notes)
        for name, page in zip(TABS, self.pages, strict=True):
            self.tabs.addTab(page, name)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_1)
        layout.addWidget(self._header(step, manifest, action, icons))
        layout.addWidget(self.tabs, 1)
        self.show_plan()
        self.show_problems(open_plan.problems)
        leave_undo_to_plan(self)

    def show_plan(self) -> None:
        """Shows the step as the plan has it now."""
        step = self.open_plan.plan.step(self.step_id)
        if self.title.text() != step.title:
            self.title.setText(step.title)
        self.inputs.show_step(step)
        self.errors.show_step(step)
        self.advanced.show_step(step)
        self.notes.show_step(step)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        by_field: dict[str, list[Problem]] = {}
        for problem in problems:
            if problem.step == self.step_id and problem.field:
                by_field.setdefault(problem.field, []).append(problem)
        for page in self.pages:
            page.show_problems(by_field)

    def reveal(self, field: str | None) -> None:
        """Opens the tab of a field and puts the cursor into it."""
        for page in self.pages:
            if field is not None and field in page.rows:
                self.tabs.setCurrentWidget(page)
                page.reveal(field)
                return
        self.title.setFocus()

    def _header(self, step: Step, manifest: Manifest | None, action: Action | None, icons: Icons) -> QWidget:
        header = QWidget()
        badge = IconLabel(
            icons.provider_icon(manifest, action.icon if action else "") if manifest else icons.icon("help", "warning"),
            36,
        )
        self.title.setProperty("role", "name")
        self.title.setAccessibleName("Name of this step")
        self.title.textEdited.connect(self._rename)
        kind = f"{manifest.title} · {action.title}" if manifest and action else f"{step.provider} · {step.action}"
        subtitle = text_label(kind, "hint")
        subtitle.setContentsMargins(SPACE_1 + 2, 0, 0, 0)
        subtitle.setToolTip(action.description if action else "")
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.title)
        names.addWidget(subtitle)
        layout = QHBoxLayout(header)
        layout.setContentsMargins(SPACE_3, SPACE_2, SPACE_3, 0)
        layout.setSpacing(SPACE_2)
        layout.addWidget(badge)
        layout.addLayout(names, 1)
        if manifest is not None and manifest.docs:
            layout.addWidget(_help_button(manifest))
        return header

    def _rename(self, text: str) -> None:
        self.open_plan.push(SetStepField(self.step_id, "title", text))


class AdvancedPage(FieldsPage):
    """The action's rarely needed fields, the step's id, and its off switch."""

    def __init__(self, open_plan: OpenPlan, step: Step, action: Action | None, icons: Icons) -> None:
        super().__init__(open_plan, step, [each for each in action.fields if each.advanced] if action else [], icons)
        self._id = FieldRow(STEP_ID, icons)
        assert isinstance(self._id.editor, TextEditor)
        self.id_line = self._id.editor.line
        self.id_line.editingFinished.connect(self._rename)
        self._disabled = FieldRow(DISABLED, icons)
        self._disabled.edited.connect(lambda value: open_plan.push(SetStepField(step.id, "disabled", bool(value))))
        self.add(self._disabled)
        self.add(self._id)

    def show_step(self, step: Step) -> None:
        super().show_step(step)
        self._id.show_value(step.id)
        self._disabled.show_value(step.disabled)

    def _rename(self) -> None:
        """When the field is left: an id half typed is another id."""
        wanted = self.id_line.text().strip()
        if wanted and wanted != self._step_id:
            self._open_plan.push(RenameStep(self._step_id, wanted))
        self.id_line.setText(self._step_id)


class NotesPage(FormPage):
    def __init__(self, open_plan: OpenPlan, step: Step, icons: Icons) -> None:
        super().__init__()
        row = FieldRow(NOTES, icons)
        row.edited.connect(lambda value: self._store(open_plan, step.id, value))
        self.add_row(row)

    def show_step(self, step: Step) -> None:
        self.rows["notes"].show_value(step.notes or None)

    def _store(self, open_plan: OpenPlan, step_id: StepId, value: Json) -> None:
        open_plan.push(SetStepField(step_id, "notes", as_text(value)))


def _help_button(manifest: Manifest) -> QPushButton:
    button = push_button("Help", kind="link", name=f"Open the documentation of {manifest.title}", hint=manifest.docs)
    button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(manifest.docs)))
    return button
