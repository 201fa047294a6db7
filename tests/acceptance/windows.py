"""The window as a person meets it: real, shown offscreen, moved by mouse and keys.

Events enter through Qt's windowing system, so what lies on top gets them. Controls are found by the name that a screen
reader says, cards by what the canvas draws of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QEvent, QMimeData, QModelIndex, QObject, QPoint, QPointF, Qt, QThreadPool, QTimer
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QDialog,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QScrollArea,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from flowstudio.app import build
from flowstudio.plan.document import dumps
from flowstudio.plan.model import Plan
from flowstudio.settings import load_settings
from flowstudio.ui.application import open_window
from flowstudio.ui.canvas.view import CanvasView
from flowstudio.ui.main_window import MainWindow
from flowstudio.ui.panels.palette import ActionModel

LEFT = Qt.MouseButton.LeftButton
PLAIN, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
PATIENCE_MS = 20_000
LOOK_MS = 20
DESKTOP = (1440, 900)
"""The window's size on a usual screen; the offscreen one is 800 by 800."""
POPUPS = (Qt.WindowType.Popup, Qt.WindowType.ToolTip)

W = TypeVar("W", bound=QWidget)


@contextmanager
def window_on(data_dir: Path, environment: dict[str, str], qtbot: QtBot) -> Iterator["Person"]:
    """The whole product on a data folder, its window open and its server listening on a free port."""
    settings = load_settings({"FLOWSTUDIO_DATA_DIR": str(data_dir), **environment}, port=0)
    qt = QApplication.instance()
    assert isinstance(qt, QApplication)
    application = build(settings)
    strays = StrayWindows(qt)
    window = open_window(application, qt)
    window.resize(*DESKTOP)
    try:
        with qtbot.waitExposed(window):
            window.show()
        person = Person(window, qtbot)
        person.sees(lambda: person.address != "")
        yield person
        assert strays.seen == []
    finally:
        strays.deleteLater()
        window.close()
        QThreadPool.globalInstance().waitForDone()
        application.close()
        qt.setStyleSheet("")
        window.appearance.deleteLater()
        window.deleteLater()
        qt.sendPostedEvents(None, QEvent.Type.DeferredDelete)


class StrayWindows(QObject):
    """Notes parts of the window that show up as windows of their own: they would flash and take the focus away."""

    def __init__(self, qt: QApplication) -> None:
        super().__init__(qt)
        self.seen: list[str] = []
        qt.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            is_meant = isinstance(watched, QMainWindow | QDialog) or watched.windowType() in POPUPS
            if not is_meant:
                self.seen.append(f"{type(watched).__name__} “{watched.accessibleName() or _text(watched)}”")
        return False


