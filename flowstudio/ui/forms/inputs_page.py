"""The Inputs tab: a row for each field of the step's action, and the credential it uses."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flowstudio.plan.edits import SetParam, SetStepField, UnsetParam
from flowstudio.plan.model import AWAITED_CALL, Json, Step, StepKind
from flowstudio.providers.manifest import Action, Field, FieldKind, Manifest
from flowstudio.ui.controls import push_button, text_label
from flowstudio.ui.forms.call_address import CallAddress
from flowstudio.ui.forms.editors.choice import ChoiceEditor, QuietComboBox
from flowstudio.ui.forms.field_row import FieldRow
from flowstudio.ui.forms.page import FormPage
from flowstudio.ui.forms.plan_choices import offer_plans
from flowstudio.ui.forms.references import references_for
from flowstudio.ui.forms.relevance import choices_now, matters
from flowstudio.ui.icons import Icons
from flowstudio.ui.open_plan import OpenPlan
from flowstudio.ui.tasks import Task
from flowstudio.ui.tokens import SPACE_1


class FieldsPage(FormPage):
    """Rows for some fields of one step. Values go into the plan as they are typed."""

    def __init__(
        self, open_plan: OpenPlan, step: Step, fields: Sequence[Field], icons: Icons, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._open_plan = open_plan
        self._step_id = step.id
        for field in fields:
            row = FieldRow(field, icons, lambda: references_for(open_plan.plan, step.id), step.kind)
            row.edited.connect(lambda value, name=field.name: self._store(name, value))
            self.add_row(row)
            if step.kind is StepKind.SUBPLAN and isinstance(row.editor, ChoiceEditor):
                offer_plans(row.editor, open_plan, nothing="Choose…", with_itself=True)

    def show_step(self, step: Step) -> None:
        for name, row in self.rows.items():
            if step.kind is StepKind.MERGE and isinstance(row.editor, ChoiceEditor) and name == "keep":
                row.editor.offer(choices_now(step, row.field), nothing="Nothing is lost")
            row.show_value(step.params.get(name))
            row.setVisible(matters(step, row.field))

    def _store(self, name: str, value: Json) -> None:
        step = self._open_plan.plan.step(self._step_id)
        if step.params.get(name) != value:
            unset = value is None
            self._open_plan.push(UnsetParam(step.id, name) if unset else SetParam(step.id, name, value))


class InputsPage(FieldsPage):
    """manifest and action are None for what the catalogue does not know: its params are then shown as they are."""

    add_credential = Signal(str)  # provider id

    def __init__(
        self, open_plan: OpenPlan, step: Step, manifest: Manifest | None, action: Action | None, icons: Icons
    ) -> None:
        fields = [each for each in action.fields if not each.advanced] if action else _fields_of(step)
        super().__init__(open_plan, step, fields, icons)
        self.credential: CredentialPicker | None = None
        self.call_address: CallAddress | None = None
        if (step.provider, step.action) == AWAITED_CALL:
            self.call_address = CallAddress(icons)
            self.add(self.call_address)
        if action is None:
            self.add_hint(f"{step.provider}.{step.action} is not in the catalogue. Its values are kept as they are.")
        elif not fields:
            self.add_hint("This step needs no input.")
        if manifest is not None and manifest.auth.fields:
            self.credential = CredentialPicker(open_plan, step, manifest)
            self.credential.wanted.connect(lambda: self.add_credential.emit(manifest.id))
            self.add(self.credential)

    def show_step(self, step: Step) -> None:
        super().show_step(step)
        if self.credential is not None:
            self.credential.show_name(step.credential)


class CredentialPicker(QWidget):
    """Which of the user's credentials of a provider a step uses; None is the default one."""

    wanted = Signal()

    def __init__(self, open_plan: OpenPlan, step: Step, manifest: Manifest) -> None:
        super().__init__()
        self._open_plan = open_plan
        self._step_id = step.id
        self._manifest = manifest
        self._chosen: str | None = step.credential
        label = text_label("Credential", "label")
        self.box = QuietComboBox()
        self.box.setAccessibleName(f"Credential for {manifest.title}")
        self.box.activated.connect(self._store)
        label.setBuddy(self.box)
        add = push_button("Add…", name=f"Add a credential for {manifest.title}")
        add.clicked.connect(self.wanted)
        line = QHBoxLayout()
        line.setSpacing(SPACE_1)
        line.addWidget(self.box, 1)
        line.addWidget(add)
        self._hint = text_label("", "hint", wraps=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_1)
        layout.addWidget(label)
        layout.addLayout(line)
        layout.addWidget(self._hint)
        self.reload()

    def reload(self) -> None:
        """Asks the vault again, in the background."""
        credentials, user_id = self._open_plan.services.credentials, self._open_plan.user_id

        def names() -> list[str]:
            provider = self._manifest.id
            return sorted({each.name for each in credentials.list(user_id) if each.provider == provider})

        Task(names, self).success(self._show_names).start()

    def show_name(self, name: str | None) -> None:
        self._chosen = name
        index = self.box.findData(name)
        if index < 0 and name is not None:
            self.box.addItem(f"{name} (not in the vault)", name)
            index = self.box.count() - 1
        self.box.setCurrentIndex(max(0, index))

    def _show_names(self, names: list[str]) -> None:
        self.box.clear()
        has_any = bool(names)
        self.box.addItem("Default" if "default" in names else "None yet" if not has_any else "Choose…", None)
        for name in names:
            if name != "default":
                self.box.addItem(name, name)
        self._hint.setText("" if has_any or self._manifest.auth.optional else self._missing())
        self._hint.setVisible(bool(self._hint.text()))
        self.show_name(self._chosen)

    def _missing(self) -> str:
        return f"{self._manifest.title} needs a credential before this step can run."

    def _store(self, index: int) -> None:
        self._chosen = self.box.itemData(index)
        self._open_plan.push(SetStepField(self._step_id, "credential", self._chosen))


def _fields_of(step: Step) -> list[Field]:
    """For an unknown action: a field for each value it has."""
    return [
        Field(name, name, FieldKind.TEXT if isinstance(value, str) else FieldKind.JSON)
        for name, value in step.params.items()
    ]
