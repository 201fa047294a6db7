"""An editor for each kind of field, one small module a family."""

from collections.abc import Callable, Mapping

from flowstudio.plan.model import StepKind
from flowstudio.providers.manifest import Field, FieldKind
from flowstudio.ui.forms.editors.choice import ChoiceEditor
from flowstudio.ui.forms.editors.condition import ConditionEditor
from flowstudio.ui.forms.editors.field_editor import FieldEditor
from flowstudio.ui.forms.editors.moment import MomentEditor
from flowstudio.ui.forms.editors.multiline import CodeEditor, JsonEditor, MultilineEditor
from flowstudio.ui.forms.editors.number import NumberEditor
from flowstudio.ui.forms.editors.path import PathEditor
from flowstudio.ui.forms.editors.rows import CasesEditor, ItemsEditor, PairsEditor
from flowstudio.ui.forms.editors.switch import SwitchEditor
from flowstudio.ui.forms.editors.text import SecretEditor, TextEditor
from flowstudio.ui.icons import Icons

EDITORS: Mapping[FieldKind, Callable[[Field, Icons], FieldEditor]] = {
    FieldKind.TEXT: lambda field, icons: TextEditor(field),
    FieldKind.MULTILINE: lambda field, icons: MultilineEditor(field),
    FieldKind.NUMBER: lambda field, icons: NumberEditor(field),
    FieldKind.INTEGER: lambda field, icons: NumberEditor(field),
    FieldKind.BOOLEAN: lambda field, icons: SwitchEditor(field),
    FieldKind.CHOICE: lambda field, icons: ChoiceEditor(field),
    FieldKind.DATETIME: MomentEditor,
    FieldKind.FILE: PathEditor,
    FieldKind.FOLDER: PathEditor,
    FieldKind.KEYVALUE: PairsEditor,
    FieldKind.LIST: ItemsEditor,
    FieldKind.JSON: lambda field, icons: JsonEditor(field),
    FieldKind.CODE: lambda field, icons: CodeEditor(field),
    FieldKind.CONDITION: lambda field, icons: ConditionEditor(field),
    FieldKind.SECRET: lambda field, icons: SecretEditor(field),
}


def editor_for(field: Field, icons: Icons, kind: StepKind = StepKind.ACTION) -> FieldEditor:
    """The editor of a field; the cases of the language's own switch and the plan to call have one of their own."""
    if kind is StepKind.SUBPLAN and field.name == "plan":
        return ChoiceEditor(field)
    if kind is StepKind.SWITCH and field.name == "cases":
        return CasesEditor(field, icons)
    return EDITORS[field.kind](field, icons)
