"""The runs a run has to do with: who called it, whom it called, what it builds on, what its failure started."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from flowstudio.engine.model import Run, StepRun
from flowstudio.plan.model import TriggerKind
from flowstudio.ui.moments import moment
from flowstudio.workspace.errors import NoSuchRunError

MOST_CALLED = 20
FAILED_RUN = "error:"
"""What the id of an error plan's run begins with; the id of the run that failed follows."""


@dataclass(frozen=True, slots=True)
class Related:
    how: str
    run: Run


def related(run: Run, rows: Sequence[StepRun], get: Callable[[str], Run]) -> list[Related]:
    """Those that are still in the history. rows: the run's steps, which know whom they called. Blocks: for a Task."""
    ids: list[tuple[str, str]] = []
    if run.parent is not None:
        ids.append(("Called by", run.parent.run_id))
    if run.trigger.kind is TriggerKind.ERROR:
        ids.append(("After the failure of", run.id.removeprefix(FAILED_RUN)))
    if run.options.based_on is not None:
        ids.append(("Builds on", run.options.based_on))
    called = [str(row.metadata["run"]) for row in rows if "run" in row.metadata]
    ids += [("Called", each) for each in called[:MOST_CALLED]]
    ids.append(("Its failure started", f"{FAILED_RUN}{run.id}"))
    found = []
    for how, run_id in ids:
        try:
            found.append(Related(how, get(run_id)))
        except NoSuchRunError:
            continue  # it left the history, or never was
    return found


class RelatedMenu(QMenu):
    chosen = Signal(object)  # Run

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)

    def show_related(self, found: Sequence[Related]) -> None:
        self.clear()
        for each in found:
            when = moment(each.run.started_at or each.run.created_at)
            text = f"{each.how} “{each.run.plan.name}”, {when}, {each.run.state.value}"
            self.addAction(text).triggered.connect(lambda _=False, run=each.run: self.chosen.emit(run))
