"""OpenPlan: a plan under the hand, as the window's parts share it: its session, its undo stack, its problems."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoStack
from shiboken6 import isValid

from flowstudio.errors import FlowStudioError
from flowstudio.plan.edits import Edit
from flowstudio.plan.model import Plan
from flowstudio.plan.rules import Problem
from flowstudio.ui.tasks import Task
from flowstudio.ui.undo import EditCommand
from flowstudio.workspace.edit_session import EditSession, PlanEdited, PlanSaved
from flowstudio.workspace.services import Services

CHECK_AFTER_MS = 250  # a pause in typing


class OpenPlan(QObject):
    """All edits of the window go through `push`, whichever part they come from; `edited` tells every part.

    The canvas pushes commands of its own on the same stack; what they changed comes back by the bus like ours.
    """

    edited = Signal(object)  # tuple of plan.changes
    saved = Signal()
    refused = Signal(object)  # FlowStudioError
    checked = Signal(object)  # list of Problem

    def __init__(
        self, session: EditSession, services: Services, parent: QObject | None = None, undo: QUndoStack | None = None
    ) -> None:
        """undo: the stack of the session where other tabs show it too; None for one of its own."""
        super().__init__(parent)
        self.session = session
        self.services = services
        self.undo = QUndoStack(self) if undo is None else undo
        self.problems: Sequence[Problem] = ()
        self._pause = QTimer(self, singleShot=True, interval=CHECK_AFTER_MS)
        self._pause.timeout.connect(self.check)

    @property
    def plan(self) -> Plan:
        return self.session.plan

    @property
    def user_id(self) -> str:
        return self.session.user_id

    def push(self, edit: Edit) -> None:
        """Makes an undoable edit. One that is not legal changes nothing and is told by `refused`."""
        self.undo.push(EditCommand(self.session, edit, refused=self._refuse))

    def _refuse(self, error: FlowStudioError) -> None:
        if isValid(self):  # the command may outlive the tab it came from, on a stack that tabs share
            self.refused.emit(error)

    def take(self, event: object) -> None:
        """An event of the bus; those of other plans are not ours."""
        if isinstance(event, PlanEdited) and event.plan_id == self.plan.id:
            self.edited.emit(event.changes)
            self._pause.start()
        elif isinstance(event, PlanSaved) and event.plan_id == self.plan.id:
            self.saved.emit()

    def check(self) -> None:
        """Looks for problems in the background; `checked` brings them."""
        plan, user_id, plans = self.plan, self.user_id, self.services.plans
        Task(lambda: list(plans.check(user_id, plan)), self).success(self._show_problems).start()

    def _show_problems(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.checked.emit(problems)
