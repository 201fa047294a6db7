"""The menu that steers a run of the history: again, from where it failed, on, or to its end."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from flowstudio.engine.model import Run, RunState
from flowstudio.errors import FlowStudioError
from flowstudio.ui.dialogs.outputs_question import ask_for_outputs
from flowstudio.ui.icons import Icons
from flowstudio.ui.tasks import Task
from flowstudio.workspace.errors import OutputsNeededError
from flowstudio.workspace.reruns import ASK, Revision
from flowstudio.workspace.reuse import Choices
from flowstudio.workspace.services import Services


class RerunMenu(QMenu):
    """Acts in the background. run: what to steer, asked when the menu opens and when an entry is chosen."""

    started = Signal(object)  # the new Run
    steered = Signal()
    failed = Signal(object)

    def __init__(
        self, services: Services, user_id: str, run: Callable[[], Run | None], icons: Icons, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._user_id = user_id
        self._run = run
        self._icons = icons
        self._over = parent
        self.again = self.addAction("Run again with the same input")
        self.current = self.addAction("Run again as the plan is now")
        self.restart = self.addAction("Restart from the failed step")
        self.addSeparator()
        self.resume = self.addAction("Continue")
        self.stop = self.addAction("Stop")
        self.again.triggered.connect(lambda: self._repeat(Revision.ORIGINAL))
        self.current.triggered.connect(lambda: self._repeat(Revision.CURRENT))
        self.restart.triggered.connect(lambda: self._restart(ASK))
        self.resume.triggered.connect(lambda: self._steer(services.breakpoints.resume))
        self.stop.triggered.connect(lambda: self._steer(services.runs.cancel))
        self.aboutToShow.connect(self.offer)

    def offer(self) -> None:
        """Only what the chosen run allows."""
        run = self._run()
        state = run.state if run is not None else None
        for entry in (self.again, self.current):
            entry.setEnabled(state is not None and state.is_final)
        self.restart.setEnabled(state in (RunState.FAILED, RunState.CANCELLED))
        self.resume.setEnabled(state is RunState.PAUSED)
        self.stop.setEnabled(state is not None and not state.is_final)

    def _repeat(self, revision: Revision) -> None:
        run, reruns, user_id = self._run(), self._services.reruns, self._user_id
        if run is not None:
            self._start(lambda: reruns.again(user_id, run.id, revision))

    def _restart(self, choices: Choices) -> None:
        run, reruns, user_id = self._run(), self._services.reruns, self._user_id
        if run is not None:
            self._start(lambda: reruns.restart(user_id, run.id, choices=choices), self._restart)

    def _start(self, begin: Callable[[], str], answer: Callable[[Choices], object] | None = None) -> None:
        runs, user_id = self._services.runs, self._user_id

        def refuse(error: FlowStudioError) -> None:
            if isinstance(error, OutputsNeededError) and answer is not None:
                ask_for_outputs(error, answer, self._icons, self._over)
            else:
                self.failed.emit(error)

        Task(lambda: runs.get(user_id, begin()), self).success(self.started.emit).failure(refuse).start()

    def _steer(self, act: Callable[[str, str], object]) -> None:
        run, user_id = self._run(), self._user_id
        if run is not None:
            task = Task(lambda: act(user_id, run.id), self)
            task.success(lambda _: self.steered.emit()).failure(self.failed.emit).start()