class Person:
    """A person at the window."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window = window
        self.qtbot = qtbot

    def sees(self, what: Any, timeout_ms: int = PATIENCE_MS) -> None:
        """Waits until what() is true."""
        self.qtbot.waitUntil(lambda: bool(what()), timeout=timeout_ms)

    # finding things

    def control(self, name: str, kind: type[W] = QWidget) -> W:  # type: ignore[assignment]
        """The visible widget of that name, in front of others: a dialog's before the window's."""
        tops = [each for each in reversed(QApplication.topLevelWidgets()) if each.isVisible() and each != self.window]
        for top in (*tops, self.window):
            for each in top.findChildren(kind):
                if each.isVisible() and name in (each.accessibleName(), _text(each)):
                    return each
        raise AssertionError(f"nothing visible is called “{name}”")

    def has(self, name: str) -> bool:
        try:
            self.control(name)
        except AssertionError:
            return False
        return True

    @property
    def address(self) -> str:
        """Where the embedded server listens, as the status bar says it."""
        said, _, place = self.window.status.server.text().strip().rpartition(" ")
        return f"http://{place}" if said == "Server on" else ""

    @property
    def notice(self) -> str:
        return self.window.notice.text.text() if self.window.notice.isVisible() else ""

    # mouse and keys

    def click(self, name: str) -> None:
        self.click_on(self.control(name))

    def click_on(self, widget: QWidget, at: QPoint | None = None) -> None:
        _scroll_to(widget)
        window = widget.window().windowHandle()
        QTest.mouseClick(window, LEFT, PLAIN, _in_window(widget, at or widget.rect().center()))

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = PLAIN) -> None:
        QTest.keyClick(self._active().windowHandle(), key, keys)

    def in_dialog(self, act: Callable[[], None]) -> None:
        """Acts in the next dialog that opens: it has an event loop of its own, which whoever opens it waits for."""

        def look() -> None:
            dialog, focused = QApplication.activeModalWidget(), QApplication.focusWidget()
            if dialog is None or focused is None or not dialog.isAncestorOf(focused):
                QTimer.singleShot(LOOK_MS, look)
                return
            try:
                act()
            except BaseException:
                dialog.close()
                raise

        QTimer.singleShot(LOOK_MS, look)

    def _active(self) -> QWidget:
        """The window that has the keyboard; ours gets it back when a dialog has closed, as a window manager does it."""
        if QApplication.activeWindow() is None:
            self.window.activateWindow()
            self.sees(lambda: QApplication.activeWindow() is not None)
        active = QApplication.activeWindow()
        assert active is not None
        return active

    def type(self, text: str, pace_ms: int = 0) -> None:
        """Into whatever has the focus, with pace_ms key by key as slowly as a hand."""
        for part in text if pace_ms else [text]:
            focused = QApplication.focusWidget()
            assert focused is not None
            QTest.keyClicks(focused, part, PLAIN, pace_ms)
        if pace_ms:
            self.qtbot.wait(pace_ms)

    def write(self, field: str, text: str, pace_ms: int = 0) -> None:
        """Clicks into a field and types over what it holds."""
        for kind in (QLineEdit, QPlainTextEdit):
            try:
                widget: QWidget = self.control(field, kind)
            except AssertionError:
                continue
            self.click_on(widget)
            self.key(Qt.Key.Key_A, CTRL)
            self.type(text, pace_ms)
            return
        raise AssertionError(f"there is no field “{field}”")

    def add_row(self, field: str, *cells: str) -> None:
        """One more row of a list, or of names and values; Tab leads from cell to cell."""
        self.click(f"Add a row to {field}")
        for number, text in enumerate(cells):
            if number:
                self.key(Qt.Key.Key_Tab)
            self.type(text)

    def write_expression(self, field: str, text: str) -> None:
        """Turns the expression side of a field on and types into it."""
        self.click(f"{field}: expression")
        self.write(f"{field}, expression", text)

    def open_pane(self, name: str) -> None:
        """One of the tabs at the bottom: Run, Data, Log, Problems."""
        titles = [title.partition(" ")[0] for title in self.panes()]
        bar = self._pane_bar()
        self.click_on(bar, bar.tabRect(titles.index(name)).center())

    def panes(self) -> list[str]:
        """Their titles; that of Problems with a count while there are any."""
        bar = self._pane_bar()
        return [bar.tabText(index) for index in range(bar.count())]

    def _pane_bar(self) -> QTabBar:
        bars = [each for each in self.window.findChildren(QTabBar) if each.isVisible()]
        return next(each for each in bars if "Log" in [each.tabText(index) for index in range(each.count())])

    # the plan on the canvas

    @property
    def plan(self) -> Plan:
        assert self.window.editor.front is not None
        return self.window.editor.front.open_plan.plan

    @property
    def document(self) -> bytes:
        return dumps(self.plan)

    @property
    def canvas(self) -> CanvasView:
        assert self.window.editor.front is not None
        return self.window.editor.front.canvas

    def drag_from_palette(self, words: str, x: float, y: float) -> str:
        """Pulls the first step that fits the words onto a point of the canvas; the new step's id.

        The offscreen platform ends every drag at once, so the pull on the row is real, and what it carries is then
        brought to the canvas by the drag and drop events that a desktop would send.
        """
        before = {step.id for step in self.plan.steps}
        self.write("Search steps", words)
        tree = self.control("Steps", QAbstractItemView)
        data = self._pull(tree, tree.model().index(0, 0))
        viewport, at = self.canvas.viewport(), self.canvas.view_point(x, y).toPoint()
        copy = Qt.DropAction.CopyAction
        for event in (
            QDragEnterEvent(at, copy, data, LEFT, PLAIN),
            QDragMoveEvent(at, copy, data, LEFT, PLAIN),
            QDropEvent(QPointF(at), copy, data, LEFT, PLAIN),
        ):
            QApplication.sendEvent(viewport, event)
            assert event.isAccepted()
        return self._new(before)

    def _pull(self, tree: QAbstractItemView, row: QModelIndex) -> QMimeData:
        """Presses on a row and pulls; what Qt took along for the drag."""
        carried: list[QMimeData] = []
        give = ActionModel.mimeData
        window, start = self.window.windowHandle(), _in_window(tree.viewport(), tree.visualRect(row).center())
        try:
            ActionModel.mimeData = lambda model, rows: carried.append(give(model, rows)) or carried[-1]
            QTest.mousePress(window, LEFT, PLAIN, start)
            for far in (8, 20, 40):
                QTest.mouseMove(window, start + QPoint(far, 0))
        finally:
            ActionModel.mimeData = give
            QTest.mouseRelease(window, LEFT, PLAIN, start)
        assert carried, "pulling the row started no drag"
        return give(tree.model(), [row])

    def quick_add(self, words: str) -> str:
        """Ctrl+K, some words, Enter; the new step's id."""
        before = {step.id for step in self.plan.steps}
        self.key(Qt.Key.Key_K, CTRL)
        self.type(words)
        self.key(Qt.Key.Key_Return)
        return self._new(before)

    def _new(self, before: set[str]) -> str:
        (step_id,) = {step.id for step in self.plan.steps} - before
        return step_id

    def pick(self, *ids: str) -> None:
        """Clicks on cards, the further ones with Shift."""
        for number, step_id in enumerate(ids):
            box = self.canvas.board.box(step_id)
            self.click_canvas(box.x + 60, box.y + 20, SHIFT if number else PLAIN)

    def click_canvas(self, x: float, y: float, keys: Qt.KeyboardModifier = PLAIN) -> None:
        QTest.mouseClick(self.window.windowHandle(), LEFT, keys, self._on_canvas(x, y))

    def pick_nothing(self) -> None:
        """A click beside everything: the plan's own form shows."""
        outline = self.canvas.board.outline()
        assert outline is not None
        self.click_canvas(outline.x, outline.bottom + 30)

    def draw_wire(self, source: str, port: str, target: str) -> None:
        """From a port to the left side of another card."""
        board = self.canvas.board
        anchors = board.cards.anchors[board.cards.row_of[source]]
        anchor = next(each for each in anchors if each.port.name == port)
        box = board.box(target)
        self._drag(anchor.at(board.box(source)), (box.x + 20, box.y + box.h / 2))

    def drag_card(self, step_id: str, dx: float, dy: float) -> None:
        box = self.canvas.board.box(step_id)
        self._drag((box.x + 60, box.y + 20), (box.x + 60 + dx, box.y + 20 + dy))

    def _drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        window = self.window.windowHandle()
        half = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        QTest.mouseMove(window, self._on_canvas(*start))
        QTest.mousePress(window, LEFT, PLAIN, self._on_canvas(*start))
        for point in (half, end):
            QTest.mouseMove(window, self._on_canvas(*point))
        QTest.mouseRelease(window, LEFT, PLAIN, self._on_canvas(*end))

    def _on_canvas(self, x: float, y: float) -> QPoint:
        return _in_window(self.canvas.viewport(), self.canvas.view_point(x, y).toPoint())

    # the run

    def card(self, step_id: str) -> str:
        """The state written on a card: running, ok, failed …"""
        cards = self.canvas.board.cards
        return cards.words[cards.row_of[step_id]]

    def figures(self, step_id: str) -> str:
        """What a card says of its result: items and time."""
        cards = self.canvas.board.cards
        return cards.figures[cards.row_of[step_id]]

    def run(self) -> None:
        self.click("Run this plan")

    def sees_cards(self, word: str, *ids: str) -> None:
        self.sees(lambda: [self.card(each) for each in ids] == [word] * len(ids))

    def sees_end(self) -> str:
        """Waits for the end of the run in front; the word the Run pane has for it."""
        tab = self.window.editor.front
        assert tab is not None
        self.sees(lambda: tab.live_run.end is not None)
        return self.run_state

    @property
    def run_state(self) -> str:
        return self.window.editor.run_panel.state.text()

    def table(self, name: str) -> list[list[str]]:
        """The cells of a table as they are shown."""
        model = self.control(name, QAbstractItemView).model()
        return [
            [str(model.index(row, column).data() or "") for column in range(model.columnCount())]
            for row in range(model.rowCount())
        ]

    def headings(self, name: str) -> list[str]:
        model = self.control(name, QAbstractItemView).model()
        return [str(model.headerData(column, Qt.Orientation.Horizontal)) for column in range(model.columnCount())]

    def log(self) -> str:
        self.open_pane("Log")
        return "\n".join(" | ".join(row[1:]) for row in self.table("Log"))


def _text(widget: QWidget) -> str:
    text = getattr(widget, "text", None)
    return str(text()).strip() if callable(text) else ""


def _in_window(widget: QWidget, at: QPoint) -> QPoint:
    return widget.mapTo(widget.window(), at)


def _scroll_to(widget: QWidget) -> None:
    """What a person does with the wheel when a field is out of view."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(widget)
        parent = parent.parentWidget()
