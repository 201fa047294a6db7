"""Background calls answer on the GUI thread."""

import logging
import threading

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from flowstudio.errors import FlowStudioError
from flowstudio.ui.tasks import Task, UnexpectedError


def test_a_result_arrives_on_the_gui_thread(qtbot: QtBot) -> None:
    threads: list[threading.Thread] = []
    answers: list[int] = []

    def call() -> int:
        threads.append(threading.current_thread())
        return 42

    def receive(answer: int) -> None:
        answers.append(answer)
        threads.append(threading.current_thread())

    Task(call).success(receive).start()
    qtbot.waitUntil(lambda: answers == [42])
    assert threads[0] is not threading.main_thread()
    assert threads[1] is threading.main_thread()


def test_a_known_error_reaches_the_failure_branch(qtbot: QtBot) -> None:
    errors: list[FlowStudioError] = []

    def call() -> None:
        raise FlowStudioError("The disk is full.", fix="Free some space.")

    Task(call).failure(errors.append).start()
    qtbot.waitUntil(lambda: len(errors) == 1)
    assert errors[0].sentence == "The disk is full."


@pytest.mark.logs("background call failed")
def test_a_bug_is_logged_and_told_calmly(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    errors: list[FlowStudioError] = []

    def call() -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        Task(call).failure(errors.append).start()
        qtbot.waitUntil(lambda: len(errors) == 1)
    assert isinstance(errors[0], UnexpectedError)
    assert "ZeroDivisionError" in caplog.text


def test_nobody_is_called_when_the_owner_is_gone(qtbot: QtBot) -> None:
    owner = QWidget()
    answers: list[str] = []
    go = threading.Event()
    Task(lambda: go.wait(5), owner).success(lambda _: answers.append("owned")).start()
    owner.deleteLater()
    qtbot.waitSignal(owner.destroyed)
    go.set()
    Task(lambda: None).success(lambda _: answers.append("after")).start()
    qtbot.waitUntil(lambda: "after" in answers)
