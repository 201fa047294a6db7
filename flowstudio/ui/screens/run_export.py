"""The menu that writes a run to a file."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from flowstudio.engine.model import Run
from flowstudio.ui.tasks import Task
from flowstudio.workspace.exports import ExportFormat
from flowstudio.workspace.files import write_file
from flowstudio.workspace.services import Services

KINDS = {
    ExportFormat.JSON: "All of it as JSON",
    ExportFormat.CSV: "Results as a table (CSV)",
    ExportFormat.HAR: "HTTP requests as an archive (HAR)",
}


class ExportMenu(QMenu):
    """Writes in the background; secrets are masked. run: what to export, asked when an entry is chosen."""

    written = Signal(object)
    failed = Signal(object)

    def __init__(self, services: Services, user_id: str, run: Callable[[], Run | None], parent: QWidget) -> None:
        super().__init__(parent)
        self._services = services
        self._user_id = user_id
        self._run = run
        for kind, title in KINDS.items():
            self.addAction(title).triggered.connect(lambda _, kind=kind: self._ask(kind))

    def _ask(self, kind: ExportFormat) -> None:
        run = self._run()
        if run is None:
            return
        suggested = f"{run.plan.name or 'run'} {run.created_at.astimezone():%Y-%m-%d %H.%M}.{kind}"
        suggested = "".join("-" if each in '/\\:*?"<>|' else each for each in suggested)
        name, _ = QFileDialog.getSaveFileName(self.parentWidget(), "Export the run", suggested, f"*.{kind}")
        if name:
            self.write(run, kind, Path(name))

    def write(self, run: Run, kind: ExportFormat, file: Path) -> None:
        exports, user_id = self._services.exports, self._user_id

        def export() -> None:
            write_file(file, exports.run(user_id, run.id, kind).pieces)

        Task(export, self).success(lambda _: self.written.emit(file)).failure(self.failed.emit).start()
