"""The canvas under the hand: p95 of a frame at 1,000 and 5,000 cards, 1600x1000, drawn by software, off screen.

A frame is everything between an input event and the finished picture: event, gesture, arrays, paint. Counted is the
processor time of the GUI thread, which never waits here: on an idle machine that is the time on the wall, on a busy one
it is still the canvas's own.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import cycle

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QUndoStack
from PySide6.QtWidgets import QApplication

from benchmarks.report import Row
from flowstudio.engine.events import RunEvent, RunStarted, StepStarted, StepSucceeded
from flowstudio.plan.edits import Edit, Edited
from flowstudio.plan.model import Edge, Plan, Step
from flowstudio.providers.manifest import Action, Category, Manifest
from flowstudio.providers.registry import Registry
from flowstudio.ui.canvas.view import CanvasView
from flowstudio.ui.icons import Icons
from flowstudio.ui.tokens import DARK

SIZE = (1600, 1000)
FRAMES = 60
CARD_COUNTS = (1_000, 5_000)
MOTION_GOAL_MS, REST_GOAL_MS, UNDO_GOAL_MS = 8.0, 16.0, 20.0
COLUMN, ROW = 280.0, 110.0
WIRES_PER_CARD = 1.2


class Session:
    """An edit session without a journal: what is measured is the canvas."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def apply(self, edit: Edit) -> Edited:
        edited = edit.apply(self.plan)
        self.plan = edited.plan
        return edited


def rows() -> Iterator[Row]:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance() or QApplication([])
    for count in CARD_COUNTS:
        bench = CanvasBench(count)
        yield Row(
            f"canvas, open {count:,} cards to first paint",
            bench.opened_s,
            "s",
            0.5 if count <= 1_000 else None,
            is_least=False,
        )
        for name, seconds, goal_ms in bench.measure():
            yield Row(f"canvas, {count:,} cards, {name}, p95", seconds * 1000, "ms", goal_ms, is_least=False)
        bench.close()
    app.processEvents()


