"""A canvas over a plan in memory, shown off screen, and a hand that drives it by real mouse and key events."""

import json
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QGuiApplication,
    QMouseEvent,
    QUndoStack,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from flowstudio.plan.edits import Edit, Edited
from flowstudio.plan.model import Edge, Plan, Step
from flowstudio.providers.manifest import Action, AuthKind, AuthScheme, Category, Field, FieldKind, Manifest
from flowstudio.providers.registry import Registry
from flowstudio.ui.canvas.clipboard import MIME_ACTION
from flowstudio.ui.canvas.view import CanvasView
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import LIGHT

LEFT, NO_KEYS = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class MemorySession:
    """An edit session that keeps its plan in memory."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def apply(self, edit: Edit) -> Edited:
        edited = edit.apply(self.plan)
        self.plan = edited.plan
        return edited


class Hand:
    """Moves the mouse over a canvas. Points are scene pixels."""

    def __init__(self, view: CanvasView) -> None:
        self.view = view

    def point(self, x: float, y: float) -> QPoint:
        return self.view.view_point(x, y).toPoint()

    def press(self, x: float, y: float, keys: Qt.KeyboardModifier = NO_KEYS, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseMove(self.view.viewport(), self.point(x, y))
        QTest.mousePress(self.view.viewport(), button, keys, self.point(x, y))

    def move(self, x: float, y: float, keys: Qt.KeyboardModifier = NO_KEYS, button: Qt.MouseButton = LEFT) -> None:
        """QTest.mouseMove cannot hold a button down."""
        viewport = self.view.viewport()
        at = QPointF(self.point(x, y))
        event = QMouseEvent(
            QEvent.Type.MouseMove, at, QPointF(viewport.mapToGlobal(at)), Qt.MouseButton.NoButton, button, keys
        )
        QApplication.sendEvent(viewport, event)

    def release(self, x: float, y: float, keys: Qt.KeyboardModifier = NO_KEYS, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseRelease(self.view.viewport(), button, keys, self.point(x, y))

    def drag(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        keys: Qt.KeyboardModifier = NO_KEYS,
        button: Qt.MouseButton = LEFT,
    ) -> None:
        self.press(*start, keys, button)
        self.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, keys, button)
        self.move(*end, keys, button)
        self.release(*end, keys, button)

    def click(self, x: float, y: float, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        self.press(x, y, keys)
        self.release(x, y, keys)

    def double_click(self, x: float, y: float) -> None:
        QTest.mouseDClick(self.view.viewport(), LEFT, NO_KEYS, self.point(x, y))

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = NO_KEYS) -> None:
        QTest.keyClick(self.view, key, keys)

    def wheel(
        self, at: QPoint, turn: int, keys: Qt.KeyboardModifier = NO_KEYS, phase: Qt.ScrollPhase | None = None
    ) -> None:
        view = self.view.viewport()
        event = QWheelEvent(
            QPointF(at),
            QPointF(view.mapToGlobal(at)),
            QPoint(0, turn // 2) if phase is not None else QPoint(),
            QPoint(0, turn),
            Qt.MouseButton.NoButton,
            keys,
            phase or Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view, event)

    def drop(self, provider: str, action: str, x: float, y: float) -> None:
        """Drags a palette entry over the canvas and lets it go."""
        data = QMimeData()
        data.setData(MIME_ACTION, json.dumps({"provider": provider, "action": action}).encode())
        at, copy = self.point(x, y), Qt.DropAction.CopyAction
        viewport = self.view.viewport()
        QApplication.sendEvent(viewport, QDragEnterEvent(at, copy, data, LEFT, NO_KEYS))
        QApplication.sendEvent(viewport, QDragMoveEvent(at, copy, data, LEFT, NO_KEYS))
        QApplication.sendEvent(viewport, QDropEvent(QPointF(at), copy, data, LEFT, NO_KEYS))


@pytest.fixture(scope="session")
def registry() -> Registry:
    cases = Field("cases", "Cases", FieldKind.LIST, required=True, default=[{"name": "first", "equals": ""}])
    return Registry(
        [
            _manifest("flow", "Flow", Category.LOGIC, ("condition", "If"), ("loop", "For each"), ("stop", "Stop")),
            Manifest(
                "router",
                "Router",
                Category.LOGIC,
                "ph.shuffle",
                actions=(Action("router", "go", "Go", fields=(cases,)),),
            ),
            _manifest("http", "HTTP", Category.HTTP, ("request", "Request")),
            _manifest("files", "Files", Category.FILE, ("read", "Read file"), ("write_csv", "Write CSV")),
            _manifest("hook", "Webhook", Category.TRIGGER, ("receive", "Receive a request")),
            Manifest(
                "slack",
                "Slack",
                Category.MESSAGE,
                "ph.chat-circle",
                auth=AuthScheme(AuthKind.BEARER),
                actions=(Action("slack", "post_message", "Send message", "Posts to a channel"),),
            ),
        ]
    )


def _manifest(provider: str, title: str, category: Category, *actions: tuple[str, str]) -> Manifest:
    offered = tuple(Action(provider, action_id, action_title) for action_id, action_title in actions)
    return Manifest(provider, title, category, "ph.cube", actions=offered)


@pytest.fixture
def canvas(qtbot: QtBot, registry: Registry) -> Iterator[Callable[[Plan], CanvasView]]:
    """Shows a plan at full size, the scene's origin 100 px into the view."""
    views: list[CanvasView] = []

    def show(plan: Plan) -> CanvasView:
        view = CanvasView(MemorySession(plan), QUndoStack(), registry, LIGHT, Icons(LIGHT))
        views.append(view)
        qtbot.addWidget(view)
        view.resize(1000, 700)
        view.show()
        qtbot.waitExposed(view)
        view.horizontalScrollBar().setValue(-100)
        view.verticalScrollBar().setValue(-100)
        view.setFocus()
        return view

    QGuiApplication.clipboard().clear()
    yield show
    for view in views:
        view.undo_stack.clear()


@pytest.fixture
def hand() -> type[Hand]:
    return Hand


@pytest.fixture
def pair() -> Plan:
    """Two steps side by side, not wired."""
    return Plan(
        "p",
        "Pair",
        steps=(Step("a", "http", "request", "Fetch", x=0, y=0), Step("b", "files", "write_csv", "Save", x=280, y=0)),
    )


@pytest.fixture
def chain(pair: Plan) -> Plan:
    """Three steps in a row, wired."""
    steps = (*pair.steps, Step("c", "slack", "post_message", "Tell", x=560, y=0))
    return Plan("p", "Chain", steps=steps, edges=(Edge("a", "out", "b"), Edge("b", "out", "c")))


@pytest.fixture
def looped() -> Plan:
    """A step, a loop beside it that holds one step."""
    return Plan(
        "p",
        "Looped",
        steps=(
            Step("a", "http", "request", "Fetch", x=0, y=0),
            Step("each", "flow", "loop", "Each", x=280, y=0),
            Step("inner", "files", "read", "Read", x=340, y=100, parent="each"),
        ),
        edges=(Edge("a", "out", "each"), Edge("each", "body", "inner")),
    )
