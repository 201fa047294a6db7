"""Adds a credential: the fields its provider's manifest asks for."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from flowstudio.errors import FlowStudioError
from flowstudio.providers.manifest import CredentialField, Manifest
from flowstudio.ui.controls import empty_layout, problem_label, push_button, text_label
from flowstudio.ui.forms.editors.choice import QuietComboBox
from flowstudio.ui.tasks import Task
from flowstudio.ui.tokens import SPACE_1, SPACE_2, SPACE_3, SPACE_4, SPACE_6
from flowstudio.workspace.services import Services

DEFAULT = "default"


class CredentialDialog(QDialog):
    """Values go to the vault and nowhere else; they are dropped with the dialog."""

    def __init__(
        self,
        services: Services,
        user_id: str,
        manifests: Sequence[Manifest],
        provider: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add credential")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        self._services = services
        self._user_id = user_id
        self._manifests = sorted((each for each in manifests if each.auth.fields), key=lambda each: each.title.lower())
        self._lines: dict[str, QLineEdit] = {}
        title = text_label("Add credential", "section")
        hint = text_label("Stored encrypted on this computer. Plans only hold its name.", "muted", wraps=True)
        self.provider = QuietComboBox()
        for manifest in self._manifests:
            self.provider.addItem(manifest.title, manifest.id)
        self.provider.setCurrentIndex(max(0, self.provider.findData(provider)))
        self.provider.currentIndexChanged.connect(self._show_fields)
        self.name = QLineEdit(DEFAULT)
        self._fields = QVBoxLayout()
        self._fields.setSpacing(SPACE_3)
        self._problem = problem_label()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_6, SPACE_6, SPACE_6, SPACE_4)
        layout.setSpacing(SPACE_3)
        layout.addWidget(title)
        layout.addWidget(hint)
        layout.addWidget(_labelled("Provider", self.provider))
        layout.addWidget(_labelled("Name", self.name, "Steps use “default” unless they choose another."))
        layout.addLayout(self._fields)
        layout.addWidget(self._problem)
        layout.addLayout(self._buttons())
        self._show_fields()

    def _buttons(self) -> QHBoxLayout:
        self.help = push_button("Where do I find this?", kind="link")
        self.help.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(self._manifest().docs)))
        self.save = push_button("Save", kind="primary")
        self.save.setDefault(True)
        self.save.clicked.connect(self._save)
        cancel = push_button("Cancel")
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE_2)
        buttons.addWidget(self.help)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.save)
        return buttons

    def _manifest(self) -> Manifest:
        return self._manifests[self.provider.currentIndex()]

    def _show_fields(self) -> None:
        empty_layout(self._fields)
        self._lines = {}
        for field in self._manifest().auth.fields:
            line = _line_for(field)
            line.textChanged.connect(self._check)
            self._lines[field.name] = line
            title = field.title if field.required else f"{field.title} (optional)"
            self._fields.addWidget(_labelled(title, line, field.help))
        self.help.setVisible(bool(self._manifest().docs))
        self._check()
        self.adjustSize()

    def _check(self) -> None:
        needed = [field.name for field in self._manifest().auth.fields if field.required]
        self.save.setEnabled(all(self._lines[name].text().strip() for name in needed))

    def _save(self) -> None:
        values = {name: line.text().strip() for name, line in self._lines.items() if line.text().strip()}
        provider, name = self._manifest().id, self.name.text().strip() or DEFAULT
        credentials, user_id = self._services.credentials, self._user_id
        self.save.setEnabled(False)
        call = Task(lambda: credentials.save(user_id, provider, values, name), self)
        call.success(lambda _: self.accept()).failure(self._refuse).start()

    def _refuse(self, error: FlowStudioError) -> None:
        self.save.setEnabled(True)
        self._problem.setText(str(error))
        self._problem.show()


def _line_for(field: CredentialField) -> QLineEdit:
    line = QLineEdit(field.default, placeholderText=field.example)
    if field.secret:
        line.setEchoMode(QLineEdit.EchoMode.Password)
    return line


def _labelled(title: str, widget: QWidget, help_text: str = "") -> QWidget:
    holder = QWidget()
    label = text_label(title, "label")
    label.setBuddy(widget)
    widget.setAccessibleName(title)
    widget.setAccessibleDescription(help_text)
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACE_1)
    layout.addWidget(label)
    layout.addWidget(widget)
    if help_text:
        hint = text_label(help_text, "hint", wraps=True)
        layout.addWidget(hint)
    return holder
