"""Vault: which credentials there are. Values go in and never come back out."""

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget

from flowstudio.ui.controls import problem_label, push_button
from flowstudio.ui.icons import Icons
from flowstudio.ui.moments import moment
from flowstudio.ui.panels.empty import EmptyState
from flowstudio.ui.panels.tables import card_table
from flowstudio.ui.screens.screen import Row, RowModel, Screen, primary_button
from flowstudio.ui.tasks import Task
from flowstudio.vault.vault import CredentialInfo
from flowstudio.workspace.services import Services

COLUMNS = ("Provider", "Name", "Holds", "Expires", "Added")


class VaultScreen(Screen):
    add_wanted = Signal(str)  # provider id, "" for none in particular
    changed = Signal()
    failed = Signal(object)

    def __init__(self, services: Services, user_id: str, icons: Icons) -> None:
        super().__init__("Vault", "Store a key once, use it in every plan.")
        self._services = services
        self._user_id = user_id
        self.delete = push_button("Delete", icons.icon("delete", "error"), kind="danger")
        self.delete.setEnabled(False)
        self.delete.clicked.connect(self._delete)
        add = primary_button("Add credential", icons, "add")
        add.clicked.connect(lambda: self.add_wanted.emit(""))
        self.add_button(self.delete)
        self.add_button(add)
        self.model = RowModel(COLUMNS, icons)
        self.table = card_table(self.model, "Credentials", (240, 200, 280, 160))
        self.table.selectionModel().selectionChanged.connect(
            lambda *_: self.delete.setEnabled(bool(self.table.selectionModel().selectedRows()))
        )
        self.warning = problem_label()
        self.warning.setProperty("tone", "warning")
        self.body.addWidget(self.warning)
        self._stack = QStackedWidget()
        text = "Store a key once, use it in every plan."
        self._stack.addWidget(EmptyState(icons, "vault", text, "Add credential", lambda: self.add_wanted.emit("")))
        self._stack.addWidget(self.table)
        self.body.addWidget(self._stack, 1)

    def reload(self) -> None:
        services, user_id = self._services, self._user_id

        def show(found: Sequence[CredentialInfo]) -> None:
            registry = services.registry(user_id)
            titles = {manifest.id: manifest.title for manifest in registry.manifests}
            rows = credential_rows(found, titles)
            self.model.show_rows(rows)
            self._stack.setCurrentIndex(1 if rows else 0)
            self.delete.setEnabled(False)

            if rows:  # an empty vault needs no key, and asking would make one
                call = Task(services.credentials.unlock, self)
                call.success(self._warn).failure(lambda error: self._warn(str(error))).start()

        Task(lambda: services.credentials.list(user_id), self).success(show).failure(self.failed.emit).start()

    def _warn(self, text: str) -> None:
        """What the owner of the key should know: where it lies, or why it does not open the vault."""
        self.warning.setText(text)
        self.warning.setVisible(bool(text))

    def _delete(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if not rows:
            return
        infos: Sequence[CredentialInfo] = self.model.what(rows[0].row())
        credentials, user_id = self._services.credentials, self._user_id

        def show(_: object) -> None:
            self.reload()
            self.changed.emit()

        def remove() -> None:
            for info in infos:
                credentials.delete(user_id, info.id)

        Task(remove, self).success(show).failure(self.failed.emit).start()


def credential_rows(infos: Sequence[CredentialInfo], titles: dict[str, str]) -> list[Row]:
    """One row a credential, whatever number of fields it holds."""
    rows: list[Row] = []
    ordered = sorted(infos, key=lambda each: (each.provider, each.name))
    for (provider, name), group in groupby(ordered, key=lambda each: (each.provider, each.name)):
        parts = list(group)
        holds = ", ".join(dict.fromkeys(kind for each in parts for kind in each.types))
        ends = min((each.expires_at for each in parts if each.expires_at), default=None)
        cells = (
            titles.get(provider, provider),
            name,
            holds,
            moment(ends) if ends else "never",
            moment(parts[0].created_at),
        )
        rows.append(Row(cells, parts, "key", "accent", ("text", "text", "text_2", "text_2", "text_3")))
    return rows