class CanvasBench:
    """A shown canvas of so many cards and what is done to it."""

    def __init__(self, count: int) -> None:
        self.plan = big_plan(count)
        started = time.perf_counter()
        self.undo = QUndoStack()
        self.view = CanvasView(Session(self.plan), self.undo, registry(), DARK, Icons(DARK))
        self.view.resize(*SIZE)
        self.view.show()
        self.view.fit_all()
        QApplication.processEvents()  # exposes the window: before that nothing is painted
        self.view.viewport().repaint()
        self.opened_s = time.perf_counter() - started

    def close(self) -> None:
        self.view.close()

    def measure(self) -> Iterator[tuple[str, float, float]]:
        """What was done, p95 in seconds, the goal in milliseconds."""
        yield "pan, whole plan", p95(self._pan(self._fit)), MOTION_GOAL_MS
        yield "zoom, whole plan", p95(self._zoom(self._fit)), MOTION_GOAL_MS
        yield "pan at 40 %", p95(self._pan(lambda: self._at(0.4))), MOTION_GOAL_MS
        yield "zoom at 40 %", p95(self._zoom(lambda: self._at(0.4))), MOTION_GOAL_MS
        yield "pan at 100 %", p95(self._pan(lambda: self._at(1.0))), MOTION_GOAL_MS
        yield "zoom at 100 %", p95(self._zoom(lambda: self._at(1.0))), MOTION_GOAL_MS
        yield "drag 1 card at 100 %", p95(self._drag(1, lambda: self._at(1.0))), MOTION_GOAL_MS
        yield "drag 100 cards, whole plan", p95(self._drag(100, self._fit)), MOTION_GOAL_MS
        yield "finest picture at rest, whole plan", p95(self._rest(self._fit)), REST_GOAL_MS
        yield "finest picture at rest at 40 %", p95(self._rest(lambda: self._at(0.4))), REST_GOAL_MS
        yield "50 states change, whole plan", p95(self._states(self._fit)), REST_GOAL_MS
        yield "undo and redo a move of 20", p95(self._undo()), UNDO_GOAL_MS

    def _fit(self) -> None:
        self.view.fit_all()

    def _at(self, zoom: float) -> None:
        self.view.fit_all()
        self.view.zoom_to(zoom)
        box = self.view.board.box(self.plan.steps[len(self.plan.steps) // 2].id)
        self.view.look_at(box.x, box.y)

    def _pan(self, prepare: Callable[[], None]) -> list[float]:
        moves = cycle([(9, 5)] * 15 + [(-9, -5)] * 15)
        return self._frames(prepare, lambda: self.view.scroll_by(*next(moves)))

    def _zoom(self, prepare: Callable[[], None]) -> list[float]:
        factors = cycle([1.04] * 8 + [1 / 1.04] * 8)
        return self._frames(prepare, lambda: self.view.zoom_about(next(factors), 800, 500))

    def _rest(self, prepare: Callable[[], None]) -> list[float]:
        prepare()
        self.view.come_to_rest()
        return self._frames(lambda: None, lambda: None)

    def _states(self, prepare: Callable[[], None]) -> list[float]:
        self.view.show_events([RunStarted("run", NOW, "user", self.plan.id, "", "manual")])
        batches = cycle(state_batches(self.plan))
        return self._frames(prepare, lambda: self.view.show_events(next(batches)))

    def _undo(self) -> list[float]:
        self.view.clear_run()
        self._at(1.0)
        self.view.commands.nudge([step.id for step in self.plan.steps[:20]], 20, 0)
        turns = cycle([self.undo.undo, self.undo.redo])
        return self._frames(lambda: None, lambda: next(turns)())

    def _drag(self, count: int, prepare: Callable[[], None]) -> list[float]:
        middle = len(self.plan.steps) // 2
        ids = [step.id for step in self.plan.steps[middle : middle + count]]
        prepare()
        self.view.select(ids)
        box = self.view.board.box(ids[0])
        start = self.view.view_point(box.x + box.w / 2, box.y + box.h / 2)
        self._mouse(QEvent.Type.MouseButtonPress, start)
        steps = cycle([*range(0, 120, 4), *range(120, 0, -4)])

        def move() -> None:
            shift = next(steps)
            self._mouse(QEvent.Type.MouseMove, start + QPointF(10 + shift, shift * 0.7))

        taken = self._frames(lambda: None, move)
        self.view.escape()
        return taken

    def _mouse(self, kind: QEvent.Type, at: QPointF) -> None:
        viewport = self.view.viewport()
        pressed = Qt.MouseButton.LeftButton
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else pressed
        event = QMouseEvent(
            kind, at, QPointF(viewport.mapToGlobal(at)), button, pressed, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(viewport, event)

    def _frames(self, prepare: Callable[[], None], act: Callable[[], object]) -> list[float]:
        prepare()
        QApplication.processEvents()
        taken = []
        for number in range(FRAMES + 3):
            painted = self.view.frames_painted
            started = time.thread_time()
            act()
            self.view.viewport().repaint()
            if number >= 3:
                taken.append(time.thread_time() - started)
            if self.view.frames_painted == painted:
                raise RuntimeError("A frame was measured that was never painted.")
            QApplication.processEvents()
        return taken


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)]


def registry() -> Registry:
    """Eight providers of eight categories, as many different marks."""
    icons = ("lightning", "sparkle", "table", "chat-circle", "git-fork", "file", "brackets-curly", "globe")
    return Registry(
        Manifest(
            f"p{n}", category.value.title(), category, f"ph.{icon}", actions=(Action(f"p{n}", "do", "Do something"),)
        )
        for n, (category, icon) in enumerate(zip(Category, icons, strict=True))
    )


def big_plan(count: int) -> Plan:
    """Columns of cards, slightly out of line, wired to the columns before; the same every time."""
    dice = random.Random(7)
    height = max(3, int((count * COLUMN / ROW / 1.6) ** 0.5))
    steps = tuple(
        Step(
            f"s{n}",
            f"p{n % 8}",
            "do",
            f"Step {n} of the plan",
            x=n // height * COLUMN + dice.randrange(-1, 2) * 20,
            y=n % height * ROW + dice.randrange(-1, 2) * 10,
        )
        for n in range(count)
    )
    pairs = {(max(0, n - height + dice.randint(-2, 2)), n) for n in range(height, count)}
    while len(pairs) < WIRES_PER_CARD * count:
        target = dice.randrange(height, count)
        source = dice.randrange(max(0, target - 3 * height), target)
        if source // height < target // height:
            pairs.add((source, target))
    return Plan("big", "Big", steps=steps, edges=tuple(Edge(f"s{a}", "out", f"s{b}") for a, b in sorted(pairs)))


def state_batches(plan: Plan) -> list[list[RunEvent]]:
    """Batches of 50 events each, first starts, then results."""
    batches: list[list[RunEvent]] = []
    for first in range(0, min(len(plan.steps), 1_500), 50):
        ids = [step.id for step in plan.steps[first : first + 50]]
        batches.append([StepStarted("run", NOW, step_id, (), 1) for step_id in ids])
        batches.append([StepSucceeded("run", NOW, step_id, (), 1, 3, 12.0, ("out",)) for step_id in ids])
    return batches
