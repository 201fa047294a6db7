"""The menu that answers for a step that was in flight when the program died."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from flowstudio.engine.model import Answer, Failure
from flowstudio.ui.tasks import Task
from flowstudio.workspace.resumption import iteration_path
from flowstudio.workspace.services import Services

ANSWERS = {
    Answer.RETRY: ("Do it again", "Sends it once more, whether it happened or not."),
    Answer.DONE: ("It is done", "Goes on as if the step had succeeded; it has no output."),
    Answer.FAIL: ("It failed", "Goes on as the step's own setting for failures says."),
}
Question = tuple[str, Failure]
"""A run's id and what it asks."""


class AnswerMenu(QMenu):
    """Answers in the background. question: what is asked now, looked up when an entry is chosen."""

    given = Signal()
    failed = Signal(object)

    def __init__(
        self, services: Services, user_id: str, question: Callable[[], Question | None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._user_id = user_id
        self._question = question
        self.setToolTipsVisible(True)
        for answer, (title, hint) in ANSWERS.items():
            entry = self.addAction(title)
            entry.setToolTip(hint)
            entry.triggered.connect(lambda _, answer=answer: self._give(answer))

    def _give(self, answer: Answer) -> None:
        asked = self._question()
        if asked is None:
            return
        (run_id, question), runs, user_id = asked, self._services.runs, self._user_id
        path = iteration_path(str(question.facts.get("iteration", ""))) or ()
        task = Task(lambda: runs.answer(user_id, run_id, answer, question.step_id, path), self)
        task.success(lambda _: self.given.emit()).failure(self.failed.emit).start()
