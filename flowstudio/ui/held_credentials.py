"""Which credentials the user has, remembered so that painting a card never asks the vault."""

from PySide6.QtCore import QObject, Signal

from flowstudio.ui.tasks import Task
from flowstudio.workspace.services import Services


class HeldCredentials(QObject):
    """Called as (provider, name): whether there is such a credential; name None asks for the default or any."""

    changed = Signal()

    def __init__(self, services: Services, user_id: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._user_id = user_id
        self._held: frozenset[tuple[str, str]] | None = None

    def __call__(self, provider: str, name: str | None) -> bool:
        if self._held is None:
            return True  # not known yet: no card warns of what may well be there
        if name is not None:
            return (provider, name) in self._held
        return any(each == provider for each, _ in self._held)

    def reload(self) -> None:
        credentials, user_id = self._services.credentials, self._user_id

        def read() -> frozenset[tuple[str, str]]:
            return frozenset((each.provider, each.name) for each in credentials.list(user_id))

        Task(read, self).success(self._show).start()

    def _show(self, held: frozenset[tuple[str, str]]) -> None:
        if held != self._held:
            self._held = held
            self.changed.emit()
